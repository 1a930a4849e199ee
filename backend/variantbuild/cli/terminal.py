"""Format of results and messages: colour and tables on a terminal, plain text in a pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from variantbuild.errors import VariantBuildError

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
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def print_json(payload: Mapping[str, JSONValue]) -> None:
    """Print `payload`, which has a `version` key, as indented JSON on standard output."""
    import json

    print(json.dumps(payload, indent=2, ensure_ascii=False))


def table(rows: Sequence[Sequence[str]], *, indent: int = 0) -> str:
    """Align `rows` of cells in columns; the last column is not padded."""
    if not rows:
        return ""
    widths = [max(len(row[i]) for row in rows if i < len(row)) for i in range(max(map(len, rows)))]
    lines = []
    for row in rows:
        cells = [cell.ljust(widths[i]) for i, cell in enumerate(row[:-1])]
        lines.append(" " * indent + "  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def report_message(text: str, kind: str = "note") -> None:
    """Print a message (note, warning) on standard error."""
    style = {"warning": "yellow", "error": "red"}.get(kind, "cyan")
    print(f"variantbuild: {paint(kind, style, sys.stderr)}: {text}", file=sys.stderr)


def report_error(error: VariantBuildError) -> None:
    """Print an error on standard error, its hint on a separate line."""
    report_message(str(error), "error")


@contextmanager
def progress(name: str) -> Iterator[Callable[[str], None]]:
    """Show the current step for `name` on standard error; yields the function that sets it.

    On a terminal one line with the elapsed seconds, rewritten twice a second and cleared at the
    end; elsewhere one line per step.
    """
    stream = sys.stderr
    if not stream.isatty():
        yield lambda text: print(f"variantbuild: {name}: {text}", file=stream, flush=True)
        return
    import threading
    import time

    current = [""]
    ended = threading.Event()
    started = time.monotonic()

    def show() -> None:
        while not ended.wait(0.5):
            line = f"{name}  {current[0]}  {time.monotonic() - started:.0f} s"
            print(f"\r\x1b[2K{paint(line, 'cyan', stream)}", end="", file=stream, flush=True)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield lambda text: current.__setitem__(0, text)
    finally:
        ended.set()
        thread.join()
        print("\r\x1b[2K", end="", file=stream, flush=True)
