"""How results of other projects' test suites are compared."""

from __future__ import annotations

from pathlib import Path

from peers.compare import REPO, changed, judge, read_differences, read_outcomes
from peers.suites import SUITES

REPORT = """<testsuites><testsuite>
<testcase classname="t" name="ok"/>
<testcase classname="t" name="bad"><failure/></testcase>
<testcase classname="t" name="bad"/>
<testcase classname="t" name="broken"><error/></testcase>
<testcase classname="t" name="left"><skipped/></testcase>
<testcase classname="t" name="at[/tmp/x1]"/>
</testsuite></testsuites>"""


def test_outcomes_of_a_report() -> None:
    assert dict(read_outcomes(REPORT)) == {
        "t::ok": "passed",
        "t::bad": "failure",
        "t::broken": "error",
        "t::left": "skipped",
        "t::at[…": "passed",
    }


def test_other_and_missing_outcomes_are_changes() -> None:
    plain = {"a": "passed", "b": "passed", "c": "failure", "d": "skipped"}
    assert changed(plain, {"a": "passed", "b": "failure", "c": "passed"}) == ["b", "c", "d"]


def test_each_change_has_a_reason_and_each_reason_a_change() -> None:
    known = {"t::a*": "why", "t::gone": "why"}
    assert judge(["t::a1", "t::a2", "t::new"], known) == (["t::new"], ["t::gone"])


def test_differences_are_those_of_the_documentation() -> None:
    text = " ".join(Path(REPO, "docs", "robustness.md").read_text("utf-8").split())
    found = read_differences()
    assert set(found) == {suite.name for suite in SUITES}
    for reason in (reason for suite in found.values() for reason in suite.values()):
        assert reason in text
