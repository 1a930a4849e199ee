"""Damage binaries at random and audit them: `fuzz_audit.py [--seconds N] [--seed N] FILE…`.

FILE are ELF modules of any machine, fatbins or offload bundles. Each execution changes up to twelve
bytes of one, half of them in headers, or truncates it; the audit must end with a report. Prints the
number of executions; a traceback is a defect, and the damaged bytes are kept.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from variantbuild.audit import audit_members, judge
from variantbuild.variant import Variant

_SLOW = 20.0  # seconds of CPU time for one execution


def main(argv: Sequence[str] | None = None) -> int:
    """Run on `argv` and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    chance = random.Random(args.seed)
    wholes = [path.read_bytes() for path in args.files]
    executions, faults = 0, 0
    until = time.monotonic() + args.seconds
    while time.monotonic() < until:
        data = damage(chance, chance.choice(wholes))
        started = time.process_time()
        try:
            report = audit_members([("m.so", data)], name="m-1-py3-none-linux_x86_64.whl")
            judge(report, Variant(arch="x86_64", cpu="v2"))
        except BaseException:
            Path("damaged.bin").write_bytes(data)
            raise
        if time.process_time() - started > _SLOW:
            Path("slow.bin").write_bytes(data)
            sys.exit(f"an execution took over {_SLOW} s: slow.bin")
        executions += 1
        faults += any(each.fault is not None for each in report.files)
    print(f"{executions} executions, {faults} reported as unreadable")
    return 0


def damage(chance: random.Random, whole: bytes) -> bytes:
    """Return `whole` with some bytes changed, and sometimes truncated."""
    data = bytearray(whole)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(min(len(data), chance.choice([64, 1024, len(data)])))
        data[-at if chance.random() < 0.3 else at] = chance.randrange(256)
    if chance.random() < 0.1:
        del data[chance.randrange(len(data)) :]
    return bytes(data)


if __name__ == "__main__":
    sys.exit(main())
