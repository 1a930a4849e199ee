"""What the headers of an ELF file say: machine, ISA note, recorded switches, libraries needed.

Pure and light (struct only, no disassembly), since every build reads it. Only slices of the data
are taken, so anything with a length that can be sliced will do; every loop is bounded by the
data's length, and whatever is malformed raises `ElfError`.

Sources: System V gABI chapters 4 and 5, the x86-64 psABI (program properties), the Linux Standard
Base (symbol versions), and the section that gcc's -frecord-gcc-switches writes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from variantbuild.elf_contents import parse_isa_needed, parse_switches, parse_version_needs
from variantbuild.errors import VariantBuildError

ElfKind = Literal["shared", "executable", "object", "other"]

MACHINES = {
    3: "i386",
    8: "mips",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    190: "cuda",
    224: "amdgpu",
    243: "riscv",
    258: "loongarch64",
}

_PT_LOAD, _PT_DYNAMIC, _PT_INTERP, _PT_NOTE, _PT_GNU_PROPERTY = 1, 2, 3, 4, 0x6474E553
_SHT_NOTE, _SHT_NOBITS = 7, 8
_DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME = 1, 5, 10, 14
_DT_FLAGS_1, _DT_VERNEED, _DF_1_PIE = 0x6FFFFFFB, 0x6FFFFFFE, 0x08000000


class ElfError(VariantBuildError):
    """Bytes that begin like an ELF file are malformed or cut short."""


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
        """Tell whether the section holds instructions (SHF_EXECINSTR)."""
        return bool(self.flags & 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """One program header; `offset` and `size` in bytes of the file, `flags` 1 = executable."""

    type: int
    flags: int
    address: int
    offset: int
    size: int
    align: int

    @property
    def executable(self) -> bool:
        """Tell whether the segment is mapped executable."""
        return self.type == _PT_LOAD and bool(self.flags & 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionNeed:
    """The symbol versions (GLIBC_2.34, …) that are needed of one library."""

    library: str
    versions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Elf:
    """What the headers of one ELF file say.

    `isa_needed` is the x86-64 level that the loader (glibc 2.33 and newer) will insist on, None
    without such a note. `switches` has one line a translation unit as the compiler recorded it;
    the linker merges equal lines. `dynamic` are the raw (tag, value) pairs of the dynamic section.
    """

    machine: str
    bits: Literal[32, 64]
    little_endian: bool
    kind: ElfKind
    isa_needed: str | None
    switches: tuple[str, ...]
    soname: str | None
    needed: tuple[str, ...]
    version_needs: tuple[VersionNeed, ...]
    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]
    dynamic: tuple[tuple[int, int], ...]

    def section(self, name: str) -> Section | None:
        """Return the first section called `name`, None where there is none."""
        return next((each for each in self.sections if each.name == name), None)

    def offset_of(self, address: int) -> int | None:
        """Return where in the file the byte loaded at `address` lies, None if nowhere."""
        for each in self.segments:
            if each.type == _PT_LOAD and each.address <= address < each.address + each.size:
                return address - each.address + each.offset
        return None

    @property
    def glibc_floor(self) -> tuple[int, int] | None:
        """The highest GLIBC_x.y version needed of any library, None where none is."""
        found = [
            parsed
            for need in self.version_needs
            for version in need.versions
            if (parsed := _parse_glibc(version)) is not None
        ]
        return max(found, default=None)


def is_elf(data: Data) -> bool:
    """Tell whether `data` begins with ELF's magic number."""
    return bytes(data[0:4]) == b"\x7fELF"


