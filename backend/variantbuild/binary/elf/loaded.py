"""An ELF file as the loader maps it: segments, dynamic symbols, relocations and entry points.

Only program headers and dynamic entries are read, which the loader uses too: section headers may be
missing or false. Object files, which have no segments, are read by their sections.

Sources: System V gABI chapter 5, the x86-64 psABI (relocation types), the Linux Standard Base
(.eh_frame_hdr), and binutils for DT_GNU_HASH and DT_RELR.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.elf.tables import PT_LOAD, ElfError, Regions, Strings, slice_of

_PT_GNU_EH_FRAME, PT_GNU_STACK = 0x6474E550, 0x6474E551
_STRTAB, _SYMTAB, _STRSZ, _HASH, _GNU_HASH = 5, 6, 10, 4, 0x6FFFFEF5
_RELA, _RELASZ, _JMPREL, _PLTRELSZ, _RELR, _RELRSZ = 7, 8, 23, 2, 36, 35
_INIT, _FINI = 12, 13
_ARRAYS = ((25, 27), (26, 28), (32, 33))
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_FUNC, _IFUNC = 2, 10
_RELATIVE, _IRELATIVE = 8, 37
_DWARF_TABLE = 0x3B  # DW_EH_PE_datarel | DW_EH_PE_sdata4, what every linker writes


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Bytes that are mapped: from `start` to `end` in memory, at `offset` in the file."""

    start: int
    end: int
    offset: int
    executable: bool
    writable: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class DynamicSymbol:
    """An entry of the dynamic symbol table; `address` is 0 if another file defines it."""

    name: str
    address: int
    size: int
    function: bool
    ifunc: bool
    exported: bool


