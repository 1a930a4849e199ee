"""Recognises compiled code by its first bytes, for wheels that claim to hold none.

Code for GPUs (cubin, AMD code objects) and eBPF is data to the host and may lie in a wheel tagged
`any`; so may the .exe launchers that setuptools and pip carry. Source: the ELF, Mach-O, PE and
ar formats; e_machine numbers from the ELF registry.
"""

from __future__ import annotations

#: Bytes that `native_kind` wants to see.
HEAD = 1024

_FOREIGN_MACHINES = {190, 224, 247}  # EM_CUDA, EM_AMDGPU, EM_BPF
_MACH_O = {bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe")}
_FAT = bytes.fromhex("cafebabe")
#: A fat Mach-O counts its architectures where a Java class has its version, at least 45.
_JAVA_VERSION = 45
_PE_DLL = 0x2000


def native_kind(head: bytes) -> str | None:
    """Return what compiled code begins with `head` (ELF, Mach-O, DLL, static library), or None."""
    if head[:4] == b"\x7fELF" and len(head) >= 20:
        order = "big" if head[5] == 2 else "little"
        machine = int.from_bytes(head[18:20], "big" if order == "big" else "little")
        return None if machine in _FOREIGN_MACHINES else "ELF file"
    if head[:4] in _MACH_O:
        return "Mach-O file"
    if head[:4] == _FAT and 0 < int.from_bytes(head[4:8], "big") < _JAVA_VERSION:
        return "Mach-O file"
    if head[:8] == b"!<arch>\n":
        return "static library"
    if head[:2] == b"MZ" and len(head) >= 64:
        at = int.from_bytes(head[60:64], "little")
        characteristics = int.from_bytes(head[at + 22 : at + 24], "little")
        if head[at : at + 4] == b"PE\0\0" and characteristics & _PE_DLL:
            return "DLL"
    return None
