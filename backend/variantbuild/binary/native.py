"""Recognises compiled code by its first bytes, for wheels that claim to hold none.

Code for GPUs (cubin, AMD code objects) and eBPF is data to the host and may lie in a wheel tagged
`any`; so may the .exe launchers that setuptools and pip carry. Source: the ELF, Mach-O, PE and
ar formats; e_machine numbers from the ELF registry.
"""

from __future__ import annotations

#: Bytes that `native_kind` wants to see …
HEAD = 1024
#: … and of a program for DOS or Windows, whose real header may lie further in.
HEAD_PE = 1 << 16

_FOREIGN_MACHINES = {190, 224, 247}  # EM_CUDA, EM_AMDGPU, EM_BPF
_MACH_O = {bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe")}
_FAT = {bytes.fromhex("cafebabe"), bytes.fromhex("cafebabf")}
#: A fat Mach-O counts its architectures where a Java class has its version, at least 45.
_JAVA_VERSION = 45
_PE_DLL = 0x2000
#: What the import system or a loader would take for compiled code, whatever is in it.
_SUFFIXES = (".so", ".pyd", ".dylib")


def native_kind(name: str, head: bytes) -> str | None:
    """Return what compiled code the member `name` that begins with `head` is, None for none.

    The answer is a word for people: ELF file, Mach-O file, DLL, static library, extension module.
    """
    if head[:4] == b"\x7fELF":
        machine = int.from_bytes(head[18:20], "big" if head[5:6] == b"\2" else "little")
        return None if machine in _FOREIGN_MACHINES else "ELF file"
    if head[:4] in _MACH_O:
        return "Mach-O file"
    if head[:4] in _FAT and 0 < int.from_bytes(head[4:8], "big") < _JAVA_VERSION:
        return "Mach-O file"
    if head[:8] in (b"!<arch>\n", b"!<thin>\n"):
        return "static library"
    if head[:2] == b"MZ" and _is_native_dll(name, head):
        return "DLL"
    return "extension module" if name.lower().endswith(_SUFFIXES) else None


def _is_native_dll(name: str, head: bytes) -> bool:
    at = int.from_bytes(head[60:64], "little")
    if at + 24 > len(head) >= HEAD_PE:
        return name.lower().endswith(".dll")
    characteristics = int.from_bytes(head[at + 22 : at + 24], "little")
    if head[at : at + 4] != b"PE\0\0" or not characteristics & _PE_DLL:
        return False
    # Data directory 14 describes .NET bytecode, which runs anywhere; the optional header's magic
    # says where the directories begin.
    wide = head[at + 24 : at + 26] == b"\x0b\x02"
    managed = at + 24 + (112 if wide else 96) + 8 * 14
    return not any(head[managed : managed + 8])
