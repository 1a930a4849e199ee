"""Format of results and messages: colour and tables on a terminal, plain text in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from variantbuild.cli.guard import RESET, Guarded, color, display, escape
from variantbuild.cli.textlayout import cut, fits, hang, render_rows, shorten, stack_rows
from variantbuild.errors import VariantBuildError
from variantbuild.messages import printable

if TYPE_CHECKING:
    from variantbuild.types import JSONValue

_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def wants_color(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Return whether `stream` gets colour: a terminal, and neither NO_COLOR nor TERM=dumb set.

    Source: https://no-color.org, and FORCE_COLOR as most tools read it.
    """
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR"):
        return True
    return stream.isatty() and env.get("TERM") != "dumb"


def paint(text: str, style: str, stream: TextIO | None = None) -> str:
    """Return `text` in `style` (bold, dim, red, …) if `stream` (standard output) shows colour."""
    if not wants_color(sys.stdout if stream is None else stream, os.environ):
        return text
    return f"{color(_STYLES[style])}{text}{RESET}"


def print_json(payload: Mapping[str, JSONValue]) -> None:
    """Print `payload`, which has a `version` key, as indented JSON on standard output.

    It is valid UTF-8 in every locale: what is not printable is escaped, and a byte of a file name
    that is not UTF-8 becomes the text `\\xff`.
    """
    import json

    utf8 = (sys.stdout.encoding or "utf-8").lower().replace("-", "") == "utf8"
    text = json.dumps(payload, indent=2, ensure_ascii=False)
    text = "".join(
        each if each == "\n" or (each.isprintable() and (utf8 or each.isascii())) else _escape(each)
        for each in text
    )
    print(text)


def _escape(character: str) -> str:
    """Return the escape of `character` in JSON; half a surrogate pair has none (RFC 8259)."""
    import json

    if "\ud800" <= character <= "\udfff":
        return json.dumps(printable(character))[1:-1]
    return json.dumps(character)[1:-1] if character != "\x7f" else "\\u007f"


def columns(stream: TextIO) -> int | None:
    """Return how wide the terminal of `stream` is, None if it is not one.

    COLUMNS takes precedence, as in other tools. Without a known width it is 80.
    """
    if not stream.isatty():
        return None
    import shutil

    named = os.environ.get("COLUMNS", "")
    if not named.isdecimal():
        try:
            # A pseudo-terminal that nobody gave a size has 0 columns.
            return max(os.get_terminal_size(stream.fileno()).columns or 80, 20)
        except (OSError, ValueError):
            return 80
    return max(shutil.get_terminal_size().columns, 20)


def table(rows: Sequence[Sequence[str]], *, indent: int = 0, names: Collection[int] = ()) -> str:
    """Align `rows` of cells in columns; the last column is not padded.

    On a terminal the cells are wrapped by words to its width. Columns in `names` hold names that
    may be shortened in the middle.
    """
    width = columns(sys.stdout)
    rows = [[escape(cell) for cell in row] for row in rows]
    if width is not None and not fits(rows, width - indent, names=names):
        return stack_rows(rows, width, indent=indent, names=names)
    if width is not None and (rendered := _render_rich(rows, width, indent, names)) is not None:
        return rendered
    return render_rows(rows, width, indent=indent, names=names)


def _render_rich(
    rows: Sequence[Sequence[str]], width: int, indent: int, names: Collection[int]
) -> str | None:
    """Render with rich, which knows the width of every character; None if it is not installed."""
    try:
        from variantbuild.cli.richtable import render_table
    except ImportError:
        return None
    return render_table(rows, width, indent=indent, names=names)


def paragraph(text: str, *, stream: TextIO | None = None) -> str:
    """Return `text` wrapped by words, with an indent, to the width of a terminal."""
    return hang(escape(text), columns(sys.stdout if stream is None else stream))


def shown_name(name: str) -> str:
    """Return a file name for the beginning of a message: on a terminal shortened to half a line."""
    width = columns(sys.stderr)
    return name if width is None else shorten(name, width // 2)


def shown_title(name: str, rest: str) -> str:
    """Return a file name before `rest` on a line of its own: on a terminal shortened to fit."""
    width = columns(sys.stdout)
    return escape(name) if width is None else shorten(escape(name), max(width - len(rest), 20))


def shown_path(path: Path) -> str:
    """Return the path of a result: on a terminal from the current directory, if it is below, and
    shortened in the middle to its width; in a pipe as it is.
    """
    room = columns(sys.stdout)
    if room is None:
        return str(path)
    with suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return shorten(str(path), room)


def report_message(text: str, kind: str = "note") -> None:
    """Print a message (note, warning) on standard error."""
    style = {"warning": "yellow", "error": "red"}.get(kind, "cyan")
    line = f"variantbuild: {paint(kind, style, sys.stderr)}: {text}"
    _print(paragraph(line, stream=sys.stderr), sys.stderr)


def report_error(error: VariantBuildError) -> None:
    """Print an error on standard error, its hint on a separate line."""
    report_message(str(error), "error")


def rewrites_lines(stream: TextIO) -> bool:
    """Return whether `stream` is a terminal on which a line can be replaced."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


@contextmanager
def progress(name: str) -> Iterator[Callable[[str], None]]:
    """Show the current step for `name` on standard error; yields the function that sets it.

    On a terminal one line with the elapsed seconds, rewritten twice a second and cleared at the
    end; elsewhere one line per step.
    """
    stream = sys.stderr
    if not rewrites_lines(stream):
        yield lambda text: print(f"variantbuild: {name}: {text}", file=stream, flush=True)
        return
    import threading
    import time

    current = [""]
    ended = threading.Event()
    started = time.monotonic()

    def show() -> None:
        while not ended.wait(0.5):
            seconds = f"  {time.monotonic() - started:.0f} s"
            rewrite_line(stream, f"{name}  {current[0]}", seconds)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield lambda text: current.__setitem__(0, text)
    finally:
        ended.set()
        thread.join()
        rewrite_line(stream, "")


def rewrite_line(stream: TextIO, text: str, end: str = "") -> None:
    """Replace the last line of a terminal with `text` and `end`, cut to its width.

    The empty text clears it. The last column stays free: some terminals wrap there.
    """
    width = (columns(stream) or 80) - 1
    line = cut(shorten(escape(text), max(width - len(end), 1)) + end, width)
    shown = paint(line, "cyan", stream) if line else ""
    _print(shown, stream, before="\r\x1b[2K", end="")


def _print(text: str, stream: TextIO, *, before: str = "", end: str = "\n") -> None:
    """Print what is displayed of `text`, with the control characters `before` in front of it."""
    shown = before + display(text, stream.encoding) + end
    if isinstance(stream, Guarded):
        stream.control(shown)
    else:
        stream.write(shown)
    stream.flush()
