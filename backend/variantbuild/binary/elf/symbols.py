"""Reads the functions of an ELF file, with bounds and names, and the slots that relocations fill.

Function bounds come from the symbol tables, and in stripped files from the unwind table
(.eh_frame_hdr), which compilers write for every function.

Sources: System V gABI (symbols, relocations), the Linux Standard Base (.eh_frame_hdr), and the
x86-64 and AArch64 psABIs (relocation types).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from variantbuild.binary.elf import Data, Elf, Section
from variantbuild.binary.elf.loaded import Loaded
from variantbuild.binary.elf.symboltables import SymbolTables
from variantbuild.binary.elf.tables import PT_LOAD, ElfError, Regions, slice_of

_SHT_RELA, _SHT_RELR, _SHT_SYMTAB, _SHT_DYNSYM = 4, 19, 2, 11
_STT_OBJECT, _STT_FUNC, _STT_IFUNC = 1, 2, 10
_FUNCTIONS = frozenset({_STT_FUNC, _STT_IFUNC})
_RELATIVE = {"x86_64": 8, "aarch64": 1027}
_IRELATIVE = {"x86_64": 37, "aarch64": 1032}
_DWARF_TABLE = 0x3B  # DW_EH_PE_datarel | DW_EH_PE_sdata4, what every linker writes


@dataclass(frozen=True, kw_only=True, slots=True)
class Symbol:
    """A named address; with `ifunc` the loader calls a resolver to get it."""

    name: str
    address: int
    size: int
    function: bool
    ifunc: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """The functions of a file by address: sorted `starts`, their `ends`, and names."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    names: dict[int, str]

    def locate(self, address: int) -> int:
        """Return the start of the function that contains `address`; -1 if none does."""
        at = bisect_right(self.starts, address) - 1
        return self.starts[at] if at >= 0 and address < self.ends[at] else -1

    def end(self, start: int) -> int:
        """Return where the function at `start` ends."""
        return self.ends[bisect_right(self.starts, start) - 1]

    def name(self, start: int) -> str:
        """Return the function's name, or its address if the file is stripped."""
        return self.names.get(start, f"function at {start:#x}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Slots:
    """Slots that the loader fills: `names` maps them to symbols, `values` to addresses."""

    names: dict[int, str]
    values: dict[int, int]
    irelative: bool


def read_symbols(data: Data, elf: Elf) -> tuple[Symbol, ...]:
    """Return the named symbols of .symtab and .dynsym that have an address here."""
    found: dict[tuple[str, int], Symbol] = {}
    tables = SymbolTables(data, elf)
    for section in _symbol_tables(elf):
        strings = tables.strings(section.link)
        for at, address, size, kind in tables.entries(section):
            name = tables.name(strings, at) if address else ""
            if name:
                found[name, address] = Symbol(
                    name=name,
                    address=address,
                    size=size,
                    function=kind in _FUNCTIONS,
                    ifunc=kind == _STT_IFUNC,
                )
    return tuple(found.values())


def exported_functions(data: Data, elf: Elf) -> tuple[str, ...]:
    """Return the names of the functions in .dynsym that have an address here, sorted."""
    found: set[str] = set()
    tables = SymbolTables(data, elf)
    for section in elf.sections:
        if section.type == _SHT_DYNSYM:
            strings = tables.strings(section.link)
            for at, address, _, kind in tables.entries(section):
                if address and kind in _FUNCTIONS:
                    found.add(tables.name(strings, at))
    return tuple(sorted(found))


def read_bounds(data: Data, elf: Elf) -> Bounds:
    """Combine the functions of the symbol tables with those of the unwind table.

    Names are not read: they are not needed for most files.
    """
    spans = dict(_unwind_spans(data, elf))
    tables = SymbolTables(data, elf)
    for section in _symbol_tables(elf):
        for _, address, size, kind in tables.entries(section):
            if address and kind in _FUNCTIONS:
                # A symbol without a size (hand-written assembly) ends where the next one starts.
                spans[address] = max(size, spans.get(address, 0))
    return _bounds(spans)


def _bounds(spans: dict[int, int]) -> Bounds:
    starts = tuple(sorted(spans))
    ends = []
    for i, start in enumerate(starts):
        following = starts[i + 1] if i + 1 < len(starts) else start + max(spans[start], 1)
        ends.append(min(start + spans[start], following) if spans[start] else following)
    return Bounds(starts=starts, ends=tuple(ends), names={})


def combine_bounds(data: Data, elf: Elf, image: Loaded) -> Bounds:
    """Return the functions that the loader's tables show, and those of the symbol table."""
    spans = dict(image.unwind_spans())
    for symbol in image.symbols:
        if symbol.address and symbol.function:
            spans[symbol.address] = max(symbol.size, spans.get(symbol.address, 0))
    tables = SymbolTables(data, elf)
    for section in _symbol_tables(elf):
        for _, address, size, kind in tables.entries(section):
            if address and kind in _FUNCTIONS:
                spans[address] = max(size, spans.get(address, 0))
    if not elf.segments:
        # Addresses in an object file are relative to its sections.
        spans = {}
    code = image.code
    inside = {a: size for a, size in spans.items() if any(s.start <= a < s.end for s in code)}
    return _bounds(inside)


def read_objects(data: Data, elf: Elf) -> dict[int, int]:
    """Return the sizes of variables by their address, as the symbol tables have them."""
    found: dict[int, int] = {}
    tables = SymbolTables(data, elf)
    for section in _symbol_tables(elf):
        for _, address, size, kind in tables.entries(section):
            if address and size and kind in (0, _STT_OBJECT):
                found[address] = max(size, found.get(address, 0))
    return found


def with_names(bounds: Bounds, symbols: tuple[Symbol, ...]) -> Bounds:
    """Return `bounds` with the names of its functions."""
    names: dict[int, str] = {}
    for symbol in symbols:
        if symbol.function:
            names.setdefault(symbol.address, symbol.name)
    return replace(bounds, names=names)


def read_slots(data: Data, elf: Elf) -> Slots:
    """Return what the relocations write: symbols by name, and addresses in this file."""
    names: dict[int, str] = {}
    values: dict[int, int] = {}
    irelative = False
    form = struct.Struct("<QQq")
    tables = SymbolTables(data, elf)
    relocations = Regions(data, "the relocations")
    for section in elf.sections:
        if section.type == _SHT_RELR:
            packed = relocations.read(section.offset, section.size)
            values.update(_packed_relative(data, elf, packed, len(data) // 8 - len(values)))
        if section.type != _SHT_RELA or not section.flags & 2 or elf.bits != 64:
            continue
        symbols = tables.names(section.link)
        raw = memoryview(relocations.read(section.offset, section.size))
        for offset, info, addend in form.iter_unpack(raw[: len(raw) - len(raw) % form.size]):
            kind, symbol = info & 0xFFFFFFFF, info >> 32
            if kind == _RELATIVE.get(elf.machine):
                values[offset] = addend
            elif kind == _IRELATIVE.get(elf.machine):
                irelative = True
            elif 0 < symbol < len(symbols):
                names[offset] = symbols[symbol]
    return Slots(names=names, values=values, irelative=irelative)


def initializers(data: Data, elf: Elf, slots: Slots) -> Iterator[int]:
    """Yield the addresses of functions that run when the file is loaded (DT_INIT, .init_array)."""
    tags = dict(elf.dynamic)
    if 12 in tags:
        yield tags[12]
    section = elf.section(".init_array")
    if section is None:
        return
    raw = slice_of(data, section.offset, section.size, section.name)
    for i in range(len(raw) // 8):
        stored: int = struct.unpack_from("<Q", raw, 8 * i)[0]
        yield slots.values.get(section.address + 8 * i, stored)


def _symbol_tables(elf: Elf) -> Iterator[Section]:
    yield from (each for each in elf.sections if each.type in (_SHT_SYMTAB, _SHT_DYNSYM))


def _packed_relative(data: Data, elf: Elf, raw: bytes, most: int) -> Iterator[tuple[int, int]]:
    """Unpack SHT_RELR, at most `most` words: an address, then bitmaps of the 63 words after it.

    Raises ElfError for more words than the file contains.
    """
    loads = sorted(
        (s.address, s.address + s.size, s.offset) for s in elf.segments if s.type == PT_LOAD
    )
    at = 0
    for (entry,) in struct.iter_unpack("<Q", raw[: len(raw) - len(raw) % 8]):
        places = [entry] if not entry & 1 else []
        if entry & 1:
            places = [at + 8 * i for i in range(63) if entry >> (i + 1) & 1]
        at = entry + 8 if not entry & 1 else at + 63 * 8
        most -= len(places)
        if most < 0:
            raise ElfError("the packed relocations of the ELF file overlap")
        for place in places:
            index = bisect_right(loads, (place, 1 << 65, 0)) - 1
            start, end, offset = loads[index] if index >= 0 else (0, 0, 0)
            offset += place - start
            if start <= place < end and offset + 8 <= len(data):
                yield place, struct.unpack("<Q", data[offset : offset + 8])[0]


def _unwind_spans(data: Data, elf: Elf) -> Iterator[tuple[int, int]]:
    """Yield (start, size) of the functions that .eh_frame_hdr lists."""
    header = elf.section(".eh_frame_hdr")
    if header is None or header.size < 12:
        return
    raw = slice_of(data, header.offset, header.size, header.name)
    if raw[0] != 1 or raw[2] != 3 or raw[3] != _DWARF_TABLE:
        return
    count: int = struct.unpack_from("<I", raw, 8)[0]
    frames = elf.section(".eh_frame")
    if frames is None:
        return
    content = slice_of(data, frames.offset, frames.size, frames.name)
    for i in range(min(count, (len(raw) - 12) // 8)):
        start, frame = struct.unpack_from("<ii", raw, 12 + 8 * i)
        at = header.address + frame - frames.address
        if not 0 <= at <= len(content) - 16:
            continue
        begin, size = struct.unpack_from("<iI", content, at + 8)
        # Only the encoding that compilers use (relative to the field's own address) gives a size.
        known = frames.address + at + 8 + begin == header.address + start
        yield header.address + start, size if known else 0
