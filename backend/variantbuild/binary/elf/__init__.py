"""Reads the headers of ELF files: machine, ISA note, recorded flags and required libraries.

Pure and light (struct only, no disassembly), since every build imports it. Only slices of the data
are taken, so any sliceable value with a length works; every loop is bounded by the length of the
data, and malformed data raises `ElfError`. Regions that many headers share are not copied for each.

Sources: System V gABI chapters 4 and 5, the x86-64 psABI (program properties), the Linux Standard
Base (symbol versions), and the section that gcc's -frecord-gcc-switches writes.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from variantbuild.binary.elf.sections import (
    parse_command_lines,
    parse_isa_needed,
    parse_version_needs,
)
from variantbuild.binary.elf.tables import (
    PT_GNU_PROPERTY,
    PT_INTERP,
    PT_LOAD,
    PT_NOTE,
    SHT_NOTE,
    Data,
    ElfError,
    Regions,
    Section,
    Segment,
    Strings,
    parse_dynamic,
    parse_sections,
    parse_segments,
    slice_of,
)
from variantbuild.binary.machines import elf_machine
from variantbuild.values import dataclass

__all__ = [
    "Data",
    "Elf",
    "ElfError",
    "ElfKind",
    "Section",
    "Segment",
    "VersionNeed",
    "parse_elf",
]

ElfKind = Literal["shared", "executable", "object", "other"]

_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 1, 5, 10, 14, 15, 29
_DT_FLAGS_1, _DT_VERNEED, _DF_1_PIE = 0x6FFFFFFB, 0x6FFFFFFE, 0x08000000


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionNeed:
    """The symbol versions (GLIBC_2.34, …) that a file needs from one library."""

    library: str
    versions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Elf:
    """The headers of one ELF file.

    `flags` are e_flags, `abi_version` is the version of the ABI in e_ident. `isa_needed` is the
    x86-64 level that the loader (glibc 2.33 and newer) requires, None without such a note.
    `command_lines` has one line for each translation unit, as the compiler recorded it; the linker
    merges equal lines. `run_paths` are the directories of RUNPATH, else of RPATH. `dynamic` are the
    raw (tag, value) pairs of the dynamic section.
    """

    machine: str
    bits: Literal[32, 64]
    little_endian: bool
    kind: ElfKind
    flags: int
    abi_version: int
    isa_needed: str | None
    command_lines: tuple[str, ...]
    soname: str | None
    needed: tuple[str, ...]
    version_needs: tuple[VersionNeed, ...]
    run_paths: tuple[str, ...]
    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]
    dynamic: tuple[tuple[int, int], ...]

    def section(self, name: str) -> Section | None:
        """Return the first section called `name`, None if there is none."""
        return next((each for each in self.sections if each.name == name), None)

    def offset_of(self, address: int) -> int | None:
        """Return the file offset of the byte loaded at `address`, None if there is none."""
        for each in self.segments:
            if each.type == PT_LOAD and each.address <= address < each.address + each.size:
                return address - each.address + each.offset
        return None

    @property
    def glibc_floor(self) -> tuple[int, int] | None:
        """The highest GLIBC_x.y version that the file needs; None if it needs none."""
        found = [
            parsed
            for need in self.version_needs
            for version in need.versions
            if (parsed := _parse_glibc(version)) is not None
        ]
        return max(found, default=None)


def parse_elf(data: Data) -> Elf:
    """Read the headers, notes, dynamic section and recorded flags of an ELF file.

    Raises ElfError if `data` is not an ELF file, is truncated, or points outside of itself.
    """
    try:
        return _parse(data)
    except struct.error as error:
        raise ElfError(f"the ELF file is truncated: {error}") from error


def _parse(data: Data) -> Elf:
    ident = bytes(data[0:16])
    if ident[:4] != b"\x7fELF" or len(ident) < 16:
        raise ElfError("not an ELF file")
    if ident[4] not in (1, 2) or ident[5] not in (1, 2):
        raise ElfError(f"an ELF file of unknown class {ident[4]} or byte order {ident[5]}")
    bits: Literal[32, 64] = 64 if ident[4] == 2 else 32
    order = "<" if ident[5] == 1 else ">"
    form = order + ("HHIQQQIHHHHHH" if bits == 64 else "HHIIIIIHHHHHH")
    header = struct.unpack(form, data[16 : 16 + struct.calcsize(form)])
    e_type, machine, _, _, phoff, shoff, flags, _, phentsize, phnum, *of_sections = header

    sections = parse_sections(data, order, bits, shoff, *of_sections)
    segments = parse_segments(data, order, bits, phoff, phentsize, phnum)
    dynamic = parse_dynamic(data, order, bits, segments)
    flags_at = Regions(data, "the sections of recorded flags")
    # Complete except for the strings; enough to map addresses.
    elf = Elf(
        machine=elf_machine(machine, bits=bits, little_endian=order == "<"),
        bits=bits,
        little_endian=order == "<",
        kind="other",
        flags=flags,
        abi_version=ident[8],
        isa_needed=parse_isa_needed(_notes(data, bits, sections, segments), order, bits // 8),
        command_lines=parse_command_lines(
            flags_at.read(each.offset, each.size)
            for each in sections
            if each.name == ".GCC.command.line"
        ),
        soname=None,
        needed=(),
        version_needs=(),
        run_paths=(),
        sections=sections,
        segments=segments,
        dynamic=dynamic,
    )
    return _with_dynamic(data, order, elf, e_type)


def _with_dynamic(data: Data, order: str, elf: Elf, e_type: int) -> Elf:
    tags = dict(reversed(elf.dynamic))
    strings = b""
    start = elf.offset_of(tags[_DT_STRTAB]) if _DT_STRTAB in tags else None
    if start is not None:
        strings = slice_of(data, start, tags.get(_DT_STRSZ, 0), "the dynamic string table")
    texts = Strings(data)
    text = functools.partial(texts.at, texts.add(strings))
    soname = text(tags[_DT_SONAME]) if _DT_SONAME in tags else None
    kinds: dict[int, ElfKind] = {1: "object", 2: "executable", 3: "shared"}
    kind = kinds.get(e_type, "other")
    interpreted = any(each.type == PT_INTERP for each in elf.segments)
    if kind == "shared" and (
        tags.get(_DT_FLAGS_1, 0) & _DF_1_PIE or (interpreted and soname is None)
    ):
        kind = "executable"
    paths_at = tags.get(_DT_RUNPATH, tags.get(_DT_RPATH))
    run_paths = "" if paths_at is None else text(paths_at)
    needs_at = elf.offset_of(tags[_DT_VERNEED]) if _DT_VERNEED in tags else None
    needs = [] if needs_at is None else parse_version_needs(data, order, needs_at)
    return replace(
        elf,
        kind=kind,
        soname=soname,
        # Once each: a library that is named again is not loaded again.
        needed=tuple(dict.fromkeys(text(value) for tag, value in elf.dynamic if tag == _DT_NEEDED)),
        run_paths=tuple(path for path in run_paths.split(":") if path),
        version_needs=tuple(
            VersionNeed(
                library=text(library),
                versions=tuple(dict.fromkeys(map(text, versions))),
            )
            for library, versions in needs
        ),
    )


def _notes(
    data: Data, bits: int, sections: tuple[Section, ...], segments: tuple[Segment, ...]
) -> Iterator[tuple[bytes, int]]:
    # As glibc's loader reads them, in its order (elf/dl-load.c); object files have only sections.
    places = [(s.offset, s.size, s.align) for s in segments if s.type == PT_GNU_PROPERTY]
    places = places or [(s.offset, s.size, s.align) for s in segments if s.type == PT_NOTE]
    if not segments:
        places = [(s.offset, s.size, bits // 8) for s in sections if s.type == SHT_NOTE]
    regions = Regions(data, "the notes")
    for offset, size, align in places:
        yield regions.read(offset, size), 8 if align == 8 else 4


def _parse_glibc(version: str) -> tuple[int, int] | None:
    # Four digits at most: a larger number is not a glibc version.
    match = re.match(r"GLIBC_(\d{1,4})\.(\d{1,4})(?!\d)", version, re.ASCII)
    return None if match is None else (int(match[1]), int(match[2]))
