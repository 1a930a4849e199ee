"""What a hit of the build cache costs, beside the build that it saves.

    python tests/benchmarks/bench_cache.py [--runs 5] [--goal 1.0]

Calls build_wheel on an unpacked sdist of a one-file extension in a fresh interpreter each time,
first into an empty cache, then out of it. Exits with 1 where a hit takes the goal's seconds of
processor time or more.
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
    """Return the processor seconds of one build, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", CALL, str(out)],
        cwd=tree, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, done.stderr


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--goal", type=float, default=1.0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tree = folder / "tree"
        shutil.copytree(ROOT / "tests" / "packages" / "setuptools-c", tree)
        (tree / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: whatami\nVersion: 1.0\n")
        env = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "backend"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "VARIANTBUILD_BUILD_CACHE": "true",
            "VARIANTBUILD_CPU": "v2",
        }
        pristine = shutil.copytree(tree, folder / "pristine")
        first, _ = build(tree, folder, env)
        hits = []
        for _ in range(args.runs):
            shutil.rmtree(tree)
            shutil.copytree(pristine, tree)
            cost, said = build(tree, folder, env)
            if "taken from the build cache" not in said:
                raise SystemExit(f"no hit:\n{said}")
            hits.append(cost)
    hit = statistics.median(hits)
    print(f"built: {first:.2f} s  hit: {hit:.2f} s  ratio {hit / first:.2f}  goal {args.goal} s")
    return 1 if hit >= args.goal else 0


if __name__ == "__main__":
    raise SystemExit(main())
