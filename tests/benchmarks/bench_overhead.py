"""Measure the CPU time that variantbuild adds to a build, in pairs of runs.

    python tests/benchmarks/bench_overhead.py [--runs 10] [--pip] [--against TREE]... [--at-most R]

Builds a one-file C extension with `python -m build -n -w`, alternating between setuptools alone and
variantbuild (probes, trial compilation, audit, verification, stamp). Prints the medians of user and
system time of all processes, and the median of the ratios to setuptools alone within each round.
The environment of setuptools alone holds what an isolated build without variantbuild has: packages
that only variantbuild requires cost a build time too. With --pip, `pip wheel` builds: it calls
prepare_metadata_for_build_wheel as well.

With --against, the checkouts named are measured in the same rounds, and so is the import of the
hooks of each: only then can two versions be compared on a machine that does other work as well.
--at-most is the highest ratio of this checkout to setuptools alone at which the exit code is 0.

Needs build, setuptools, variantbuild with its requirements, and for --pip pip.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = ROOT / "tests" / "packages" / "setuptools-c"


BUILD = ("-m", "build", "-n", "-w")
PIP = ("-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", "dist", ".")
#: What an isolated build with setuptools alone has installed, and the front ends.
PLAIN = ("setuptools", "build", "pyproject_hooks", "packaging", "pip", "wheel")
#: What variantbuild adds; with iced-x86, for the audit of instructions.
OURS = ("variantbuild", "archspec", "scikit-build-core", "pathspec", "iced-x86")


@dataclass(frozen=True, kw_only=True)
class Side:
    """What builds: the interpreter, the project, and where variantbuild is imported from."""

    python: Path
    tree: Path
    backend: Path | None = None

    def cpu_seconds(self, *command: str) -> float:
        """Run Python with `command` in the project; return the CPU seconds used."""
        for name in ("build", "dist", "whatami.egg-info"):
            shutil.rmtree(self.tree / name, ignore_errors=True)
        path = {} if self.backend is None else {"PYTHONPATH": str(self.backend)}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [self.python, *command],
            check=True,
            cwd=self.tree,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **path},
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def environment(directory: Path, *names: str) -> Path:
    """Return the interpreter of a new environment with links to the distributions `names`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True)
    python = directory / "bin" / "python"
    command = (python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))")
    site = Path(subprocess.check_output(command, text=True).strip())
    for name in names:
        try:
            found = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name in ("wheel", "iced-x86", "pip"):
                continue
            raise
        parts = {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}
        for part in parts:
            # Without the finder of an editable install: PYTHONPATH comes first, and costs less.
            if not part.startswith("__editable__") and not (site / part).exists():
                (site / part).symlink_to(str(found.locate_file(part)))
    return python


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
    label: str, runs: int, sides: Mapping[str, Side], *commands: tuple[str, ...]
) -> tuple[float, float]:
    """Measure a command for each side, turn by turn, and print a table.

    The first side is what the others are compared with. Returns the median difference between the
    last side and the first, in milliseconds, and the median ratio.
    """
    turns = list(zip(sides.values(), commands, strict=True))
    rounds = [[side.cpu_seconds(*command) for side, command in turns] for _ in range(runs + 1)]
    del rounds[0]  # it warms the caches
    print(f"{label} (ms of CPU time, medians and minima of {runs} rounds)")
    ratio = 1.0
    for place, name in enumerate(sides):
        times = [each[place] * 1000 for each in rounds]
        ratio = statistics.median(each[place] / each[0] for each in rounds)
        print(f"  {name:40} {statistics.median(times):6.0f} {min(times):6.0f}  {ratio:5.2f} x")
    return statistics.median(each[-1] - each[0] for each in rounds) * 1000, ratio


def main() -> int:
    """Run the rounds and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="rounds to run (10)")
    parser.add_argument(
        "--against", type=Path, action="append", default=[], metavar="TREE", help="other checkouts"
    )
    parser.add_argument("--pip", action="store_true", help="build with pip wheel")
    parser.add_argument(
        "--at-most", type=float, metavar="RATIO", help="exit with 1 if the ratio is above this"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        plain = environment(directory / "plain-environment", *PLAIN)
        python = environment(directory / "environment", *PLAIN, *OURS)
        wrapped = copy(directory, "wrapped", "variantbuild")
        trees = {**{str(tree): tree.resolve() for tree in args.against}, "variantbuild": ROOT}
        sides = {
            "setuptools alone": Side(
                python=plain, tree=copy(directory, "plain", "setuptools.build_meta")
            ),
            **{
                label: Side(python=python, tree=wrapped, backend=tree / "backend")
                for label, tree in trees.items()
            },
        }
        command = PIP if args.pip else BUILD
        more, ratio = measure("whole build", args.runs, sides, *[command for _ in sides])
        imports = [("-c", "import variantbuild.hooks") for _ in sides]
        imports[0] = ("-c", "import setuptools.build_meta")
        measure("import of the hooks", args.runs, sides, *imports)
    print(f"variantbuild takes {more:.0f} ms of CPU time more than setuptools alone")
    return 1 if args.at_most is not None and ratio > args.at_most else 0


if __name__ == "__main__":
    sys.exit(main())
