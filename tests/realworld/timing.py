"""Print the best seconds of a script's `loop`: `python -I timing.py SCRIPT`.

The script checks itself as it is loaded; then `loop` runs for three tenths of a second.
"""

from __future__ import annotations

import runpy
import sys
import time


def main(script: str) -> None:
    loop = runpy.run_path(script)["loop"]
    best, until = float("inf"), time.perf_counter() + 0.3
    while time.perf_counter() < until or best == float("inf"):
        started = time.perf_counter()
        loop()
        best = min(best, time.perf_counter() - started)
    print(best)


if __name__ == "__main__":
    main(sys.argv[1])
