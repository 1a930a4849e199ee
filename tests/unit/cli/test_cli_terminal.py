"""Colour, tables, messages and progress: on a terminal, and in a pipe."""

from __future__ import annotations

import io
import time

import pytest

from variantbuild.cli.guard import display
from variantbuild.cli.terminal import paint, progress, report_message, table, wants_color


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("env", "on_terminal", "elsewhere"),
    [
        ({}, True, False),
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colour(env: dict[str, str], on_terminal: bool, elsewhere: bool) -> None:
    assert wants_color(Terminal(), env) is on_terminal
    assert wants_color(io.StringIO(), env) is elsewhere


def test_paint(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert display(paint("x", "red", Terminal()), "utf-8") == "\x1b[31mx\x1b[0m"
    assert paint("x", "red", io.StringIO()) == "x"


def test_table() -> None:
    assert table([]) == ""
    rows = [("a", "long cell", "end"), ("wider", "", "last one "), ("two", "cells")]
    assert table(rows, indent=2).splitlines() == [
        "  a      long cell  end",
        "  wider             last one",
        "  two    cells",
    ]


@pytest.mark.parametrize(("kind", "colour"), [("note", "36"), ("warning", "33"), ("error", "31")])
def test_messages_go_to_standard_error(
    kind: str, colour: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    report_message("it is so", kind)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"variantbuild: {kind}: it is so\n")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    report_message("it is so", kind)
    assert capsys.readouterr().err == f"variantbuild: \x1b[{colour}m{kind}\x1b[0m: it is so\n"


def test_progress_in_a_pipe_is_one_line_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("v3") as step:
        step("compiling")
        step("packing")
    assert capsys.readouterr().err == "variantbuild: v3: compiling\nvariantbuild: v3: packing\n"


def test_progress_on_a_dumb_terminal_is_one_line_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "dumb")
    with progress("v3") as step:
        step("compiling")
    assert stream.getvalue() == "variantbuild: v3: compiling\n"


def test_progress_on_a_terminal_is_one_line_that_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")

    def fail() -> None:
        with progress("v3") as step:
            step("compiling")
            time.sleep(0.7)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    shown = stream.getvalue()
    assert "\n" not in shown
    assert shown.startswith("\r\x1b[2Kv3  compiling  ")
    assert shown.endswith("\r\x1b[2K")
