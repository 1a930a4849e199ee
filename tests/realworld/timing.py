"""Print the best seconds of a script's `loop`: `python -I timing.py SCRIPT [cpu]`.

The script checks itself as it is loaded; then `loop` runs for three tenths of a second. With `cpu`
CPU seconds count, which other work on the machine changes less.
"""

from __future__ import annotations

import runpy
import sys
import time


def main(script: str, kind: str = "wall") -> None:
    clock = time.process_time if kind == "cpu" else time.perf_counter
    loop = runpy.run_path(script)["loop"]
    best, until = float("inf"), time.perf_counter() + 0.3
    while time.perf_counter() < until or best == float("inf"):
        started = clock()
        loop()
        best = min(best, clock() - started)
    print(best)


if __name__ == "__main__":
    main(*sys.argv[1:3])
