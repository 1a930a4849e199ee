"""The symbol tables of an ELF file and their strings, each read once.

Source: System V gABI, chapter 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from variantbuild.binary.elf import Data, Elf, Section
from variantbuild.binary.elf.tables import Regions, Strings

_SYMBOL_64, _SYMBOL_32 = struct.Struct("<IBBHQQ"), struct.Struct("<IIIBBH")


class SymbolTables:
    """Reads the entries and names of the symbol tables of one file.

    Raises ElfError if tables overlap.
    """

    def __init__(self, data: Data, elf: Elf) -> None:
        self._elf = elf
        self._symbols = Regions(data, "the symbol tables")
        self._string_tables = Regions(data, "the string tables")
        self._strings = Strings(data)
        self._numbers: dict[int, int] = {}
        self._names: dict[int, tuple[str, ...]] = {}

    def entries(self, section: Section) -> Iterator[tuple[int, int, int, int]]:
        """Yield (offset of the name, address or 0 if undefined, size, type) of each symbol."""
        raw = memoryview(self._symbols.read(section.offset, section.size))
        if self._elf.bits == 64:
            for name, info, _, index, address, size in _SYMBOL_64.iter_unpack(
                raw[: len(raw) - len(raw) % _SYMBOL_64.size]
            ):
                yield name, address if index else 0, size, info & 15
            return
        for name, address, size, info, _, index in _SYMBOL_32.iter_unpack(
            raw[: len(raw) - len(raw) % _SYMBOL_32.size]
        ):
            yield name, address if index else 0, size, info & 15

    def strings(self, index: int) -> int:
        """Return the number of the string table in section `index`, an empty one if none is."""
        if index not in self._numbers:
            table = b""
            if 0 < index < len(self._elf.sections):
                section = self._elf.sections[index]
                table = self._string_tables.read(section.offset, section.size)
            self._numbers[index] = self._strings.add(table)
        return self._numbers[index]

    def name(self, number: int, at: int) -> str:
        """Return the string at offset `at` of string table `number`."""
        return self._strings.at(number, at)

    def names(self, index: int) -> tuple[str, ...]:
        """Return the name of every symbol in section `index`, none if it is no symbol table."""
        sections = self._elf.sections
        if not 0 < index < len(sections) or sections[index].entry_size == 0:
            return ()
        if index not in self._names:
            number = self.strings(sections[index].link)
            found = (self.name(number, at) for at, *_ in self.entries(sections[index]))
            self._names[index] = tuple(found)
        return self._names[index]
