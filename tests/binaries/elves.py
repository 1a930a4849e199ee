"""Small ELF files written byte by byte, with contents that no compiler here produces."""

from __future__ import annotations

import struct


def elf(
    *,
    machine: int = 62,
    sections: dict[str, bytes] | None = None,
    note: bytes = b"",
    code: bytes = b"",
    flags: int = 0,
    abi_version: int = 0,
) -> bytes:
    """Return a 64-bit little-endian shared object with the given sections and note segment.

    `code` becomes an executable section `.text`, mapped and entered by the loader.
    """
    contents = {"": b"", **({".text": code} if code else {}), **(sections or {})}
    names = b"\0" + b"".join(name.encode() + b"\0" for name in contents if name) + b".names\0"
    contents[".names"] = names
    start = 64 + 56 * (2 if code else 1)
    at = start + len(note)
    headers, body = [], b""
    text = 0
    for name, data in contents.items():
        kind = 0 if not name else 3 if name == ".names" else 1
        index = names.index(name.encode() + b"\0") if name else 0
        # SHF_ALLOC and SHF_EXECINSTR, loaded where the file has it.
        access, address = (6, at) if code and name == ".text" else (0, 0)
        text = address or text
        fields = (index, kind, access, address, at, len(data), 0, 0, 1, 0)
        headers.append(struct.pack("<IIQQQQIIQQ", *fields))
        body, at = body + data, at + len(data)
    ident = b"\x7fELF\x02\x01\x01\x00" + bytes([abi_version]) + bytes(7)
    count = 2 if code else 1
    head = (3, machine, 1, text, 64, at, flags, 64, 56, count, 64, len(headers), len(headers) - 1)
    program = struct.pack("<IIQQQQQQ", 4, 4, start, start, start, len(note), len(note), 8)
    if code:
        program += struct.pack("<IIQQQQQQ", 1, 5, text, text, text, len(code), len(code), 1)
    return ident + struct.pack("<HHIQQQIHHHHHH", *head) + program + note + body + b"".join(headers)


def isa_note(mask: int) -> bytes:
    """Return a program property note "x86 ISA needed" with the bits of `mask`."""
    text = struct.pack("<III", 0xC0008002, 4, mask) + bytes(4)
    return struct.pack("<III", 4, len(text), 5) + b"GNU\0" + text


def command_lines(*lines: str) -> dict[str, bytes]:
    """Return the section of recorded command lines, one for each translation unit."""
    return {".GCC.command.line": b"".join(line.encode() + b"\0" for line in lines)}