def parse_elf(data: Data) -> Elf:
    """Read the headers, notes, dynamic section and recorded switches of an ELF file.

    Raises ElfError where `data` is no ELF file, is cut short, or points outside of itself.
    """
    try:
        return _parse(data)
    except struct.error as error:
        raise ElfError(f"the ELF file is cut short: {error}") from error


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
    e_type, machine, _, _, phoff, shoff, _, _, phentsize, phnum, shentsize, shnum, shstrndx = header

    sections = _parse_sections(data, order, bits, shoff, shentsize, shnum, shstrndx)
    segments = _parse_segments(data, order, bits, phoff, phentsize, phnum)
    dynamic = _parse_dynamic(data, order, bits, segments)
    # A shell that lacks only what needs the strings, to map addresses with.
    elf = Elf(
        machine=MACHINES.get(machine, f"machine {machine}"),
        bits=bits,
        little_endian=order == "<",
        kind="other",
        isa_needed=parse_isa_needed(_notes(data, bits, sections, segments), order, bits // 8),
        switches=parse_switches(
            _slice(data, each.offset, each.size, "the section of recorded switches")
            for each in sections
            if each.name == ".GCC.command.line"
        ),
        soname=None,
        needed=(),
        version_needs=(),
        sections=sections,
        segments=segments,
        dynamic=dynamic,
    )
    return _with_dynamic(data, order, elf, e_type)


def _slice(data: Data, offset: int, size: int, what: str) -> bytes:
    if offset < 0 or size < 0 or offset + size > len(data):
        raise ElfError(f"{what} of the ELF file lies outside of it")
    return bytes(data[offset : offset + size])


def _parse_sections(
    data: Data, order: str, bits: int, offset: int, entry: int, count: int, names_at: int
) -> tuple[Section, ...]:
    if not offset:
        return ()
    form = struct.Struct(order + ("IIQQQQIIQQ" if bits == 64 else "IIIIIIIIII"))
    if entry < form.size:
        raise ElfError(f"the section headers of the ELF file are {entry} bytes long each")
    first = form.unpack(_slice(data, offset, form.size, "the section table"))
    # gABI: counts that do not fit 16 bits stand in the first, unused header.
    count = count or first[5]
    names_at = first[6] if names_at == 0xFFFF else names_at
    raw = _slice(data, offset, count * entry, "the section table")
    headers = [form.unpack_from(raw, i * entry) for i in range(count)]
    names = b""
    if 0 < names_at < count:
        names = _slice(data, headers[names_at][4], headers[names_at][5], "the names of sections")
    return tuple(
        Section(
            name=_string(names, h[0]),
            type=h[1],
            flags=h[2],
            address=h[3],
            offset=h[4],
            size=0 if h[1] == _SHT_NOBITS else h[5],
            link=h[6],
            entry_size=h[9],
        )
        for h in headers
    )


def _parse_segments(
    data: Data, order: str, bits: int, offset: int, entry: int, count: int
) -> tuple[Segment, ...]:
    if not offset or not count:
        return ()
    form = struct.Struct(order + ("IIQQQQQQ" if bits == 64 else "IIIIIIII"))
    if entry < form.size:
        raise ElfError(f"the program headers of the ELF file are {entry} bytes long each")
    raw = _slice(data, offset, count * entry, "the program header table")
    found = []
    for i in range(count):
        h = form.unpack_from(raw, i * entry)
        if bits == 64:
            kind, flags, at, address, _, size, _, align = h
        else:
            kind, at, address, _, size, _, flags, align = h
        found.append(
            Segment(type=kind, flags=flags, address=address, offset=at, size=size, align=align)
        )
    return tuple(found)


def _parse_dynamic(
    data: Data, order: str, bits: int, segments: tuple[Segment, ...]
) -> tuple[tuple[int, int], ...]:
    segment = next((each for each in segments if each.type == _PT_DYNAMIC), None)
    if segment is None:
        return ()
    raw = _slice(data, segment.offset, segment.size, "the dynamic section")
    form = struct.Struct(order + ("qQ" if bits == 64 else "iI"))
    pairs: list[tuple[int, int]] = []
    for tag, value in form.iter_unpack(raw[: len(raw) - len(raw) % form.size]):
        if tag == 0:
            break
        pairs.append((tag, value))
    return tuple(pairs)


def _with_dynamic(data: Data, order: str, elf: Elf, e_type: int) -> Elf:
    from dataclasses import replace

    tags = dict(reversed(elf.dynamic))
    strings = b""
    start = elf.offset_of(tags[_DT_STRTAB]) if _DT_STRTAB in tags else None
    if start is not None:
        strings = _slice(data, start, tags.get(_DT_STRSZ, 0), "the dynamic string table")
    soname = _string(strings, tags[_DT_SONAME]) if _DT_SONAME in tags else None
    kinds: dict[int, ElfKind] = {1: "object", 2: "executable", 3: "shared"}
    kind = kinds.get(e_type, "other")
    interpreted = any(each.type == _PT_INTERP for each in elf.segments)
    if kind == "shared" and (
        tags.get(_DT_FLAGS_1, 0) & _DF_1_PIE or (interpreted and soname is None)
    ):
        kind = "executable"
    needs_at = elf.offset_of(tags[_DT_VERNEED]) if _DT_VERNEED in tags else None
    needs = [] if needs_at is None else parse_version_needs(data, order, needs_at)
    return replace(
        elf,
        kind=kind,
        soname=soname,
        needed=tuple(_string(strings, value) for tag, value in elf.dynamic if tag == _DT_NEEDED),
        version_needs=tuple(
            VersionNeed(
                library=_string(strings, library),
                versions=tuple(_string(strings, each) for each in versions),
            )
            for library, versions in needs
        ),
    )


def _notes(
    data: Data, bits: int, sections: tuple[Section, ...], segments: tuple[Segment, ...]
) -> Iterator[tuple[bytes, int]]:
    # What glibc's loader looks at, in its order (elf/dl-load.c); objects have only sections.
    places = [(s.offset, s.size, s.align) for s in segments if s.type == _PT_GNU_PROPERTY]
    places = places or [(s.offset, s.size, s.align) for s in segments if s.type == _PT_NOTE]
    if not segments:
        places = [(s.offset, s.size, bits // 8) for s in sections if s.type == _SHT_NOTE]
    for offset, size, align in places:
        yield _slice(data, offset, size, "a note"), 8 if align == 8 else 4


def _string(table: bytes, at: int) -> str:
    if not 0 <= at < len(table):
        return ""
    end = table.find(b"\0", at)
    return table[at : len(table) if end < 0 else end].decode("utf-8", "replace")


def _parse_glibc(version: str) -> tuple[int, int] | None:
    # Four digits at most: an absurd number is no glibc of this world.
    match = re.match(r"GLIBC_(\d{1,4})\.(\d{1,4})(?!\d)", version, re.ASCII)
    return None if match is None else (int(match[1]), int(match[2]))
