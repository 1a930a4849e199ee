"""Find the AArch64 instructions beyond the baseline, by masks and values of their words.

A word matches a pattern if each of its four bytes does. So a table of 256 entries for each byte
position lists the patterns that the byte allows, eight patterns a pass, and the four results are
combined for all words of a chunk at once: Python does nothing per instruction.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict, cast

from variantbuild.data import load_table

_ANY = re.compile(rb"[^\0]")
_PASS = 8  # bits of a byte


class _Table(TypedDict):
    promises: dict[str, str]
    linux: dict[str, str]
    patterns: list[list[str]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """An encoding: words for which `word & mask == value`, with the feature and the name."""

    feature: str
    name: str
    mask: int
    value: int


@dataclass(frozen=True, slots=True)
class Patterns:
    """All encodings by the top byte of a word; the first match counts.

    `passes` are the same encodings, eight at a time, as four tables of bits.
    """

    by_top: tuple[tuple[Pattern, ...], ...]
    passes: tuple[tuple[bytes, bytes, bytes, bytes], ...]

    def match(self, word: int) -> Pattern | None:
        """Return the encoding of `word`; None for baseline instructions."""
        return next(
            (each for each in self.by_top[word >> 24] if word & each.mask == each.value), None
        )

    def find(self, raw: bytes) -> Iterator[tuple[int, Pattern]]:
        """Yield (offset, encoding) of the words in `raw` beyond the baseline, in order."""
        raw = raw[: len(raw) // 4 * 4]
        columns = [raw[at::4] for at in range(4)]
        places: set[int] = set()
        for tables in self.passes:
            joined = -1
            for column, table in zip(columns, tables, strict=True):
                joined &= int.from_bytes(column.translate(table), "little")
            if joined:
                found = joined.to_bytes(len(columns[0]), "little")
                places.update(each.start() for each in _ANY.finditer(found))
        for place in sorted(places):
            pattern = self.match(int.from_bytes(raw[4 * place : 4 * place + 4], "little"))
            if pattern is not None:
                yield 4 * place, pattern


@functools.cache
def patterns() -> Patterns:
    """Load the encodings from data/aarch64_instructions.json."""
    rows = _table()["patterns"]
    found = tuple(
        Pattern(feature, name, int(mask, 16), int(value, 16)) for feature, name, mask, value in rows
    )
    passes = tuple(_byte_tables(found[at : at + _PASS]) for at in range(0, len(found), _PASS))
    by_top = tuple(
        tuple(each for each in found if top & each.mask >> 24 == each.value >> 24)
        for top in range(256)
    )
    return Patterns(by_top, passes)


def _byte_tables(some: tuple[Pattern, ...]) -> tuple[bytes, bytes, bytes, bytes]:
    tables = [
        bytes(
            sum(
                1 << bit
                for bit, each in enumerate(some)
                if byte & (each.mask >> shift & 255) == each.value >> shift & 255
            )
            for byte in range(256)
        )
        for shift in (0, 8, 16, 24)
    ]
    return tables[0], tables[1], tables[2], tables[3]


@functools.cache
def _table() -> _Table:
    return cast("_Table", load_table("aarch64_instructions"))
