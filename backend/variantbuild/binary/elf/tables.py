"""The tables of an ELF file as raw values: section headers, program headers, dynamic entries.

Source: System V gABI, chapters 4 and 5. Only slices of the data are taken, and every table is
bounded by the data's length. Tables of a hostile file may share their bytes, so that a copy of each
would take memory without limit: `Regions` and `Strings` bound all copies together.
"""

from __future__ import annotations

import struct
import sys
from typing import Protocol

from variantbuild.errors import VariantBuildError
from variantbuild.values import dataclass

PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_GNU_PROPERTY = 1, 2, 3, 4, 0x6474E553
SHT_NOTE, SHT_NOBITS = 7, 8

#: More headers than any module has; a file of headers only would take ten times its size.
_MOST_SECTIONS = 1 << 17
_MOST_SEGMENTS = 1 << 12
#: How much more text than its own size the strings of a file may have, in bytes: linkers let a
#: string share the end of a longer one.
_SHARED_TEXT = 1 << 20
_EMPTY = sys.getsizeof("")


class ElfError(VariantBuildError):
    """The file begins like an ELF file, but is malformed or truncated."""


class Data(Protocol):
    """Bytes that can be sliced: bytes, memoryview, or a reader that inflates on demand."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice[int, int, None], /) -> bytes | memoryview: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One section header; `offset` and `size` in bytes of the file (`size` is 0 for .bss)."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    entry_size: int

    @property
    def executable(self) -> bool:
        """Return whether the section contains instructions (SHF_EXECINSTR)."""
        return bool(self.flags & 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One program header: `offset` and `size` in the file, `memory` its size when loaded, in bytes.

    `flags` are 1 for executable, 2 writable, 4 readable.
    """

    type: int
    flags: int
    address: int
    offset: int
    size: int
    memory: int
    align: int

    @property
    def executable(self) -> bool:
        """Return whether the segment is mapped executable."""
        return self.type == PT_LOAD and bool(self.flags & 1)


def slice_of(data: Data, offset: int, size: int, what: str) -> bytes:
    """Return `size` bytes at `offset`; raises ElfError with `what` if they are not in the file."""
    if offset < 0 or size < 0 or offset + size > len(data):
        raise ElfError(f"{what} is outside of the ELF file")
    return bytes(data[offset : offset + size])


class Regions:
    """The regions of a file that tables of one kind occupy, such as all its symbol tables.

    They do not overlap in a file that a linker wrote, and so are not larger than the file.
    """

    def __init__(self, data: Data, what: str) -> None:
        self._data, self._what = data, what
        self._left = len(data)

    def read(self, offset: int, size: int) -> bytes:
        """Return a copy of one region; raises ElfError if all of them exceed the file."""
        self._left -= max(size, 0)
        if self._left < 0:
            raise ElfError(f"{self._what} of the ELF file overlap")
        return slice_of(self._data, offset, size, self._what)


class Strings:
    """The strings of a file's tables, each decoded once.

    Raises ElfError if they overlap so much that together they are longer than the file.
    """

    def __init__(self, data: Data) -> None:
        self._left = len(data) + _SHARED_TEXT
        self._tables: list[bytes] = []
        self._found: dict[tuple[int, int], str] = {}

    def add(self, table: bytes) -> int:
        """Add a string table and return its number."""
        self._tables.append(table)
        return len(self._tables) - 1

    def at(self, number: int, offset: int) -> str:
        """Return the string at `offset` of table `number`, empty if that is outside."""
        found = self._found.get((number, offset))
        if found is not None:
            return found
        found = string_at(self._tables[number], offset)
        self._left -= sys.getsizeof(found) - _EMPTY
        if self._left < 0:
            raise ElfError("the strings of the ELF file overlap")
        self._found[number, offset] = found
        return found


def parse_sections(
    data: Data, order: str, bits: int, offset: int, entry: int, count: int, names_at: int
) -> tuple[Section, ...]:
    """Read `count` section headers of `entry` bytes at `offset`; names are in section `names_at`.

    `order` is the byte order as struct writes it, `bits` 32 or 64. Raises ElfError for headers that
    are too short or outside of the file.
    """
    if not offset:
        return ()
    form = struct.Struct(order + ("IIQQQQIIQQ" if bits == 64 else "IIIIIIIIII"))
    if entry < form.size:
        raise ElfError(f"the section headers of the ELF file are {entry} bytes long each")
    first = form.unpack(slice_of(data, offset, form.size, "the section table"))
    # gABI: counts that do not fit 16 bits are in the first, unused header.
    count = count or first[5]
    names_at = first[6] if names_at == 0xFFFF else names_at
    _refuse_many(count, _MOST_SECTIONS, "sections")
    raw = slice_of(data, offset, count * entry, "the section table")
    headers = (form.unpack_from(raw, i * entry) for i in range(count))
    strings, names = Strings(data), b""
    if 0 < names_at < count:
        at, size = form.unpack_from(raw, names_at * entry)[4:6]
        names = slice_of(data, at, size, "the names of sections")
    table = strings.add(names)
    return tuple(
        Section(
            name=strings.at(table, h[0]),
            type=h[1],
            flags=h[2],
            address=h[3],
            offset=h[4],
            size=0 if h[1] == SHT_NOBITS else h[5],
            link=h[6],
            entry_size=h[9],
        )
        for h in headers
    )


def parse_segments(
    data: Data, order: str, bits: int, offset: int, entry: int, count: int
) -> tuple[Segment, ...]:
    """Read `count` program headers of `entry` bytes at `offset`.

    `order` and `bits` as in `parse_sections`. Raises ElfError for headers that are too short.
    """
    if not offset or not count:
        return ()
    form = struct.Struct(order + ("IIQQQQQQ" if bits == 64 else "IIIIIIII"))
    if entry < form.size:
        raise ElfError(f"the program headers of the ELF file are {entry} bytes long each")
    _refuse_many(count, _MOST_SEGMENTS, "program headers")
    raw = slice_of(data, offset, count * entry, "the program header table")
    found = []
    for i in range(count):
        h = form.unpack_from(raw, i * entry)
        if bits == 64:
            kind, flags, at, address, _, size, memory, align = h
        else:
            kind, at, address, _, size, memory, flags, align = h
        found.append(
            Segment(
                type=kind,
                flags=flags,
                address=address,
                offset=at,
                size=size,
                memory=memory,
                align=align,
            )
        )
    return tuple(found)


def parse_dynamic(
    data: Data, order: str, bits: int, segments: tuple[Segment, ...]
) -> tuple[tuple[int, int], ...]:
    """Read the (tag, value) pairs of the dynamic segment up to DT_NULL."""
    segment = next((each for each in segments if each.type == PT_DYNAMIC), None)
    if segment is None:
        return ()
    raw = slice_of(data, segment.offset, segment.size, "the dynamic section")
    form = struct.Struct(order + ("qQ" if bits == 64 else "iI"))
    pairs: list[tuple[int, int]] = []
    for tag, value in form.iter_unpack(raw[: len(raw) - len(raw) % form.size]):
        if tag == 0:
            break
        pairs.append((tag, value))
    return tuple(pairs)


def _refuse_many(count: int, most: int, what: str) -> None:
    if count > most:
        raise ElfError(f"the ELF file has {count} {what}, more than {most}")


def string_at(table: bytes, at: int) -> str:
    """Return the C string at offset `at` of a string table, empty if that is outside."""
    if not 0 <= at < len(table):
        return ""
    end = table.find(b"\0", at)
    return table[at : len(table) if end < 0 else end].decode("utf-8", "replace")
