"""Device code: fatbins and bundles made by hand, and damaged."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binaries.elves import elf
from variantbuild.binary.devicecode import read_device_code
from variantbuild.binary.devicecode.fatbin import DeviceCodeError, parse_fatbins
from variantbuild.binary.devicecode.offload import parse_bundles
from variantbuild.binary.elf import parse_elf


def fatbin(*entries: tuple[int, int, int]) -> bytes:
    """Return a fatbin with (kind, architecture, flags) entries, each with 16 bytes of payload."""
    body = b"".join(
        struct.pack("<HHIQIIHHIIIQQQ", kind, 0x101, 72, 16, 0, 0, 0, 1, number, 0, 0, flags, 0, 0)
        + bytes(8 + 16)
        for kind, number, flags in entries
    )
    return struct.pack("<IHHQ", 0xBA55ED50, 1, 16, len(body)) + body


def bundle(*names: str) -> bytes:
    """Return an offload bundle with an entry of 8 bytes for each name, empty for the host."""
    table = struct.pack("<Q", len(names))
    for name in names:
        size = 0 if name.startswith("host") else 8
        table += struct.pack("<QQQ", 4096, size, len(name)) + name.encode()
    return (b"__CLANG_OFFLOAD_BUNDLE__" + table).ljust(4096, b"\0") + bytes(8)


_BUNDLE = bundle("host-x86_64-unknown-linux", "hipv4-amdgcn-amd-amdhsa--gfx90a:xnack-")


def test_fatbin_entries() -> None:
    data = fatbin((2, 80, 0), (2, 90, 0x100000), (2, 100, 0x200000), (1, 120, 0), (8, 75, 0))
    found = [str(each) for each in parse_fatbins(bytes(24) + data + bytes(40) + data)]
    assert found == ["lto_75", "sm_80", "sm_90a", "sm_100f", "compute_120"]


def test_fatbin_that_reaches_outside() -> None:
    with pytest.raises(DeviceCodeError, match="extends beyond"):
        parse_fatbins(fatbin((2, 80, 0))[:-8])


def test_bundles() -> None:
    assert parse_bundles(_BUNDLE) == ("gfx90a:xnack-",)
    generic = bundle("hipv4-amdgcn-amd-amdhsa--gfx9-4-generic", "hip-amdgcn-amd-amdhsa-gfx906")
    assert parse_bundles(generic) == ("gfx9-4-generic", "gfx906")


def test_compressed_bundle() -> None:
    zstandard = pytest.importorskip("zstandard", reason="the extra audit is not installed")
    packed = zstandard.ZstdCompressor().compress(_BUNDLE)
    head = b"CCOB" + struct.pack("<HHIIQ", 2, 1, 24 + len(packed), len(_BUNDLE), 0)
    assert parse_bundles(head + packed) == ("gfx90a:xnack-",)
    with pytest.raises(DeviceCodeError, match="damaged|truncated"):
        parse_bundles(head + packed[:10] + bytes(20))


def test_code_objects_in_files_of_their_own() -> None:
    amd = elf(machine=224, flags=0x500 | 0x4C)
    assert read_device_code(amd, parse_elf(amd)).rocm == ("gfx942",)
    old, new = elf(machine=190, flags=80, abi_version=7), elf(machine=190, flags=90 << 8)
    assert [str(each) for each in read_device_code(old, parse_elf(old)).cuda] == ["sm_80"]
    assert read_device_code(new, parse_elf(new)).cuda != ()
    assert read_device_code(_BUNDLE, None).rocm == ("gfx90a:xnack-",)


def test_damage_is_reported_beside_what_was_read() -> None:
    data = elf(sections={".nv_fatbin": fatbin((2, 80, 0))[:-8], ".hip_fatbin": b""})
    found = read_device_code(data, parse_elf(data))
    assert found.fault is not None
    assert "extends beyond" in found.fault


@settings(max_examples=300, deadline=1000)
@given(
    changes=st.lists(st.tuples(st.integers(0, 4200), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 4200),
)
def test_damaged_device_code(changes: list[tuple[int, int]], cut: int) -> None:
    for parse, whole in ((parse_fatbins, fatbin((2, 80, 0), (1, 90, 0))), (parse_bundles, _BUNDLE)):
        data = bytearray(whole)
        for at, value in changes:
            data[at % len(data)] = value
        with contextlib.suppress(DeviceCodeError):
            parse(bytes(data[: len(data) - cut % 64]))
