"""The one recogniser of machine code: every format by its first bytes, damaged and cut short."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binaries.elves import elf
from variantbuild.binary.formats import HEAD, HEAD_LIMIT, MachineCode, head_size, recognize
from variantbuild.binary.pe import HEAD_PE
from wheels.forge import managed_dll

X86, ARM = 0x01000007, 0x0100000C


def fat(*cpus: int, magic: str = "cafebabe") -> bytes:
    """Return the header of a fat Mach-O file with a slice for each of `cpus`."""
    size = {"cafebabe": 20, "cafebabf": 32}[magic]
    head = bytes.fromhex(magic) + struct.pack(">I", len(cpus))
    return head + b"".join(struct.pack(">I", cpu).ljust(size, b"\0") for cpu in cpus)


def pe(machine: int = 0x8664, *, dll: bool = True, at: int = 128) -> bytes:
    """Return the headers of a PE file that begins with a DOS program of `at` bytes."""
    dos = (b"MZ" + bytes(58) + struct.pack("<I", at)).ljust(at, b"\0")
    coff = struct.pack("<HHIIIHH", machine, 0, 0, 0, 0, 0, 0x2000 if dll else 2)
    return dos + b"PE\0\0" + coff + b"\x0b\x02" + bytes(300)


CASES: dict[str, tuple[str, bytes, MachineCode | None]] = {
    "text": ("m.py", b"pass\n", None),
    "empty": ("m.py", b"", None),
    "ELF": ("m.so", elf(), MachineCode("elf", "host", ("x86_64",), "ELF file")),
    "ELF of four bytes": ("m", b"\x7fELF", MachineCode("elf", "host", (), "ELF file")),
    "big-endian ELF": (
        "m",
        b"\x7fELF\x02\x02\x01" + bytes(9) + b"\0\3\0\x16" + bytes(50),
        MachineCode("elf", "host", ("s390x",), "ELF file"),
    ),
    "little-endian POWER": (
        "m",
        elf(machine=21),
        MachineCode("elf", "host", ("ppc64le",), "ELF file"),
    ),
    "cubin": ("k.cubin", elf(machine=190), MachineCode("elf", "device", ("cuda",), "ELF file")),
    "hsaco": ("k.hsaco", elf(machine=224), MachineCode("elf", "device", ("amdgpu",), "ELF file")),
    "eBPF": ("k.bpf.o", elf(machine=247), MachineCode("elf", "data", ("bpf",), "ELF file")),
    "fatbin": (
        "k.fatbin",
        struct.pack("<I", 0xBA55ED50) + bytes(60),
        MachineCode("device", "device", ("cuda",), "GPU code"),
    ),
    "offload bundle": (
        "k.hsaco",
        b"__CLANG_OFFLOAD_BUNDLE__" + bytes(40),
        MachineCode("device", "device", ("amdgpu",), "GPU code"),
    ),
    "compressed bundle": (
        "k.hsaco",
        b"CCOB" + bytes(40),
        MachineCode("device", "device", ("amdgpu",), "GPU code"),
    ),
    "archive": ("l.a", b"!<arch>\n", MachineCode("ar", "host", (), "static library")),
    "thin archive": ("l.a", b"!<thin>\n", MachineCode("ar", "host", (), "static library")),
    "Mach-O": (
        "m.so",
        bytes.fromhex("cffaedfe0c000001") + bytes(30),
        MachineCode("mach-o", "host", ("aarch64",), "Mach-O file"),
    ),
    "big-endian Mach-O": (
        "m",
        bytes.fromhex("feedface00000012") + bytes(30),
        MachineCode("mach-o", "host", ("ppc",), "Mach-O file"),
    ),
    "universal2": (
        "m.so",
        fat(X86, ARM),
        MachineCode("mach-o", "host", ("x86_64", "aarch64"), "Mach-O file"),
    ),
    "fat of 64 bits": (
        "m",
        fat(*[X86, ARM] * 22, magic="cafebabf"),
        MachineCode("mach-o", "host", ("x86_64", "aarch64"), "Mach-O file"),
    ),
    "fat without entries": (
        "m",
        bytes.fromhex("cafebabe00000002"),
        MachineCode("mach-o", "host", (), "Mach-O file"),
    ),
    "DLL": ("m.dll", pe(), MachineCode("pe", "host", ("x86_64",), "DLL")),
    "DLL for Arm": ("m", pe(0xAA64), MachineCode("pe", "host", ("aarch64",), "DLL")),
    "DLL with a header beyond the head": (
        "m.DLL",
        pe(at=HEAD_PE),
        MachineCode("pe", "host", (), "DLL"),
    ),
    "DOS program": ("m.com", pe(at=HEAD_PE), None),
    "launcher": (
        "t64.exe",
        pe(dll=False),
        MachineCode("pe", "data", ("x86_64",), "Windows executable"),
    ),
    ".NET": ("m.dll", managed_dll(wide=True), None),
    ".NET for 32 bits": ("m.dll", managed_dll(wide=False), None),
    ".NET that Python would load": (
        "m.pyd",
        managed_dll(wide=True),
        MachineCode("unknown", "host", (), "extension module"),
    ),
    "linker script": (
        "libx.so",
        b"INPUT(libx.so.1)",
        MachineCode("unknown", "host", (), "extension module"),
    ),
    "executable that Python would load": (
        "m.pyd",
        pe(dll=False),
        MachineCode("pe", "host", ("x86_64",), "extension module"),
    ),
    "extension in capitals": (
        "M.PYD",
        b"?",
        MachineCode("unknown", "host", (), "extension module"),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_files_are_what_their_first_bytes_say(case: str) -> None:
    name, data, expected = CASES[case]
    assert recognize(name, data) == expected
    # What the wheel engine reads of a member decides as the whole file does.
    assert recognize(name, data[: head_size(data[:4])]) == expected
    if case not in ("ELF of four bytes", "fat without entries"):
        assert recognize(name, data + bytes(HEAD_LIMIT)) == expected


@pytest.mark.parametrize("count", [1, 2, 20, 21, 44])
def test_fat_files_have_fewer_slices_than_a_java_class_has_versions(count: int) -> None:
    found = recognize("m", fat(*[X86] * (count - 1), ARM))
    assert found is not None
    assert found.machines == (("x86_64",) if count > 1 else ()) + ("aarch64",)


@pytest.mark.parametrize("version", [45, 52, 65, 3 << 16 | 45])
def test_java_classes_hold_no_machine_code(version: int) -> None:
    assert recognize("Main.class", bytes.fromhex("cafebabe") + struct.pack(">I", version)) is None


def test_fat_files_without_a_slice_are_nothing() -> None:
    assert recognize("m", fat()) is None
    assert recognize("m", fat(magic="cafebabf")) is None


@given(
    start=st.sampled_from([data[:200] for _, data, _ in CASES.values()]),
    rest=st.binary(max_size=80),
    cut=st.integers(0, 280),
)
def test_any_bytes_give_a_value(start: bytes, rest: bytes, cut: int) -> None:
    data = (start + rest)[:cut]
    recognize("m", data)
    assert HEAD <= head_size(data) <= HEAD_LIMIT
