"""Messages: printed for people, recorded for the command that started the build."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.messages import MESSAGES_VARIABLE, Message, StderrReporter, read_messages


def test_messages_are_printed_and_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "messages"
    assert read_messages(path) == ()
    reporter = StderrReporter({MESSAGES_VARIABLE: str(path)})
    reporter.note("first")
    StderrReporter({MESSAGES_VARIABLE: str(path)}).warning("two\nlines, \u201cquoted\u201d")
    reporter.error("last")
    assert read_messages(path) == (
        Message(kind="note", text="first"),
        Message(kind="warning", text="two\nlines, \u201cquoted\u201d"),
        Message(kind="error", text="last"),
    )
    assert capsys.readouterr().err.startswith(
        "variantbuild: note: first\nvariantbuild: warning: two\nlines"
    )


@pytest.mark.parametrize("env", [{}, {MESSAGES_VARIABLE: ""}, {MESSAGES_VARIABLE: "/nowhere/x"}])
def test_what_cannot_be_recorded_is_printed(
    env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    StderrReporter(env).note("text")
    assert capsys.readouterr().err == "variantbuild: note: text\n"


@pytest.mark.parametrize("line", ["", "note", "[]", '["note"]', '["hint", "x"]', '["note", 1]'])
def test_other_lines_are_not_messages(line: str) -> None:
    with pytest.raises(ValueError):
        Message.parse(line)
