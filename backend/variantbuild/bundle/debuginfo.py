"""Removes the debug information of an ELF file, so that a bundle does not multiply it. Pure.

Symbol tables stay, so that debuggers and profilers name functions. Section numbers stay too, with
empty sections in the place of the removed ones.
"""

from __future__ import annotations

import struct

from variantbuild.binary.elf.tables import SHT_NOBITS

_HEADER_SECTIONS = 40  # e_shoff
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SHF_ALLOC = 2
_DEBUG = (b".debug_", b".zdebug_", b".gdb_index", b".gnu.debuglto_")


def drop_debug(data: bytes) -> bytes:
    """Return a 64-bit little-endian ELF file without its debug sections.

    Files that are laid out in an unusual way are returned unchanged.
    """
    if data[:6] != b"\x7fELF\x02\x01":
        return data
    (table,) = struct.unpack_from("<Q", data, _HEADER_SECTIONS)
    entry, count, names = struct.unpack_from("<HHH", data, 58)
    if not count or entry != _SECTION.size or table + count * entry != len(data):
        return data
    headers = [list(_SECTION.unpack_from(data, table + i * entry)) for i in range(count)]
    strings = data[headers[names][4] : headers[names][4] + headers[names][5]]
    loaded = _end_of_loaded(data, headers)
    removable = [
        number
        for number, header in enumerate(headers)
        if _name(strings, header[0]).startswith(_DEBUG) and not header[2] & _SHF_ALLOC
    ]
    if not any(headers[number][5] for number in removable):
        return data
    moved = sorted(
        (number for number, h in enumerate(headers) if h[1] not in (0, SHT_NOBITS) and h[5]),
        key=lambda number: headers[number][4],
    )
    out = bytearray(data[:loaded])
    for number in moved:
        header = headers[number]
        if header[4] + header[5] <= loaded:
            continue
        if header[4] < loaded:
            return data  # partly in a segment
        out += bytes(-len(out) % max(header[8], 1))
        start, size = header[4], header[5]
        header[4] = len(out)
        if number in removable:
            header[5] = 0
        else:
            out += data[start : start + size]
    out += bytes(-len(out) % 8)
    struct.pack_into("<Q", out, _HEADER_SECTIONS, len(out))
    return bytes(out) + b"".join(_SECTION.pack(*header) for header in headers)


def _end_of_loaded(data: bytes, headers: list[list[int]]) -> int:
    """Return the end of all segments and of all sections that belong to them."""
    (offset,) = struct.unpack_from("<Q", data, 32)
    entry, count = struct.unpack_from("<HH", data, 54)
    ends: list[int] = [offset + entry * count]
    for number in range(count):
        _, _, at, _, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", data, offset + number * entry)
        ends.append(at + size)
    ends += [h[4] + h[5] for h in headers if h[2] & _SHF_ALLOC and h[1] != SHT_NOBITS]
    return max(ends)


def _name(strings: bytes, at: int) -> bytes:
    return strings[at : strings.find(b"\0", at)]
