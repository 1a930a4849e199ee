"""Recognises files with machine code, for the wheel engine, audit and repair.

    found = recognize(name, head)
    found.format, found.role, found.machines    ("elf", "host", ("x86_64",))

Light, since the wheel engine imports it. Sources: the ELF gABI and its registry of e_machine
numbers, the ar format of GNU binutils, and those that `macho` and `pe` name.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from variantbuild.binary.machines import elf_machine
from variantbuild.binary.macho import HEAD_FAT, macho_machines
from variantbuild.binary.pe import HEAD_PE, is_header_beyond, read_pe

Format = Literal["elf", "mach-o", "pe", "ar", "device", "unknown"]
"""`device` is a file of GPU code that is not ELF, `unknown` an extension module by name alone."""

Role = Literal["host", "device", "data"]
"""Who uses the code: the loader or linker of the host, a GPU, or neither.

`data` are eBPF programs, and executables for Windows such as the launchers in setuptools and pip.
Only code for the host is forbidden in a wheel for any platform.
"""

#: How many bytes `recognize` needs of most files, and at most.
HEAD = 1024
HEAD_LIMIT = HEAD_PE

FATBIN_MAGIC = bytes.fromhex("50ed55ba")
BUNDLE_MAGIC = b"__CLANG_OFFLOAD_BUNDLE__"
COMPRESSED_BUNDLE_MAGIC = b"CCOB"

_ROLES: dict[str, Role] = {"cuda": "device", "amdgpu": "device", "bpf": "data"}
_ARCHIVES = (b"!<arch>\n", b"!<thin>\n")
#: Suffixes that the import system or a loader takes for compiled code, whatever the contents.
_EXTENSION_SUFFIXES = (".so", ".pyd", ".dylib")


class MachineCode(NamedTuple):
    """The kind of a file with machine code.

    `machines` are archspec's family names (`cuda`, `amdgpu` and `bpf` among them), several for a
    fat Mach-O file, none if the format does not name one. `words` describe the kind in messages.
    """

    format: Format
    role: Role
    machines: tuple[str, ...]
    words: str


def head_size(start: bytes) -> int:
    """Return how many bytes `recognize` needs of a file that begins with the 4 bytes `start`."""
    if start[:2] == b"MZ":
        return HEAD_PE
    return max(HEAD, HEAD_FAT) if start[:3] == b"\xca\xfe\xba" else HEAD


def recognize(name: str, head: bytes) -> MachineCode | None:
    """Return the kind of machine code in the file `name`; None for none, and for .NET bytecode.

    `head` are the first bytes of the file, `head_size` or more of them, or all.
    """
    head = head[:HEAD_LIMIT]
    if head[:4] == b"\x7fELF":
        return _elf(head)
    device = _device_machine(head)
    if device is not None:
        return MachineCode("device", "device", (device,), "GPU code")
    machines = macho_machines(head)
    if machines is not None:
        return MachineCode("mach-o", "host", machines, "Mach-O file")
    if head[:8] in _ARCHIVES:
        return MachineCode("ar", "host", (), "static library")
    return _pe(name, head) or _by_name(name)


def _elf(head: bytes) -> MachineCode:
    if len(head) < 20:
        return MachineCode("elf", "host", (), "ELF file")
    little_endian = head[5] != 2
    number = int.from_bytes(head[18:20], "little" if little_endian else "big")
    machine = elf_machine(number, bits=64 if head[4] == 2 else 32, little_endian=little_endian)
    return MachineCode("elf", _ROLES.get(machine, "host"), (machine,), "ELF file")


def _device_machine(head: bytes) -> str | None:
    if head[:4] == FATBIN_MAGIC:
        return "cuda"
    bundled = head.startswith(BUNDLE_MAGIC) or head[:4] == COMPRESSED_BUNDLE_MAGIC
    return "amdgpu" if bundled else None


def _pe(name: str, head: bytes) -> MachineCode | None:
    image = read_pe(head)
    if image is None:
        by_suffix = is_header_beyond(head) and name.lower().endswith(".dll")
        return MachineCode("pe", "host", (), "DLL") if by_suffix else None
    if image.managed:
        return None
    if image.dll:
        return MachineCode("pe", "host", (image.machine,), "DLL")
    if _by_name(name) is not None:
        return MachineCode("pe", "host", (image.machine,), "extension module")
    return MachineCode("pe", "data", (image.machine,), "Windows executable")


def _by_name(name: str) -> MachineCode | None:
    if not name.lower().endswith(_EXTENSION_SUFFIXES):
        return None
    return MachineCode("unknown", "host", (), "extension module")
