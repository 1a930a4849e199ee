"""Text on a terminal: wrapping, columns, shortened names, progress; plain and with rich."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from variantbuild.cli import terminal
from variantbuild.cli.guard import RESET, color
from variantbuild.cli.richtable import render_table
from variantbuild.cli.terminal import progress, report_message, rewrite_line, table
from variantbuild.cli.textlayout import (
    cut,
    hang,
    lay_out,
    render_rows,
    shorten,
    visible_width,
    wrap_words,
)

ROWS = (
    ("CPU", "x86_64 GenuineIntel Intel(R) Xeon(R) Processor @ 2.80GHz", "/proc/cpuinfo"),
    (
        "NVIDIA driver",
        "none",
        f"{color('2')}no NVIDIA driver: neither /proc/driver/nvidia/version nor "
        f"libcuda.so.1 in the usual directories{RESET}",
    ),
    ("名前", "日本語の機械", "wide characters take two columns"),
)


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make standard output and standard error a terminal of 80 columns, without colours."""
    made = Terminal()
    monkeypatch.setattr(sys, "stdout", made)
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    return made


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("render", [render_rows, render_table])
def test_rows_fit(render: object, width: int) -> None:
    assert callable(render)
    text: str = render(ROWS, width, indent=2)
    assert max(map(visible_width, text.splitlines())) <= max(width, 55)
    # Nothing is lost, and no word is broken.
    plain = re.sub("\x1b\\[[0-9;]*m", "", text)
    for word in ("GenuineIntel", "/proc/driver/nvidia/version", "libcuda.so.1", "日本語の機械"):
        assert word in plain


@pytest.mark.parametrize("width", [50, 80, 120])
def test_rich_and_plain_have_the_same_content(width: int) -> None:
    def words(text: str) -> list[str]:
        return re.sub("\x1b\\[[0-9;]*m", "", text).split()

    assert words(render_table(ROWS, width)) == words(render_rows(ROWS, width))


def test_a_colour_does_not_leak_into_other_columns() -> None:
    for line in render_rows(ROWS, 60).splitlines():
        opened = line.rfind(color("2"))
        assert opened < 0 or RESET in line[opened:]


def test_without_a_width_nothing_is_wrapped() -> None:
    lines = render_rows(ROWS, None).splitlines()
    assert len(lines) == len(ROWS)


def test_without_rich_the_plain_table_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    on_terminal(monkeypatch)
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.delitem(sys.modules, "variantbuild.cli.richtable")
    assert table(ROWS) == render_rows(ROWS, 80)


