"""Header lines of METADATA and WHEEL, found and replaced in the bytes.

The text is not parsed and written back by Python's mail package, which damages `From ` at the start
of a line, CRLF and the encoding. The headers end where they end for the mail parser of installers:
at the first blank line, or at the first line that is not a header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from variantbuild.wheel.distinfo.text import decode_text
from variantbuild.wheel.unsound import UnsoundWheelError

_HEADER = re.compile(rb"([!-9;-~]+):[ \t]*")
#: Headers that must not follow a line at which one parser stops and another continues.
_DECISIVE = (
    rb"(?:^|[\r\n])(?:metadata-version|name|version|requires-(?:dist|python)|provides-extra"
    rb"|wheel-version|root-is-purelib|tag|build)[ \t]*:"
)
#: More header lines than any wheel has: bounds the cost of a text with many empty headers.
MAX_HEADERS = 20_000
_BLANK = rb"\n\r?\n"
_BLANK_LINE = re.compile(rb"\r?(?:\n|\Z)")
#: The end of a header: of its last line if it is folded, which a line that begins with white space
#: continues (RFC 5322, 2.2.3).
_LAST_END = re.compile(rb"\n(?![ \t])")
_BARE_RETURN = re.compile(rb"\r(?!\n|\Z)")


class HeaderLine(NamedTuple):
    """One header: `name` in lower case, `value` without the white space around it.

    `[start, end)` are the bytes of the whole line with its end and its continuation lines,
    `[value_start, value_end)` those of the value.
    """

    name: str
    value: str
    start: int
    end: int
    value_start: int
    value_end: int


class Headers(NamedTuple):
    """The header block of `data`, a member called `member`; `end` is where the block ends."""

    member: str
    data: bytes
    lines: tuple[HeaderLine, ...]
    end: int

    @property
    def newline(self) -> bytes:
        """The line ending of the headers."""
        return b"\r\n" if b"\r\n" in self.data[: self.end] else b"\n"

    def all(self, name: str) -> tuple[HeaderLine, ...]:
        """Return every header called `name`, in order."""
        wanted = name.lower()
        return tuple(line for line in self.lines if line.name == wanted)

    def one(self, name: str) -> HeaderLine:
        """Return the header called `name`; raises UnsoundWheelError unless there is exactly one."""
        found = self.all(name)
        if len(found) != 1:
            count = "no" if not found else "more than one"
            raise UnsoundWheelError(f"it has {count} {name} header", member=self.member)
        return found[0]

    def replaced(
        self,
        changes: Mapping[HeaderLine, bytes | None],
        *,
        insert: Sequence[bytes] = (),
        after: HeaderLine | None = None,
    ) -> bytes:
        """Return the bytes with the values of some lines replaced, or the lines removed (None).

        `insert` are new lines without line endings, inserted after the line `after`, or after the
        last header.
        """
        pieces: list[bytes] = []
        fresh = b"".join(line + self.newline for line in insert)
        at = 0

        def copy_until(stop: int) -> None:
            nonlocal at
            pieces.append(self.data[at:stop])
            at = stop

        for line in self.lines:
            if line in changes:
                value = changes[line]
                copy_until(line.start if value is None else line.value_start)
                pieces.append(value or b"")
                at = line.end if value is None else line.value_end
            if fresh and line == after:
                copy_until(line.end)
                pieces.append(self._separator(pieces) + fresh)
        if fresh and after is None:
            copy_until(self.end)
            pieces.append(self._separator(pieces) + fresh)
        copy_until(len(self.data))
        return b"".join(pieces)

    def _separator(self, pieces: list[bytes]) -> bytes:
        """Return the line ending that the text so far needs: its last line may lack one."""
        last = next((piece for piece in reversed(pieces) if piece), b"\n")
        return b"" if last.endswith(b"\n") else self.newline


def parse_headers(data: bytes, member: str) -> Headers:
    """Find the header lines of `data`, the contents of `member`.

    Raises UnsoundWheelError if the text is not UTF-8 or begins with a byte-order mark, and for text
    that parsers read differently: a bare carriage return or a NUL among the headers, lines that
    Python's parser skips, and headers after a line that is not one.
    """
    decode_text(data, member)
    lines: list[HeaderLine] = []
    at = 0
    while at < len(data) and not _BLANK_LINE.match(data, at):
        match = _HEADER.match(data, at)
        if match is None:
            if data.startswith((b"From ", b":"), at):
                raise UnsoundWheelError("one of its header lines is not a header", member=member)
            _check_border(data, at, member)
            break
        if len(lines) == MAX_HEADERS:
            raise UnsoundWheelError(f"it has more than {MAX_HEADERS} headers", member=member)
        last = _LAST_END.search(data, match.end())
        end = len(data) if last is None else last.end()
        if data.find(b"\0", at, end) >= 0 or _BARE_RETURN.search(data, at, end):
            raise UnsoundWheelError(
                "a header contains a bare carriage return or a NUL", member=member
            )
        lines.append(_header_line(data, match, end))
        at = end
    return Headers(member=member, data=data, lines=tuple(lines), end=at)


def _check_border(data: bytes, at: int, member: str) -> None:
    """Refuse important headers after the line at `at`, which is neither a header nor blank.

    Python's mail parser stops there, that of uv (mailparse) continues to the blank line.
    """
    rest = data[at:]
    blank = re.search(_BLANK, rest)
    if re.search(_DECISIVE, rest[: blank.start()] if blank else rest, re.IGNORECASE):
        raise UnsoundWheelError("headers follow a line that is not a header", member=member)


def _header_line(data: bytes, match: re.Match[bytes], end: int) -> HeaderLine:
    rest = data[match.end() : end]
    value = rest.strip(b" \t\r\n")
    # A folded value may begin on the line after its name.
    start = match.end() + len(rest) - len(rest.lstrip(b" \t\r\n"))
    return HeaderLine(
        name=match[1].decode("ascii").lower(),
        value=value.decode("utf-8"),
        start=match.start(),
        end=end,
        value_start=start,
        value_end=start + len(value),
    )
