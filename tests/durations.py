"""Tabulate how long the tests take: `python tests/durations.py [REPORT.xml] [--write]`.

REPORT.xml is a JUnit report of pytest (`pytest --junitxml REPORT.xml`). Without it the whole suite
is run first, in parallel. Prints the number of tests, the seconds and the slowest test of each
directory, then the slowest tests of all. `--write` puts both tables into CONTRIBUTING.md instead.
Seconds are those of the tests themselves, added up; a parallel run takes less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "docs"))

from marks import render_table, update_parts  # noqa: E402 - needs the path above

#: How many of the slowest tests are listed.
SLOWEST = 10


class Duration(NamedTuple):
    """A test that ran: its directory below tests/, its name, and its seconds."""

    directory: str
    name: str
    seconds: float


def read_report(path: Path) -> list[Duration]:
    """Return the tests of a JUnit report that were not skipped."""
    found = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if case.find("skipped") is not None:
            continue
        parts = (case.get("classname") or "").removeprefix("tests.").split(".")
        # A class in the module follows it: `unit.host.test_processes.TestRun`.
        module = next((i for i, part in enumerate(parts) if part.startswith("test_")), -1)
        name = "::".join([*parts[module:], case.get("name") or ""])
        found.append(Duration(parts[0], name, float(case.get("time") or 0)))
    return found


def render_directories(tests: Sequence[Duration]) -> str:
    """Return the table of directories, the longest first."""
    groups: dict[str, list[Duration]] = defaultdict(list)
    for test in tests:
        groups[test.directory].append(test)
    rows = []
    for directory, group in sorted(groups.items(), key=lambda item: -_total(item[1])):
        slowest = max(group, key=lambda test: test.seconds)
        times = (_seconds(_total(group)), _seconds(slowest.seconds))
        rows.append((f"`tests/{directory}`", str(len(group)), *times))
    return render_table(("directory", "tests", "total", "slowest test"), rows)


def render_slowest(tests: Sequence[Duration]) -> str:
    """Return the table of the slowest tests."""
    longest = sorted(tests, key=lambda test: -test.seconds)[:SLOWEST]
    rows = [
        (f"`{test.directory}/{test.name}`".replace("|", "\\|"), _seconds(test.seconds))
        for test in longest
    ]
    return render_table(("test", "time"), rows)


def _total(tests: Sequence[Duration]) -> float:
    return sum(test.seconds for test in tests)


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def run_suite(report: Path) -> None:
    """Run the whole suite in parallel and write its JUnit report; failing tests count too."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "auto", "--dist", "worksteal"]
    subprocess.run([*command, f"--junitxml={report}"], cwd=ROOT, check=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Read or make the report, and print or write the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("report", nargs="?", type=Path, help="a JUnit report of pytest")
    parser.add_argument("--write", action="store_true", help="update CONTRIBUTING.md")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        report = args.report or Path(directory, "report.xml")
        if args.report is None:
            run_suite(report)
        tests = read_report(report)
    parts = {"durations": render_directories(tests), "slowest": render_slowest(tests)}
    if args.write:
        command = "python tests/durations.py --write"
        return update_parts(ROOT / "CONTRIBUTING.md", parts, command=command, check=False)
    print("\n\n".join(parts.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
