"""Measure the CPU time that variantbuild adds to a build, in pairs of runs.

    python tests/benchmarks/bench_overhead.py [--runs 10]

Builds a one-file C extension with `python -m build -n -w`, alternating between setuptools alone and
variantbuild (probes, trial compilation, audit, verification, stamp). Prints the median difference
in user and system time of all processes, and the ratio of the medians.
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
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "packages" / "setuptools-c"


def cpu_seconds(tree: Path, *extra: str) -> float:
    """Build the wheel of `tree` from scratch and return the CPU seconds used."""
    for name in ("build", "dist", "whatami.egg-info"):
        shutil.rmtree(tree / name, ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "build", "-n", "-w", *extra, str(tree)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
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


def main() -> int:
    """Run the pairs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10, help="pairs to run (10)")
    parser.add_argument(
        "--limit", type=float, help="exit with 1 if the median difference is above this, in ms"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        plain = copy(Path(name), "plain", "setuptools.build_meta")
        wrapped = copy(Path(name), "wrapped", "variantbuild")
        cpu_seconds(plain), cpu_seconds(wrapped)  # warms the caches of both
        pairs = [(cpu_seconds(plain), cpu_seconds(wrapped)) for _ in range(args.runs)]
    alone = statistics.median(first for first, _ in pairs)
    through = statistics.median(second for _, second in pairs)
    more = statistics.median(second - first for first, second in pairs) * 1000
    print(f"setuptools alone  {alone * 1000:6.0f} ms CPU (median of {args.runs})")
    print(f"variantbuild      {through * 1000:6.0f} ms CPU")
    print(f"difference        {more:6.0f} ms CPU (median of pairs), ratio {through / alone:.2f}")
    return 1 if args.limit is not None and more > args.limit else 0


if __name__ == "__main__":
    sys.exit(main())
