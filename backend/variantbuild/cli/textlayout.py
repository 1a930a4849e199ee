"""Layout of text on a terminal: width of characters, wrapping by words, columns, long names.

Pure: the width is an argument. A word is never broken, so that paths and commands can be copied;
where the reader only has to recognise a name, `shorten` leaves out its middle.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from variantbuild.cli.guard import RESET

#: Colours, which take no room.
_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
#: The interpreter and platform in the name of an extension module.
_ABI = re.compile(r"\.(?:cpython-|cp\d|abi3|pypy)[\w-]*\.(so|pyd)$")
#: What a column needs at least to show a shortened name.
_NAME_WIDTH = 20
#: Up to this width a cell is not wrapped: `ISA note`, `8 members`.
_TEXT_WIDTH = 10
_GAP = 2


def visible_width(text: str) -> int:
    """Return how many columns `text` takes: two for wide characters, none for colours."""
    plain = _ESCAPES.sub("", text)
    if plain.isascii():
        return len(plain)
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in plain)
    marks = sum(unicodedata.combining(each) != 0 for each in plain)
    return len(plain) + wide - marks


def shorten(text: str, width: int) -> str:
    """Return `text` with its middle left out if it takes more than `width` columns.

    What the names of extension modules have in common goes first: `_core.cpython-311-….so`. Of what
    is left, more of the end is kept than of the beginning.
    """
    if visible_width(text) <= width:
        return text
    text = _ABI.sub(r"….\1", text)
    if visible_width(text) <= width:
        return text
    if width <= 1:
        return "…"[:width]
    head = (width - 1) // 3
    tail = width - 1 - head
    start, end = text[:head], text[len(text) - tail :]
    while visible_width(start) + visible_width(end) > width - 1:
        start, end = (start, end[1:]) if end else (start[:-1], end)
    return f"{start}…{end}"


def cut(text: str, width: int) -> str:
    """Return the beginning of `text` that fits into `width` columns."""
    while visible_width(text) > width:
        text = text[:-1]
    return text


def wrap_words(text: str, width: int) -> list[str]:
    """Return the lines of `text`, wrapped at spaces to `width` columns where its words allow it.

    Each line of the text keeps its own indent.
    """
    return _closed(_wrap(text, width))


def _wrap(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in text.split("\n"):
        indent = re.match(r" *", line)
        current = "" if indent is None else indent[0]
        empty = True
        for word in line.split():
            room = visible_width(current) + (not empty) + visible_width(word)
            if not empty and room > width:
                lines.append(current)
                current, empty = ("" if indent is None else indent[0]), True
            current += word if empty else f" {word}"
            empty = False
        lines.append(current)
    return lines


def _closed(lines: list[str]) -> list[str]:
    """Return lines in which a colour that spans several ends with each and begins with the next."""
    closed, opened = [], ""
    for line in lines:
        text = opened + line
        codes = _ESCAPES.findall(text)
        opened = codes[-1] if codes and codes[-1] != RESET else ""
        closed.append(text + (RESET if opened else ""))
    return closed


def hang(text: str, width: int | None, *, indent: str = "    ") -> str:
    """Return `text` wrapped to `width` columns, with `indent` before all but the first lines.

    `width` is None where nothing is to be wrapped. Each line of `text` is a paragraph: what is
    wrapped of it is indented by its own indent as well.
    """
    if width is None:
        return text
    lines: list[str] = []
    for line in text.split("\n"):
        own = line[: len(line) - len(line.lstrip(" "))]
        if visible_width(line) <= width:
            lines.append(line)
            continue
        first, *_ = _wrap(line, width)
        lines.append(first)
        taken = len(first.split())
        rest = " ".join(line.split()[taken:])
        room = max(width - len(own + indent), 20)
        lines += [own + indent + each for each in _wrap(rest, room)] if rest else []
    return "\n".join(_closed(lines))


def lay_out(
    rows: Sequence[Sequence[str]], width: int | None, *, names: Collection[int] = ()
) -> list[int]:
    """Return the width of each column of `rows` so that all fit into `width`, if they can.

    The widest columns are narrowed first, down to their longest word; last those in `names`, which
    hold names that may be shortened.
    """
    count = max(map(len, rows), default=0)
    cells = [[row[i] for row in rows if i < len(row)] for i in range(count)]
    widths = [max(map(visible_width, column)) for column in cells]
    if width is None:
        return widths
    least = [
        min(widths[i], _NAME_WIDTH)
        if i in names
        else max([min(widths[i], _TEXT_WIDTH), *map(visible_width, " ".join(column).split())])
        for i, column in enumerate(cells)
    ]
    if count:
        # A very long word in the last column goes beyond the edge, and squeezes no other column.
        least[-1] = min(least[-1], width // 2)
    room = width - _GAP * (count - 1)
    while sum(widths) > room:
        spare = {i: widths[i] - least[i] for i in range(count) if widths[i] > least[i]}
        if not spare:
            break
        # Text can be wrapped without any loss, so it makes room first.
        widest = max(spare, key=lambda i: (i not in names, spare[i]))
        widths[widest] -= 1
    return widths


def fits(rows: Sequence[Sequence[str]], width: int, *, names: Collection[int] = ()) -> bool:
    """Return whether the columns of `rows` have room side by side in `width` columns."""
    widths = lay_out(rows, width, names=names)
    return sum(widths) + _GAP * (len(widths) - 1) <= width


def stack_rows(
    rows: Sequence[Sequence[str]], width: int, *, indent: int = 0, names: Collection[int] = ()
) -> str:
    """Return `rows` for a terminal that is too narrow for columns: the cells of each below one
    another, those after the first with an indent.
    """
    lines = []
    for row in rows:
        for i, cell in enumerate(row):
            own = " " * (indent + (_GAP if i else 0))
            room = width - len(own)
            text = shorten(cell, room) if i in names else cell
            lines += [own + line for line in wrap_words(text, room) if line.strip()]
    return "\n".join(lines)


def render_rows(
    rows: Sequence[Sequence[str]],
    width: int | None,
    *,
    indent: int = 0,
    names: Collection[int] = (),
) -> str:
    """Return `rows` in aligned columns, each cell wrapped by words; the last one is not padded."""
    if not rows:
        return ""
    widths = lay_out(rows, None if width is None else width - indent, names=names)
    lines = []
    for row in rows:
        wrapped = [
            [shorten(cell, widths[i])] if i in names else wrap_words(cell, widths[i])
            for i, cell in enumerate(row)
        ]
        if width is None:
            wrapped = [[cell] for cell in row]
        for k in range(max(map(len, wrapped))):
            parts = [part[k] if k < len(part) else "" for part in wrapped]
            padded = [
                each + " " * (widths[i] - visible_width(each)) for i, each in enumerate(parts[:-1])
            ]
            lines.append((" " * indent + (" " * _GAP).join([*padded, parts[-1]])).rstrip())
    return "\n".join(lines)
