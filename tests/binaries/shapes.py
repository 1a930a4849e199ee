"""Files of about `n` bytes in which every reference leads to one large shared region.

A reader that copies or scans the region for each reference needs memory and time that grow with the
square of `n`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

_HEADER = 64
Shape = Callable[[int], bytes]


def section(
    *,
    name: int = 0,
    kind: int = 1,
    flags: int = 0,
    address: int = 0,
    at: int = 0,
    size: int = 0,
    link: int = 0,
    entry: int = 0,
) -> bytes:
    """Return one section header."""
    return struct.pack("<IIQQQQIIQQ", name, kind, flags, address, at, size, link, 0, 8, entry)


def segment(*, kind: int, address: int = 0, at: int = 0, size: int = 0) -> bytes:
    """Return one program header."""
    return struct.pack("<IIQQQQQQ", kind, 4, at, address, address, size, size, 8)


def assemble(
    body: bytes, sections: Sequence[bytes] = (), segments: Sequence[bytes] = (), names: int = 0
) -> bytes:
    """Return an x86-64 shared object: header, `body` (from byte 64 on), headers of its parts."""
    segments_at = _HEADER + len(body)
    sections_at = segments_at + 56 * len(segments)
    table = b"".join(sections)
    count = len(sections)
    if count >= 0xFF00:  # gABI: the count is in the first header then
        table = table[:32] + struct.pack("<Q", count) + table[40:]
    head = struct.pack(
        "<HHIQQQIHHHHHH",
        3, 62, 1, 0, segments_at if segments else 0, sections_at if sections else 0, 0,
        64, 56, len(segments), 64, count if count < 0xFF00 else 0, names,
    )  # fmt: skip
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    return ident + head + body + b"".join(segments) + table


def _shared_sections(n: int, name: bytes, content: bytes, **fields: int) -> bytes:
    """Return a file whose sections are all called `name` and have the same content."""
    body = (content * (n // 2 // len(content) + 1))[: n // 2] + b"\0" + name + b"\0"
    names = section(kind=3, at=_HEADER, size=len(body))
    each = section(name=n // 2 + 1, at=_HEADER, size=n // 2, **fields)
    return assemble(body, [section(), names, *[each] * (n // 2 // 64)], names=1)


def _elf_section_names(n: int) -> bytes:
    """Overlapping names: each begins a byte after the last."""
    body = b"x" * (n // 2) + b"\0"
    names = section(kind=3, at=_HEADER, size=len(body))
    others = [section(name=i) for i in range(n // 2 // 64)]
    return assemble(body, [section(), names, *others], names=1)


def _elf_recorded_flags(n: int) -> bytes:
    return _shared_sections(n, b".GCC.command.line", b"GNU C17 -march=x86-64-v3 -O2\0")


def _elf_many_flags(n: int) -> bytes:
    lines = b"".join(b"%06x\0" % i for i in range(n // 7))
    body = lines + b".GCC.command.line\0"
    parts = [
        section(),
        section(kind=3, at=_HEADER, size=len(body)),
        section(name=len(lines), at=_HEADER, size=len(lines)),
    ]
    return assemble(body, parts, names=1)


def _elf_note_sections(n: int) -> bytes:
    return _shared_sections(n, b".note", struct.pack("<III", 4, 0, 5) + b"GNU\0", kind=7)


def _elf_note_segments(n: int) -> bytes:
    note = struct.pack("<III", 4, 0, 5) + b"GNU\0"
    body = note * (n // 2 // len(note))
    count = min(n // 2 // 56, 4000)
    return assemble(body, segments=[segment(kind=4, at=_HEADER, size=len(body))] * count)


def _with_dynamic(strings: bytes, dynamic: bytes, more: bytes = b"") -> bytes:
    body = strings + bytes(-len(strings) % 8) + dynamic + more
    at = _HEADER + len(body) - len(dynamic) - len(more)
    segments = [
        segment(kind=1, address=0, at=0, size=_HEADER + len(body)),
        segment(kind=2, at=at, size=len(dynamic)),
    ]
    return assemble(body, segments=segments)


def _elf_needed(n: int, step: int = 1) -> bytes:
    strings = b"l" * (n // 2) + b"\0"
    tags = [(5, _HEADER), (10, len(strings)), *((1, i * step) for i in range(n // 2 // 16))]
    return _with_dynamic(strings, b"".join(struct.pack("<qQ", *tag) for tag in tags))


def _elf_needed_again(n: int) -> bytes:
    return _elf_needed(n, 0)


def _elf_versions(n: int) -> bytes:
    """Needs of which each has all of the versions behind it."""
    strings = b"V" * (n // 2) + b"\0"
    size = -(-len(strings) // 8) * 8
    count = n // 2 // 16
    needs_at = _HEADER + size + 4 * 16
    tags = struct.pack("<qQqQqQqQ", 5, _HEADER, 10, len(strings), 0x6FFFFFFE, needs_at, 0, 0)
    needs = b"".join(struct.pack("<HHIII", 1, 65535, i, 16, 16) for i in range(count))
    return _with_dynamic(strings, tags, needs + bytes(64))


def _symbols(count: int, names: Callable[[int], int]) -> bytes:
    return b"".join(
        struct.pack("<IBBHQQ", names(i), 2, 0, 1, 0x1000 + 16 * i, 16) for i in range(count)
    )


def _elf_symbol_names(n: int) -> bytes:
    strings = b"s" * (n // 2) + b"\0"
    symbols = _symbols(n // 2 // 24, lambda i: i)
    at = _HEADER + len(strings)
    parts = [
        section(),
        section(kind=3, at=_HEADER, size=len(strings)),
        section(kind=2, at=at, size=len(symbols), link=1, entry=24),
    ]
    return assemble(strings + symbols, parts)


def _elf_symbol_tables(n: int) -> bytes:
    symbols = _symbols(n // 2 // 24, lambda _: 0)
    each = section(kind=2, at=_HEADER, size=len(symbols), link=1, entry=24)
    return assemble(symbols, [section(), section(), *[each] * (n // 2 // 64)])


def _elf_string_tables(n: int) -> bytes:
    """Many symbol tables of one symbol, each with a string table of its own at one place."""
    strings = b"s" * (n // 3) + b"\0"
    symbol = _symbols(1, lambda _: 0)
    count = n // 2 // 128
    tables = [section(kind=3, at=_HEADER, size=len(strings)) for _ in range(count)]
    at = _HEADER + len(strings)
    users = [section(kind=2, at=at, size=24, link=1 + i, entry=24) for i in range(count)]
    return assemble(strings + symbol, [section(), *tables, *users])


def _elf_relocations(n: int) -> bytes:
    """Relocation sections that share their bytes, and all read the same symbols."""
    third = n // 3
    symbols = _symbols(third // 24, lambda _: 0)
    entries = b"".join(struct.pack("<QQq", 8 * i, 8, i) for i in range(third // 24))
    each = section(kind=4, flags=2, at=_HEADER + len(symbols), size=len(entries), link=1, entry=24)
    table = section(kind=11, at=_HEADER, size=len(symbols), entry=24)
    return assemble(symbols + entries, [section(), table, *[each] * (third // 64)])


def _elf_symbols_of_relocations(n: int) -> bytes:
    """Empty relocation sections, each with the names of one large symbol table."""
    symbols = _symbols(n // 2 // 24, lambda _: 0)
    each = section(kind=4, flags=2, at=_HEADER, size=0, link=1, entry=24)
    table = section(kind=11, at=_HEADER, size=len(symbols), entry=24)
    return assemble(symbols, [section(), table, *[each] * (n // 2 // 64)])


def _elf_packed_relocations(n: int) -> bytes:
    """Bitmaps of 63 words each, at addresses that many segments map to the same bytes."""
    bitmaps = struct.pack("<Q", 0) + struct.pack("<Q", 2**64 - 1) * (n // 8)
    count = 4000
    segments = [segment(kind=1, address=i << 12, at=0, size=1 << 12) for i in range(count)]
    parts = [section(), section(kind=19, at=_HEADER, size=len(bitmaps))]
    return assemble(bitmaps, parts, segments)


def _elf_headers_only(n: int) -> bytes:
    return assemble(b"", [section()] * (n // 64))


def _elf_fatbins(n: int) -> bytes:
    return _shared_sections(n, b".nv_fatbin", _fatbin(b""))


def _elf_bundles(n: int) -> bytes:
    return _shared_sections(n, b".hip_fatbin", _bundle(b"hipv4-amdgcn--gfx90a").ljust(4096, b"\0"))


def _fatbin(images: bytes) -> bytes:
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(images)) + images


def _fatbin_gaps(n: int) -> bytes:
    """Empty fatbins with eight bytes between each and the next."""
    return (_fatbin(b"") + bytes(8)) * (n // 24)


def _fatbin_images(n: int) -> bytes:
    entries = (
        struct.pack("<HHIQIIHHIIIQ16x", 2, 1, 64, 0, 0, 0, 0, 0, i, 0, 0, 0) for i in range(n // 64)
    )
    return _fatbin(b"".join(entries))


def _bundle(*names: bytes) -> bytes:
    table = b"".join(struct.pack("<QQQ", 0, 1, len(name)) + name for name in names)
    return b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", len(names)) + table


def _bundle_tables(n: int) -> bytes:
    """A bundle on each page, the tables of which reach over the following ones."""
    page = b"__CLANG_OFFLOAD_BUNDLE__" + struct.pack("<Q", 2700)
    entries = (4096 - len(page)) // 24
    page += struct.pack("<QQQ", 0, 1, 0) * (entries - 1)
    # The last name of a page takes the header of the next, so that the table goes on behind it.
    rest = 4096 - len(page) - 24
    page += struct.pack("<QQQ", 0, 1, rest + 32) + bytes(rest)
    return page * (n // 4096)


def _bundle_names(n: int) -> bytes:
    pages = (
        _bundle(*(b"hip-%07d" % (100 * page + i) for i in range(100))).ljust(4096, b"\0")
        for page in range(n // 4096)
    )
    return b"".join(pages)


#: Every table of an ELF file or of GPU code that is read, by name.
SHAPES: dict[str, Shape] = {
    shape.__name__.lstrip("_").replace("_", "-"): shape
    for shape in (
        _elf_section_names,
        _elf_recorded_flags,
        _elf_many_flags,
        _elf_note_sections,
        _elf_note_segments,
        _elf_needed,
        _elf_needed_again,
        _elf_versions,
        _elf_symbol_names,
        _elf_symbol_tables,
        _elf_string_tables,
        _elf_relocations,
        _elf_symbols_of_relocations,
        _elf_packed_relocations,
        _elf_headers_only,
        _elf_fatbins,
        _elf_bundles,
        _fatbin_gaps,
        _fatbin_images,
        _bundle_tables,
        _bundle_names,
    )
}
