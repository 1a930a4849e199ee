"""Messages to the user of a build: the reporter that stages receive, and the one that prints."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol, cast

from variantbuild.values import dataclass

#: Names the file in which hooks record their messages; set by `variantbuild build`.
MESSAGES_VARIABLE = "_VARIANTBUILD_MESSAGES"

Kind = Literal["note", "warning", "error"]


class Reporter(Protocol):
    """Receives what a stage tells the user while it works."""

    def note(self, message: str) -> None:
        """Report something that the user may want to know."""

    def warning(self, message: str) -> None:
        """Report a problem that does not stop the work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One message, as it is recorded in a file: a line of JSON."""

    kind: Kind
    text: str

    @classmethod
    def parse(cls, line: str) -> Message:
        """Parse one line of the file; raises ValueError if it is not a message."""
        import json

        record = cast("object", json.loads(line))
        if not isinstance(record, list) or len(record) != 2:
            raise ValueError(f"not a message: {line!r}")
        kind, text = cast("list[object]", record)
        if kind not in ("note", "warning", "error") or not isinstance(text, str):
            raise ValueError(f"not a message: {line!r}")
        return cls(kind=kind, text=text)

    def __str__(self) -> str:
        import json

        return json.dumps([self.kind, self.text])


class StderrReporter:
    """Prints each message as one line on standard error, where front ends show or keep it.

    Where `env` names a file for messages, each is recorded there as well.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._record = env.get(MESSAGES_VARIABLE)

    def note(self, message: str) -> None:
        """Print a `note` line."""
        self._report(Message(kind="note", text=message))

    def warning(self, message: str) -> None:
        """Print a `warning` line."""
        self._report(Message(kind="warning", text=message))

    def error(self, message: str) -> None:
        """Print an `error` line."""
        self._report(Message(kind="error", text=message))

    def _report(self, message: Message) -> None:
        line = f"variantbuild: {message.kind}: {printable(message.text)}"
        print(for_encoding(line, sys.stderr.encoding), file=sys.stderr, flush=True)
        if self._record:
            # A build does not fail because its messages cannot be recorded.
            with contextlib.suppress(OSError), Path(self._record).open("a", encoding="utf-8") as f:
                f.write(f"{message}\n")


def printable(text: str) -> str:
    """Return `text` with escapes for what is not printable, except for line breaks and tabs.

    Names in wheels, settings and the output of compilers come from others: a terminal would obey
    their control characters, and show text in another order than it has. A byte of a file name that
    is not UTF-8 is shown as `\\xff`. Everything that is printed goes through this function.
    """
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in "\n\t" else _escape(each) for each in text)


def for_encoding(text: str, encoding: str | None) -> str:
    """Return `text` with escapes for the characters that `encoding` does not have."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ascii(character)[1:-1]


def read_messages(path: Path) -> tuple[Message, ...]:
    """Return the messages that hooks recorded in the file `path`, none if there is no such file."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return ()
    return tuple(Message.parse(line) for line in lines)
