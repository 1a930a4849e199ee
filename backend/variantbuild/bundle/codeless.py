"""Writes an ELF file without code: it only makes the loader load other libraries.

`dlsym` on such a file searches the libraries that it requires, so a Python module may consist of
one. No compiler is needed, and the same arguments give the same bytes.

Source: System V gABI, chapters 4 and 5 (headers, dynamic section, hash table).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from variantbuild.binary.choosers import SECTION

#: Alignment of the segments: the largest page size that Linux has for the machine.
_PAGES = {"x86_64": 0x1000, "aarch64": 0x10000}
_MACHINES = {"x86_64": 62, "aarch64": 183}

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_PT_LOAD, _PT_DYNAMIC, _PT_GNU_STACK = 1, 2, 0x6474E551
_PROGBITS, _STRTAB, _HASH, _DYNAMIC, _DYNSYM = 1, 3, 5, 6, 11
_ALLOC, _WRITE = 2, 1
_DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB, _DT_STRSZ, _DT_SYMENT = 1, 4, 5, 6, 10, 11
_DT_SONAME, _DT_RUNPATH = 14, 29
_SYMBOL_SIZE = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A section: its `data` at `offset` in the file and at `address` in memory."""

    name: str
    type: int
    flags: int
    offset: int
    address: int
    data: bytes
    link: str = ""
    align: int = 1
    entry: int = 0
    info: int = 0


def render_codeless(
    machine: str,
    *,
    needed: Sequence[str],
    run_paths: Sequence[str],
    table: bytes,
    soname: str | None = None,
) -> bytes:
    """Return a shared object for `machine` that requires `needed`, found below `run_paths`.

    `table` is the contents of its section for the table of copies. `machine` is archspec's name of
    a 64-bit little-endian architecture.
    """
    strings = _Strings()
    tags = [(_DT_NEEDED, strings.add(name)) for name in needed]
    tags += [] if soname is None else [(_DT_SONAME, strings.add(soname))]
    tags += [(_DT_RUNPATH, strings.add(":".join(run_paths)))] if run_paths else []
    page = _PAGES[machine]
    parts, end = _read_only(strings, table)
    places = {part.name: part.address for part in parts}
    tags += [
        (_DT_HASH, places[".hash"]),
        (_DT_STRTAB, places[".dynstr"]),
        (_DT_SYMTAB, places[".dynsym"]),
        (_DT_STRSZ, len(strings.data)),
        (_DT_SYMENT, _SYMBOL_SIZE),
        (0, 0),
    ]
    dynamic = _Part(
        name=".dynamic",
        type=_DYNAMIC,
        flags=_ALLOC | _WRITE,
        offset=_up(end, 8),
        address=_up(end, 8) + page,
        data=b"".join(struct.pack("<qQ", *tag) for tag in tags),
        link=".dynstr",
        align=8,
        entry=16,
    )
    return _file(machine, [*parts, dynamic], end, page)


class _Strings:
    """A string table that is being filled."""

    def __init__(self) -> None:
        self.data = b"\0"

    def add(self, text: str) -> int:
        at = len(self.data)
        self.data += text.encode() + b"\0"
        return at


def _read_only(strings: _Strings, table: bytes) -> tuple[list[_Part], int]:
    """Return the sections of the first segment, and where it ends."""
    symbols = bytes(_SYMBOL_SIZE)  # the null symbol alone
    hashes = struct.pack("<IIII", 1, 1, 0, 0)
    rows = (
        (".hash", _HASH, hashes, ".dynsym", 8, 4, 0),
        (".dynsym", _DYNSYM, symbols, ".dynstr", 8, _SYMBOL_SIZE, 1),
        (".dynstr", _STRTAB, strings.data, "", 1, 0, 0),
        (SECTION, _PROGBITS, table, "", 1, 0, 0),
    )
    at = _HEADER.size + 4 * _PROGRAM.size
    parts = []
    for name, kind, data, link, align, entry, info in rows:
        at = _up(at, align)
        parts.append(
            _Part(
                name=name,
                type=kind,
                flags=_ALLOC,
                offset=at,
                address=at,
                data=data,
                link=link,
                align=align,
                entry=entry,
                info=info,
            )
        )
        at += len(data)
    return parts, at


def _file(machine: str, parts: Sequence[_Part], end: int, page: int) -> bytes:
    dynamic = parts[-1]
    size = len(dynamic.data)
    names = _Strings()
    listed = [*((part, names.add(part.name)) for part in parts)]
    name_at = names.add(".shstrtab")
    names_offset = dynamic.offset + size
    sections_offset = _up(names_offset + len(names.data), 8)
    numbers = {part.name: number for number, part in enumerate(parts, 1)}
    count = len(parts) + 2
    out = bytearray(sections_offset)
    ident = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    out[: _HEADER.size] = _HEADER.pack(
        ident, 3, _MACHINES[machine], 1, 0, _HEADER.size, sections_offset, 0,
        _HEADER.size, _PROGRAM.size, 4, _SECTION.size, count, count - 1,
    )  # fmt: skip
    programs = (
        (_PT_LOAD, 4, 0, 0, 0, end, end, page),
        (_PT_LOAD, 6, dynamic.offset, dynamic.address, dynamic.address, size, size, page),
        (_PT_DYNAMIC, 6, dynamic.offset, dynamic.address, dynamic.address, size, size, 8),
        (_PT_GNU_STACK, 6, 0, 0, 0, 0, 0, 16),  # without it glibc makes the stack executable
    )
    for number, program in enumerate(programs):
        _PROGRAM.pack_into(out, _HEADER.size + number * _PROGRAM.size, *program)
    for part in parts:
        out[part.offset : part.offset + len(part.data)] = part.data
    out[names_offset : names_offset + len(names.data)] = names.data
    headers = [_SECTION.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]
    headers += [
        _SECTION.pack(
            at, part.type, part.flags, part.address, part.offset, len(part.data),
            numbers.get(part.link, 0), part.info, part.align, part.entry,
        )
        for part, at in listed
    ]  # fmt: skip
    headers.append(_SECTION.pack(name_at, _STRTAB, 0, 0, names_offset, len(names.data), 0, 0, 1, 0))
    return bytes(out) + b"".join(headers)


def _up(at: int, align: int) -> int:
    return -(-at // align) * align