class Loaded:
    """The memory image of one 64-bit little-endian file. Raises ElfError for tables outside it."""

    def __init__(self, data: Data, elf: Elf) -> None:
        self.data, self.elf = data, elf
        self.spans = tuple(sorted(_spans(data, elf), key=lambda each: each.start))
        self._starts = [each.start for each in self.spans]
        self._tags = dict(reversed(elf.dynamic))
        self.pointers: dict[int, int] = {}
        self.names: dict[int, str] = {}
        self.resolvers: dict[int, int] = {}
        self.symbols = tuple(self._symbols())
        self._relocate()

    @property
    def code(self) -> tuple[Span, ...]:
        """The spans that are mapped executable."""
        return tuple(each for each in self.spans if each.executable)

    def span(self, address: int) -> Span | None:
        """Return the mapped span that contains `address`."""
        at = bisect_right(self._starts, address) - 1
        found = self.spans[at] if at >= 0 else None
        return found if found is not None and address < found.end else None

    def read(self, address: int, size: int) -> bytes:
        """Return up to `size` bytes at `address`; fewer at the end of the file's contents."""
        span = self.span(address)
        if span is None or size <= 0:
            return b""
        offset = span.offset + address - span.start
        return bytes(self.data[offset : offset + min(size, span.end - address)])

    def is_code(self, address: int) -> bool:
        """Return whether `address` is mapped executable, with contents of the file."""
        span = self.span(address)
        return span is not None and span.executable

    def initializers(self) -> Iterator[tuple[int, str]]:
        """Yield (address, kind) of the functions that run when the file is loaded or unloaded."""
        for tag, kind in ((_INIT, "DT_INIT"), (_FINI, "DT_FINI")):
            if self._tags.get(tag):
                yield self._tags[tag], kind
        for (tag, size_tag), kind in zip(
            _ARRAYS, ("constructor", "destructor", "constructor"), strict=True
        ):
            start = self._tags.get(tag, 0)
            raw = self.read(start, self._tags.get(size_tag, 0) if start else 0)
            for i in range(len(raw) // 8):
                stored: int = struct.unpack_from("<Q", raw, 8 * i)[0]
                address = self.pointers.get(start + 8 * i, stored)
                if self.is_code(address):
                    yield address, kind

    def entry(self) -> int:
        """Return the entry point of an executable; 0 if the file is a library."""
        raw = bytes(self.data[24:32])
        address: int = struct.unpack("<Q", raw)[0] if len(raw) == 8 else 0
        return address if self.is_code(address) else 0

    def unwind_spans(self) -> Iterator[tuple[int, int]]:
        """Yield (start, size) of the functions that .eh_frame_hdr lists; size 0 if unknown."""
        header = next((s for s in self.elf.segments if s.type == _PT_GNU_EH_FRAME), None)
        if header is None or header.size < 12:
            return
        raw = slice_of(self.data, header.offset, header.size, "the unwind table")
        if raw[0] != 1 or raw[2] != 3 or raw[3] != _DWARF_TABLE:
            return
        count: int = struct.unpack_from("<I", raw, 8)[0]
        for start, frame in struct.iter_unpack("<ii", raw[12 : 12 + 8 * min(count, len(raw) // 8)]):
            at = header.address + frame
            span = self.span(at)
            if span is None or at + 16 > span.end:
                continue
            offset = span.offset + at - span.start
            begin, size = struct.unpack("<iI", bytes(self.data[offset + 8 : offset + 16]))
            # Only the encoding that compilers use (relative to the field's own address) has a size.
            known = at + 8 + begin == header.address + start
            yield header.address + start, size if known else 0

    def _symbols(self) -> Iterator[DynamicSymbol]:
        table, strings_at = self._tags.get(_SYMTAB), self._tags.get(_STRTAB)
        if table is None or strings_at is None:
            return
        raw = self.read(table, _SYMBOL.size * self._symbol_count(table, strings_at))
        texts = Strings(self.data)
        number = texts.add(self.read(strings_at, self._tags.get(_STRSZ, 0)))
        whole = raw[: len(raw) - len(raw) % _SYMBOL.size]
        for name, info, other, index, address, size in _SYMBOL.iter_unpack(whole):
            yield DynamicSymbol(
                name=texts.at(number, name),
                address=address if index else 0,
                size=size,
                function=info & 15 in (_FUNC, _IFUNC),
                ifunc=info & 15 == _IFUNC,
                exported=bool(index) and info >> 4 != 0 and other & 3 in (0, 3),
            )

    def _symbol_count(self, table: int, strings: int) -> int:
        if _HASH in self._tags:
            raw = self.read(self._tags[_HASH], 8)
            return int(struct.unpack("<II", raw)[1]) if len(raw) == 8 else 0
        if _GNU_HASH in self._tags and (found := self._gnu_count(self._tags[_GNU_HASH])):
            return found
        # Linkers put the strings right behind the symbols.
        return max(0, strings - table) // _SYMBOL.size

    def _gnu_count(self, at: int) -> int:
        head = self.read(at, 16)
        if len(head) < 16:
            return 0
        buckets, first, bloom, _ = struct.unpack("<IIII", head)
        raw = self.read(at + 16 + 8 * bloom, 4 * buckets)
        last = max(
            (each for (each,) in struct.iter_unpack("<I", raw[: len(raw) // 4 * 4])), default=0
        )
        if last < first:
            return int(first)
        chain = at + 16 + 8 * bloom + 4 * buckets + 4 * (last - first)
        while (raw := self.read(chain, 4)) and len(raw) == 4 and not raw[0] & 1:
            chain, last = chain + 4, last + 1
        return int(last) + 1

    def _relocate(self) -> None:
        regions = Regions(self.data, "the relocations")
        if not self.elf.segments:
            return
        for tag, size_tag in ((_RELA, _RELASZ), (_JMPREL, _PLTRELSZ)):
            for where, info, addend in _RELOCATION.iter_unpack(self._table(regions, tag, size_tag)):
                kind, index = info & 0xFFFFFFFF, info >> 32
                if kind == _RELATIVE:
                    self.pointers[where] = addend & (1 << 64) - 1
                elif kind == _IRELATIVE:
                    self.resolvers[where] = addend
                elif 0 < index < len(self.symbols):
                    symbol = self.symbols[index]
                    self.names[where] = symbol.name
                    if symbol.ifunc and symbol.address:
                        self.resolvers[where] = symbol.address
                    elif symbol.address:
                        self.pointers[where] = symbol.address + addend
        most = len(self.data) // 8
        for place in self._packed(self._table(regions, _RELR, _RELRSZ, 8)):
            most -= 1
            if most < 0:
                raise ElfError("the packed relocations of the ELF file overlap")
            raw = self.read(place, 8)
            if len(raw) == 8:
                self.pointers[place] = struct.unpack("<Q", raw)[0]

    def _table(self, regions: Regions, tag: int, size_tag: int, entry: int = 24) -> bytes:
        span = self.span(self._tags.get(tag, 0)) if self._tags.get(tag) else None
        if span is None:
            return b""
        at = self._tags[tag]
        size = min(self._tags.get(size_tag, 0), span.end - at)
        return regions.read(span.offset + at - span.start, size // entry * entry)

    @staticmethod
    def _packed(raw: bytes) -> Iterator[int]:
        at = 0
        for (entry,) in struct.iter_unpack("<Q", raw):
            if not entry & 1:
                yield entry
                at = entry + 8
                continue
            yield from (at + 8 * i for i in range(63) if entry >> (i + 1) & 1)
            at += 63 * 8


def _spans(data: Data, elf: Elf) -> Iterator[Span]:
    loads = [each for each in elf.segments if each.type == PT_LOAD]
    for each in loads:
        size = min(each.size, each.memory, max(0, len(data) - each.offset))
        if size:
            yield Span(
                start=each.address,
                end=each.address + size,
                offset=each.offset,
                executable=each.executable,
                writable=bool(each.flags & 2),
            )
    if elf.segments:
        return
    at = 0
    for section in elf.sections:
        size = min(section.size, max(0, len(data) - section.offset))
        if section.flags & 2 and size:
            # Sections of an object file all begin at 0: they are put behind each other.
            yield Span(
                start=at,
                end=at + size,
                offset=section.offset,
                executable=section.executable,
                writable=bool(section.flags & 1),
            )
            at += -(-size // 4096) * 4096 + 4096