@pytest.mark.parametrize(
    ("name", "width", "short"),
    [
        ("demo/_m.so", 20, "demo/_m.so"),
        ("numpy/_core/_umath.cpython-311-x86_64-linux-gnu.so", 30, "numpy/_core/_umath….so"),
        ("demo/_m.abi3.so", 14, "demo/_m….so"),
        ("demo/_m.cp312-win_amd64.pyd", 20, "demo/_m….pyd"),
        ("a" * 30 + "b" * 30, 10, "aaa…bbbbbb"),
        ("日本語日本語日本語", 9, "日本…本語"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
    ],
)
def test_names_are_shortened_in_the_middle(name: str, width: int, short: str) -> None:
    made = shorten(name, width)
    assert visible_width(made) <= width
    if "日" not in name:
        assert made == short


def test_names_make_room_last() -> None:
    rows = [("some/very/long/name/of/a/file.so", "a text that can be wrapped " * 3)]
    assert lay_out(rows, 80, names={0})[0] == len(rows[0][0])


def test_short_cells_are_not_wrapped() -> None:
    rows = [("file", "needs", "ISA note"), ("n" * 90, "v3", "v3"), ("demo.whl", "8", "8 members")]
    lines = render_rows(rows, 60, names={0}).splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("  ISA note")
    assert max(map(visible_width, lines)) <= 60


@pytest.mark.parametrize("rich", [True, False])
def test_a_terminal_too_narrow_for_columns_stacks_them(
    monkeypatch: pytest.MonkeyPatch, rich: bool
) -> None:
    """No cell is squeezed, and none begins beyond the edge."""
    on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", "40")
    if not rich:
        monkeypatch.setitem(sys.modules, "variantbuild.cli.richtable", None)
    rows = [
        ("C compiler", "gcc 12.2.0 /usr/bin/gcc", "/usr/bin/gcc -v (CC of this Python)"),
        ("AMD driver", "none", "/sys/class/kfd/kfd/topology/nodes does not exist"),
    ]
    assert terminal.table(rows, indent=1).splitlines() == [
        " C compiler",
        "   gcc 12.2.0 /usr/bin/gcc",
        "   /usr/bin/gcc -v (CC of this Python)",
        " AMD driver",
        "   none",
        "   /sys/class/kfd/kfd/topology/nodes",
        "   does not exist",
    ]


@pytest.mark.parametrize("width", ["40", "80"])
def test_paths_of_results_fit_a_terminal_and_are_whole_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, width: str
) -> None:
    path = tmp_path / "Größe 数据" / ("x" * 90 + "-1.0+cu12.v3-cp311-cp311-linux_x86_64.whl")
    assert terminal.shown_path(path) == str(path)
    on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", width)
    assert visible_width(terminal.shown_path(path)) <= int(width)
    assert terminal.shown_path(path).endswith("-linux_x86_64.whl")
    monkeypatch.chdir(tmp_path)
    assert terminal.shown_path(path).startswith("Größe")
    title = terminal.shown_title(path.name, "  x86_64")
    assert visible_width(title + "  x86_64") <= int(width)


def test_words() -> None:
    assert wrap_words("one two three", 7) == ["one two", "three"]
    assert wrap_words("a_word_that_is_longer_than_the_line x", 10) == [
        "a_word_that_is_longer_than_the_line",
        "x",
    ]
    assert wrap_words("", 10) == [""]


def test_a_message_hangs_and_its_hint_keeps_its_indent() -> None:
    text = "variantbuild: error: " + "word " * 20 + "\n  hint: " + "remedy " * 20
    lines = hang(text.strip(), 80).splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[1].startswith("    word")
    assert next(line for line in lines if "hint:" in line).startswith("  hint: remedy")
    assert lines[-1].startswith("      remedy")
    assert hang(text, None) == text


def test_messages_are_wrapped_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = on_terminal(monkeypatch)
    report_message("word " * 40, "warning")
    assert max(map(len, stream.getvalue().splitlines())) <= 80
    pipe = io.StringIO()
    monkeypatch.setattr(sys, "stderr", pipe)
    report_message("word " * 40, "warning")
    assert pipe.getvalue().count("\n") == 1


@pytest.mark.parametrize("width", [20, 40, 80])
def test_a_progress_line_never_wraps(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    stream = on_terminal(monkeypatch)
    monkeypatch.setenv("COLUMNS", str(width))
    for text in ("short", "x" * 300, "numpy-2.4.6.whl  numpy/_core/日本語" * 9):
        rewrite_line(stream, text, "  97 %")
    for line in stream.getvalue().split("\r\x1b[2K")[1:]:
        assert visible_width(line) < width
        assert line.endswith("  97 %")


def test_progress_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = on_terminal(monkeypatch)

    def fail() -> None:
        with progress("v3") as step:
            step("compiling")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert stream.getvalue().endswith("\r\x1b[2K")
    assert "\n" not in stream.getvalue()


def test_the_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "97")
    assert terminal.columns(Terminal()) == 97
    monkeypatch.setenv("COLUMNS", "not a number")
    assert terminal.columns(Terminal()) == 80
    assert terminal.columns(io.StringIO()) is None


def test_cut() -> None:
    assert cut("日本語", 5) == "日本"
    assert cut("abc", 5) == "abc"
