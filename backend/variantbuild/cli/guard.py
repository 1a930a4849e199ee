"""The door to standard output and standard error: nothing from outside controls the terminal.

Our own colours carry a mark that nobody outside of this process knows; every other control
character is escaped.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO, cast

from variantbuild.messages import for_encoding, printable

_MARK = str(int.from_bytes(os.urandom(6), "big"))
_MARKED = re.compile(rf"\x1b\[{_MARK};([0-9;]*[mK])")
#: Ends a colour.
RESET = f"\x1b[{_MARK};0m"


def color(code: str) -> str:
    """Return the marked sequence that begins the colour or style `code`."""
    return f"\x1b[{_MARK};{code}m"


def mark(text: str) -> str:
    """Return `text`, in which all sequences are ours, with the mark in each."""
    return text.replace("\x1b[", f"\x1b[{_MARK};")


def escape(text: str) -> str:
    """Return `text` with escapes for all control characters but line breaks and marked colours."""
    if text.isprintable():
        return text
    parts = _MARKED.split(text)
    return "".join(
        printable(part) if i % 2 == 0 else f"\x1b[{_MARK};{part}" for i, part in enumerate(parts)
    )


def display(text: str, encoding: str | None) -> str:
    """Return `text` for a stream of `encoding`: escaped, and without the marks of our colours."""
    if text.isascii() and text.isprintable():
        return text
    return for_encoding(_MARKED.sub("\x1b[\\1", escape(text)), encoding)


class Guarded(io.TextIOBase):
    """A stream that displays everything that is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str, /) -> int:
        """Write `text` as `display` returns it."""
        self._stream.write(display(text, self.encoding))
        return len(text)

    def control(self, text: str) -> None:
        """Write `text` unchanged."""
        self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # read-only here, an attribute in typeshed
        """The encoding of the stream."""
        return self._stream.encoding or "utf-8"

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # as above
        """How the stream treats characters that it cannot encode."""
        return self._stream.errors


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Guard standard output and standard error."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (cast("TextIO", Guarded(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
