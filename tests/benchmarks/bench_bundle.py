"""Measure what a chooser adds to the import of a module.

    python tests/benchmarks/bench_bundle.py [--runs 15] [--limit 0.1]

Imports 20 modules of one wheel in a fresh process: of the best level without a bundle, through
stubs, and through the loader, in turn. Prints the median CPU time of a module, and what is added.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bundles import make_wheels, module, run_python, unpack

COUNT = 20
CODE = f"""
import importlib, time, demo
began = time.process_time()
for n in range({COUNT}):
    importlib.import_module(f'demo.m{{n}}')
print(time.process_time() - began)
"""


def milliseconds(site: Path) -> float:
    """Import all modules in a fresh process and return the CPU time of one, in ms."""
    done = run_python(site, CODE)
    assert done.returncode == 0, done.stderr
    return float(done.stdout) / COUNT * 1000


def main() -> int:
    """Run all kinds in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=15, help="runs of each kind (15)")
    parser.add_argument(
        "--limit", type=float, help="exit with 1 if a stub adds more than this, in ms a module"
    )
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        binaries = [module(f"demo.m{n}") for n in range(COUNT)]
        wheels = make_wheels(folder, binaries, ("v1", "v3", "v4"))
        sites = {"without": unpack(wheels[1], folder / "without")}
        for method in ("stub", "loader"):
            words = [*map(str, wheels), "-o", str(folder / f"{method}-out"), "--method", method]
            done = subprocess.run(
                [sys.executable, "-m", "variantbuild", "bundle", *words],
                check=True,
                capture_output=True,
                text=True,
                env=os.environ,
            )
            sites[method] = unpack(Path(done.stdout.strip()), folder / method)
        times: dict[str, list[float]] = {kind: [] for kind in sites}
        for _ in range(args.runs):
            for kind, site in sites.items():
                times[kind].append(milliseconds(site))
    plain = statistics.median(times["without"])
    for kind, found in times.items():
        more = statistics.median(
            mine - base for mine, base in zip(found, times["without"], strict=True)
        )
        print(f"{kind:8} {statistics.median(found):6.3f} ms a module, added {more:6.3f} ms")
    added = statistics.median(times["stub"]) - plain
    return 1 if args.limit is not None and added > args.limit else 0


if __name__ == "__main__":
    sys.exit(main())
