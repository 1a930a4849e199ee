"""Measure a hit of the build cache, and the build that it replaces.

    python tests/benchmarks/bench_cache.py [--runs 5] [--goal 1.0]

Calls build_wheel on an unpacked sdist of a one-file extension, in a new interpreter each time:
first with an empty cache, then with the entry in it. The exit code is 1 if the median hit takes at
least `--goal` CPU seconds.
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

ROOT = Path(__file__).resolve().parents[2]
CALL = "import sys, variantbuild; print(variantbuild.build_wheel(sys.argv[1]))"


def build(tree: Path, out: Path, env: dict[str, str]) -> tuple[float, str]:
    """Return the CPU seconds of one build, and what it printed on stderr."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", CALL, str(out)],
        cwd=tree, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stderr


def main() -> int:
    """Measure and print the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--goal", type=float, default=1.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        tree = directory / "tree"
        shutil.copytree(ROOT / "tests" / "packages" / "setuptools-c", tree)
        (tree / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: whatami\nVersion: 1.0\n")
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "backend"),
            "XDG_CACHE_HOME": str(directory / "cache"),
            "VARIANTBUILD_BUILD_CACHE": "true",
            "VARIANTBUILD_CPU": "v2",
        }
        pristine = shutil.copytree(tree, directory / "pristine")
        first, _ = build(tree, directory, env)
        hits = []
        for _ in range(args.runs):
            shutil.rmtree(tree)
            shutil.copytree(pristine, tree)
            cost, output = build(tree, directory, env)
            if "taken from the build cache" not in output:
                raise SystemExit(f"the cache was not used:\n{output}")
            hits.append(cost)
    hit = statistics.median(hits)
    print(f"built: {first:.2f} s  hit: {hit:.2f} s  ratio {hit / first:.2f}  goal {args.goal} s")
    return 1 if hit >= args.goal else 0


if __name__ == "__main__":
    raise SystemExit(main())
