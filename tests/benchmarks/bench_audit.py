"""Compare the time of an audit with that of `auditwheel show`: `bench_audit.py WHEEL…`.

Both run as whole processes, alternating, three times for each wheel. The results are medians of
wall-clock seconds. The exit code is 1 if the audit takes more than `--limit` times as long. With
`--table FILE` nothing is timed; the table of verdicts between the marks in FILE is replaced, with
today's date.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_BEGIN, _END = "<!-- verdicts: generated -->", "<!-- verdicts: end -->"


def main(argv: Sequence[str] | None = None) -> int:
    """Run on `argv` and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheels", nargs="+", type=Path)
    parser.add_argument(
        "--table", type=Path, help="a Markdown file that contains the marks of the table"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=1.0, help="the highest ratio allowed")
    args = parser.parse_args(argv)
    if args.table is not None:
        _write_table(args.table, args.wheels)
        return 0
    if shutil.which("auditwheel", path=str(Path(sys.executable).parent)) is None:
        sys.exit("auditwheel is not installed for this Python; run `pip install auditwheel`")
    worst = 0.0
    print(f"{'wheel':28} {'audit s':>8} {'show s':>8} {'ratio':>6} {'peak MB':>8}")
    for wheel in args.wheels:
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(_run([sys.executable, "-m", "variantbuild", "audit", str(wheel)]))
            theirs.append(_run([sys.executable, "-m", "auditwheel", "show", str(wheel)]))
        mine, other = (statistics.median(each for each, _ in runs) for runs in (ours, theirs))
        worst = max(worst, mine / other)
        peak = max(each for _, each in ours) / 1024
        name = wheel.name.split("-")[0]
        print(f"{name:28} {mine:8.2f} {other:8.2f} {mine / other:6.2f} {peak:8.0f}", flush=True)
    print(f"limit {args.limit}: {'met' if worst <= args.limit else 'missed'}")
    return 0 if worst <= args.limit else 1


def _run(command: list[str]) -> tuple[float, int]:
    """Return wall-clock seconds, and the peak memory of the largest process in KiB."""
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - started, usage.ru_maxrss


def _write_table(path: Path, wheels: Sequence[Path]) -> None:
    command = [sys.executable, "-m", "variantbuild", "audit", "--json", *map(str, wheels)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows = [
        f"Audited on {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}, CPython 3.11 "
        f"manylinux x86-64 wheels from PyPI.",
        "",
        "| wheel | version | files | needs | carries behind dispatch | glibc | set by |",
        "|---|---|---|---|---|---|---|",
    ]
    for wheel in sorted(json.loads(done.stdout)["wheels"], key=lambda each: str(each["name"])):
        name, version = wheel["name"].split("-")[:2]
        codes = [each["code"] for each in wheel["files"] if each["code"]]
        most = max((each["dispatched"] or "" for each in codes), default="")
        floors = [
            tuple(map(int, each["glibc"].split("."))) for each in wheel["files"] if each["glibc"]
        ]
        floor = ".".join(map(str, max(floors))) if floors else ""
        rows.append(
            f"| {name} | {version} | {len(wheel['files'])} | {wheel['level'] or '–'} "
            f"| {most if most != wheel['level'] else ''} | {floor} | {_set_by(wheel)} |"
        )
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    path.write_text(
        before + _BEGIN + "\n" + "\n".join(rows) + "\n" + _END + after, encoding="utf-8"
    )


def _set_by(wheel: dict[str, object]) -> str:
    files = wheel["files"]
    assert isinstance(files, list)
    for file in files:
        if file["code"] and file["level"] == wheel["level"] and file["level"] != "v1":
            for demand in file["code"]["demands"]:
                for each in demand["paths"]:
                    if each["certain"] and demand["level"] == wheel["level"]:
                        last = each["functions"][-1]
                        name = last if len(last) < 50 else last[:47] + "…"
                        place = Path(file["path"]).name[:40]
                        return f"`{place}`: `{name}`, `{each['instruction']}`"
    return ""


if __name__ == "__main__":
    sys.exit(main())
