"""Measure the CPU time that variantbuild adds to a build, in pairs of runs.

    python tests/benchmarks/bench_overhead.py [--runs 10] [--against TREE]...

Builds a one-file C extension with `python -m build -n -w`, alternating between setuptools alone and
variantbuild (probes, trial compilation, audit, verification, stamp). Prints the medians of user and
system time of all processes, and the median of the ratios to setuptools alone within each round.

With --against, the checkouts named are measured in the same rounds, and so is the import of the
hooks of each: only then can two versions be compared on a machine that does other work as well.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = ROOT / "tests" / "packages" / "setuptools-c"


def cpu_seconds(tree: Path, backend: Path | None, *command: str) -> float:
    """Run Python with `command` in the project `tree`; return the CPU seconds used.

    `backend` is the directory that variantbuild is imported from; None takes the installed one.
    """
    for name in ("build", "dist", "whatami.egg-info"):
        shutil.rmtree(tree / name, ignore_errors=True)
    path = {} if backend is None else {"PYTHONPATH": str(backend)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, *command],
        check=True,
        cwd=tree,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **path},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def copy(directory: Path, name: str, backend: str) -> Path:
    """Copy the project to `directory`/`name`, with `backend` as its build backend."""
    tree = directory / name
    shutil.copytree(PROJECT, tree)
    pyproject = tree / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8")
    pyproject.write_text(
        text.replace('build-backend = "variantbuild"', f'build-backend = "{backend}"').replace(
            'requires = ["variantbuild", "setuptools"]', 'requires = ["setuptools"]'
        ),
        encoding="utf-8",
    )
    return tree


def measure(
    label: str, runs: int, sides: Mapping[str, tuple[Path, Path | None]], *commands: tuple[str, ...]
) -> float:
    """Measure a command for each side, turn by turn, and print a table.

    The first side is what the others are compared with. Returns the median difference between the
    last side and the first, in milliseconds.
    """
    turns = list(zip(sides.items(), commands, strict=True))
    rounds = [
        [cpu_seconds(*side, *command) for (_, side), command in turns] for _ in range(runs + 1)
    ][1:]  # the first round warms the caches
    print(f"{label} (ms of CPU time, medians of {runs} rounds)")
    for place, name in enumerate(sides):
        times = statistics.median(each[place] for each in rounds) * 1000
        ratio = statistics.median(each[place] / each[0] for each in rounds)
        print(f"  {name:40} {times:6.0f}  {ratio:5.2f} x")
    return statistics.median(each[-1] - each[0] for each in rounds) * 1000


def main() -> int:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="rounds to run (10)")
    parser.add_argument(
        "--against", type=Path, action="append", default=[], metavar="TREE", help="other checkouts"
    )
    parser.add_argument(
        "--limit", type=float, help="exit with 1 if the median difference is above this, in ms"
    )
    args = parser.parse_args()
    others = {str(tree): tree.resolve() / "backend" for tree in args.against}
    with tempfile.TemporaryDirectory() as name:
        plain = copy(Path(name), "plain", "setuptools.build_meta")
        wrapped = copy(Path(name), "wrapped", "variantbuild")
        # What is compared is this checkout; without others, the installed package.
        ours = ROOT / "backend" if others else None
        sides = {
            "setuptools alone": (plain, None),
            **{other: (wrapped, backend) for other, backend in others.items()},
            "variantbuild": (wrapped, ours),
        }
        build = ("-m", "build", "-n", "-w")
        more = measure("whole build", args.runs, sides, *[build for _ in sides])
        if others:
            imports = [("-c", "import variantbuild.hooks") for _ in sides]
            imports[0] = ("-c", "import setuptools.build_meta")
            measure("import of the hooks", args.runs, sides, *imports)
    print(f"variantbuild takes {more:.0f} ms of CPU time more than setuptools alone")
    return 1 if args.limit is not None and more > args.limit else 0


if __name__ == "__main__":
    sys.exit(main())
