"""Which files hold machine code, told by their first bytes, and for which machine.

Sources: the ELF gABI; Apple's <mach-o/loader.h> and <mach-o/fat.h>; Microsoft's PE format.
"""

from __future__ import annotations

import struct
from typing import Literal

from variantbuild.binary.elf import Data

Format = Literal["elf", "mach-o", "pe", "ar", "device"]

_MACHO_CPUS = {0x01000007: "x86_64", 0x0100000C: "aarch64", 7: "i386", 12: "arm"}
_PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64", 0x14C: "i386", 0x1C4: "arm"}
_MACHO_MAGIC = {
    b"\xfe\xed\xfa\xce": ">",
    b"\xfe\xed\xfa\xcf": ">",
    b"\xce\xfa\xed\xfe": "<",
    b"\xcf\xfa\xed\xfe": "<",
}


def recognize(data: Data) -> Format | None:
    """Tell the format of a file that may hold machine code, None for every other file.

    Reads at most the first kilobyte.
    """
    magic = bytes(data[0:8])
    if magic[:4] == b"\x7fELF":
        return "elf"
    if magic[:4] in _MACHO_MAGIC or _fat_count(magic):
        return "mach-o"
    if magic[:2] == b"MZ" and _pe_machine(data) is not None:
        return "pe"
    return "ar" if magic == b"!<arch>\n" else None


def foreign_machine(data: Data, form: Format) -> str:
    """Name the machine of a Mach-O or PE file in archspec's words.

    Several are joined with `+` (a fat Mach-O); empty where the format does not tell.
    """
    head = bytes(data[0:1024])
    if form == "pe":
        return _pe_machine(data) or ""
    if form != "mach-o":
        return ""
    order = _MACHO_MAGIC.get(head[:4])
    if order is not None:
        return _macho_cpu(head[4:8], order)
    count = _fat_count(head)
    step = 20 if head[3] == 0xBE else 32  # fat_arch, fat_arch_64
    entries = [head[8 + i * step : 12 + i * step] for i in range(count)]
    return "+".join(_macho_cpu(entry, ">") for entry in entries)


def _macho_cpu(raw: bytes, order: str) -> str:
    if len(raw) < 4:
        return ""
    number: int = struct.unpack(order + "I", raw)[0]
    return _MACHO_CPUS.get(number, f"Mach-O processor {number}")


def _fat_count(head: bytes) -> int:
    # Java classes share the magic number; their version stands where the count is, from 45 up.
    if head[:4] not in (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf") or len(head) < 8:
        return 0
    count: int = struct.unpack(">I", head[4:8])[0]
    return count if count <= 20 else 0


def _pe_machine(data: Data) -> str | None:
    head = bytes(data[0:64])
    if len(head) < 64:
        return None
    at: int = struct.unpack("<I", head[60:64])[0]
    header = bytes(data[at : at + 6])
    if header[:4] != b"PE\0\0" or len(header) < 6:
        return None
    number: int = struct.unpack("<H", header[4:6])[0]
    return _PE_MACHINES.get(number, f"PE machine {number:#x}")
