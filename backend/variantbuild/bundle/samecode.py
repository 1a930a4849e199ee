"""Compares ELF files by what runs: two levels whose code is the same need only one copy."""

from __future__ import annotations

import hashlib
import struct

from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.elf.tables import PT_LOAD, Regions
from variantbuild.config.canonical import digest_json

_SHF_ALLOC, _SHT_DYNSYM = 2, 11
_SYMBOL = struct.Struct("<IBBHQQ")
#: Differ between levels without a difference in code: notes, build identifiers, and addresses of
#: tables, which shift with the size of a note.
_IGNORED = (".note", ".dynamic", ".gnu.build.attributes")
#: Entries of the dynamic section that are not addresses or sizes: DT_FLAGS and DT_FLAGS_1.
_FLAGS = (30, 0x6FFFFFFB)


def digest_code(elf: Elf, data: Data) -> str:
    """Return a digest of what the loader maps from an ELF file and of what it links.

    Debug information, recorded compiler flags, symbol tables that are not loaded and notes (the ISA
    note among them) do not count.
    """
    digest = hashlib.sha256()
    regions = Regions(data, "the sections")
    for section in elf.sections:
        if section.flags & _SHF_ALLOC and not section.name.startswith(_IGNORED):
            digest.update(f"{section.name}\0{section.type}\0{section.flags}\0".encode())
            content = regions.read(section.offset, section.size)
            digest.update(_unnumbered(content) if section.type == _SHT_DYNSYM else content)
    zeroed = [each.memory - each.size for each in elf.segments if each.type == PT_LOAD]
    flags = [pair for pair in elf.dynamic if pair[0] in _FLAGS]
    linked = digest_json([elf.soname, elf.needed, elf.run_paths, sum(zeroed), flags])
    digest.update(linked.encode())
    if not elf.sections:
        digest.update(bytes(data[0 : len(data)]))
    return digest.hexdigest()


def _unnumbered(symbols: bytes) -> bytes:
    """Return a symbol table without the numbers of sections, which a note shifts."""
    whole = symbols[: len(symbols) - len(symbols) % _SYMBOL.size]
    return b"".join(
        _SYMBOL.pack(name, info, other, min(index, 1), address, size)
        for name, info, other, index, address, size in _SYMBOL.iter_unpack(whole)
    )
