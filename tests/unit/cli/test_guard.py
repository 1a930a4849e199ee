"""What came from outside controls no terminal, and can be printed in every encoding."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from variantbuild.cli.guard import color, display, guarded_streams
from variantbuild.cli.terminal import paint, print_json, report_message, rewrite_line, table
from variantbuild.messages import StderrReporter, printable

#: What a terminal would obey, or would show in another order or not at all.
CONTROLS = [
    "\x1b[31m",
    "\x1b]0;title\x07",
    "\x1b[2J",
    "\x1bPq\x1b\\",
    "\x07",
    "\x08\x08",
    "\r",
    "\x00",
    "\x7f",
    "\x9b31m",
    "\x85",
    "\u2028",
    "\u202egnp",
    "\u2066",
    "\u200b",
    "\ufeff",
    "\udc80",
    "\ud800",
    "\U000e0041",
]
_HARMLESS = re.compile(r"[^\x00-\x08\x0b-\x1f\x7f-\x9f]*")


@contextmanager
def streams(encoding: str) -> Iterator[io.BytesIO]:
    """Replace both streams by one with the encoding, strict in what it encodes."""
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, encoding=encoding, errors="strict", write_through=True)
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = text
    try:
        with guarded_streams():
            yield raw
    finally:
        sys.stdout, sys.stderr = before
        text.detach()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "cp437", "gbk"])
@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_control_characters_are_escaped(control: str, encoding: str) -> None:
    name = f"a{control}é名"
    with streams(encoding) as raw:
        print(name)
        print(table([(name, name), ("x", name)]))
        report_message(name, "warning")
        StderrReporter({}).note(name)
        rewrite_line(sys.stderr, "")
    text = raw.getvalue().decode(encoding).removesuffix("\r\x1b[2K")
    assert _HARMLESS.fullmatch(text), text
    assert all(each.isprintable() or each == "\n" for each in text)
    assert text.count("a\\") + (control == "\udc80") >= 5


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252", "gbk"])
@pytest.mark.parametrize("control", CONTROLS, ids=ascii)
def test_json_is_utf8(control: str, encoding: str) -> None:
    with streams(encoding) as raw:
        print_json({"version": 1, "name": f"a{control}é名", f"k{control}": ["b"]})
    text = raw.getvalue().decode("utf-8")  # whatever the locale says
    found = json.loads(text)
    expected = control if control not in ("\udc80", "\ud800") else printable(control)
    assert found == {"version": 1, "name": f"a{expected}é名", f"k{expected}": ["b"]}
    assert all(each.isprintable() or each == "\n" for each in text)
    assert json.dumps(found, ensure_ascii=False).encode()


@given(name=st.text())
def test_any_text(name: str) -> None:
    shown = display(name, "ascii")
    assert shown.isascii()
    assert _HARMLESS.fullmatch(shown)
    assert display(shown, "ascii") == shown


def test_own_colours_pass_and_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with streams("utf-8") as raw:
        print(table([(paint("ok\x1b[31mbad", "green"), "x"), ("y", "z")]))
        report_message("\x1b[32msound\x1b[0m")
    text = raw.getvalue().decode()
    assert "\x1b[32mok\\x1b[31mbad\x1b[0m" in text
    assert "\\x1b[32msound\\x1b[0m" in text


def test_the_mark_is_not_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with guarded_streams():
        print(color("31"))
        print("a\r\nb\tc")
    assert capsys.readouterr().out == "\x1b[31m\na\nb\tc\n"
