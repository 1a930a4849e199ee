"""The contents of ELF sections that builds read: notes, recorded flags, symbol versions.

Sources: the x86-64 psABI (program properties), the Linux Standard Base (symbol versions), and the
section that gcc's -frecord-gcc-switches and clang's -frecord-command-line write.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator

from variantbuild.binary.elf.tables import Data, ElfError
from variantbuild.binary.machines import isa_note_level

_NT_GNU_PROPERTY, _X86_ISA_1_NEEDED = 5, 0xC0008002
_MOST_VERSIONS = 65536
#: More recorded command lines, and more bytes of them, than any module has; as text they may take
#: four times the bytes.
_MOST_LINES, _MOST_RECORDED = 1 << 16, 16 << 20


def parse_isa_needed(
    notes: Iterable[tuple[bytes, int]], order: str, property_align: int
) -> str | None:
    """Return the highest x86-64 level that the program properties require, or None.

    `notes` are (bytes of a note segment or section, alignment of its entries); `order` is the
    byte order as struct writes it; `property_align` is 8 in 64-bit files and 4 in others.
    Source: x86-64 psABI, "x86 ISA needed" (GNU_PROPERTY_X86_ISA_1_NEEDED).
    """
    mask = 0
    for raw, align in notes:
        for kind, text in _gnu_notes(raw, order, align):
            if kind == _NT_GNU_PROPERTY:
                mask |= _isa_mask(text, order, property_align)
    return isa_note_level(mask)


def parse_command_lines(sections: Iterable[bytes]) -> tuple[str, ...]:
    """Return the recorded command lines, one per translation unit, from sections of C strings.

    Equal lines are returned once, as the linker merges them. Raises ElfError for more lines than
    any module has.
    """
    found: dict[bytes, None] = {}
    size = 0
    for raw in sections:
        size += len(raw)
        if size > _MOST_RECORDED:
            raise ElfError(f"the ELF file records over {_MOST_RECORDED >> 20} MiB of flags")
        for match in re.finditer(rb"[^\0]+", raw):
            found[match[0]] = None
            if len(found) > _MOST_LINES:
                raise ElfError(f"the ELF file records over {_MOST_LINES} command lines")
    lines = [text.decode("utf-8", "replace").strip() for text in found]
    # gcc 10 and older write each flag as a separate string, without naming its translation unit:
    # those can only be read as one line.
    single = [line for line in lines if line.startswith("-")]
    if single:
        lines = [line for line in lines if not line.startswith("-")] + [" ".join(single)]
    return tuple(lines)


def parse_version_needs(data: Data, order: str, at: int) -> list[tuple[int, list[int]]]:
    """Return (library, versions) as offsets into the dynamic strings, from the table at `at`.

    Raises struct.error if the table extends beyond `data`; stops after 65536 versions, more than
    any real file has, in case the table has a cycle. Source: Linux Standard Base, Symbol
    Versioning, section 10.7.
    """
    need, aux = struct.Struct(order + "HHIII"), struct.Struct(order + "IHHII")
    found: list[tuple[int, list[int]]] = []
    left = _MOST_VERSIONS
    while left > 0:
        _, count, library, first, following = need.unpack(data[at : at + need.size])
        versions: list[int] = []
        entry = at + first
        for _ in range(min(count, left)):
            left -= 1
            *_, name, step = aux.unpack(data[entry : entry + aux.size])
            versions.append(name)
            if not step:
                break
            entry += step
        found.append((library, versions))
        if not following:
            break
        at, left = at + following, left - 1
    return found


def _gnu_notes(raw: bytes, order: str, align: int) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 12 <= len(raw):
        name_size, size, kind = struct.unpack_from(order + "III", raw, at)
        text_at = _aligned(at + 12 + name_size, align)
        if raw[at + 12 : at + 12 + name_size] == b"GNU\0":
            yield kind, raw[text_at : text_at + size]
        at = _aligned(text_at + size, align)


def _isa_mask(text: bytes, order: str, align: int) -> int:
    at = 0
    while at + 8 <= len(text):
        kind, size = struct.unpack_from(order + "II", text, at)
        if kind == _X86_ISA_1_NEEDED and at + 12 <= len(text):
            mask: int = struct.unpack_from(order + "I", text, at + 8)[0]
            return mask
        at = _aligned(at + 8 + size, align)
    return 0


def _aligned(value: int, align: int) -> int:
    return -(-value // align) * align
