"""Time the audit of wheels beside `auditwheel show`: `bench_audit.py WHEEL…`.

Both run as whole processes, in turn, each wheel three times; medians of wall-clock seconds. With
`--table FILE` the table of verdicts between the marks in FILE is written anew, with today's date.
"""

from __future__ import annotations

import argparse
import datetime
import json
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
    parser.add_argument("--table", type=Path, help="a Markdown file with the marks of the table")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(argv)
    if args.table is not None:
        _write_table(args.table, args.wheels)
        return 0
    for wheel in args.wheels:
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(_seconds([sys.executable, "-m", "variantbuild", "audit", str(wheel)]))
            if shutil.which("auditwheel", path=str(Path(sys.executable).parent)):
                theirs.append(_seconds([sys.executable, "-m", "auditwheel", "show", str(wheel)]))
        show = f"{statistics.median(theirs):6.2f}" if theirs else "  none"
        print(f"{wheel.name.split('-')[0]:28} audit {statistics.median(ours):6.2f}  show {show}")
    return 0


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, capture_output=True, check=False)
    return time.perf_counter() - started


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
        most = max((each["dispatched"] for each in codes), default="")
        floors = [
            tuple(map(int, each["glibc"].split("."))) for each in wheel["files"] if each["glibc"]
        ]
        floor = ".".join(map(str, max(floors))) if floors else ""
        rows.append(
            f"| {name} | {version} | {len(wheel['files'])} | {wheel['level']} "
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
            for each in file["code"]["functions"]:
                if not each["guarded"]:
                    name = each["name"] if len(each["name"]) < 50 else each["name"][:47] + "…"
                    return f"`{Path(file['path']).name[:40]}`: `{name}`, `{each['instruction']}`"
    return ""


if __name__ == "__main__":
    sys.exit(main())
