"""Reads the GPU architectures that a file has code for: CUDA fatbins and ROCm offload bundles.

    code = read_device_code(data, parse_elf(data))
    code.cuda   (CudaImage sm_80, compute_90, …)
    code.rocm   ("gfx90a:xnack-", "gfx1030", …)

Cubins outside the fatbin sections (libcublasLt's `.cask_resource`) are not found; cuobjdump does
not find them either.
"""

from __future__ import annotations

from typing import cast

from variantbuild.binary.devicecode.fatbin import CudaImage, DeviceCodeError, parse_fatbins
from variantbuild.binary.devicecode.offload import parse_bundles
from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.formats import FATBIN_MAGIC
from variantbuild.data import load_table
from variantbuild.values import dataclass

__all__ = ["CudaImage", "DeviceCode", "DeviceCodeError", "read_device_code"]

_FATBIN_SECTIONS = (".nv_fatbin", "__nv_relfatbin")
_BUNDLE_SECTION = ".hip_fatbin"


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceCode:
    """The device code of one file: distinct images and targets, sorted.

    `fault` is the reason why some of it could not be read, or None.
    """

    cuda: tuple[CudaImage, ...] = ()
    rocm: tuple[str, ...] = ()
    fault: str | None = None

    def __bool__(self) -> bool:
        return bool(self.cuda or self.rocm or self.fault)


class _Part:
    """A range of data that can be sliced like separate data, without a copy."""

    def __init__(self, data: Data, start: int, size: int) -> None:
        self._data, self._start = data, start
        self._size = max(0, min(size, len(data) - start))

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice[int, int, None], /) -> bytes | memoryview:
        start = min(max(part.start, 0), self._size)
        stop = min(max(part.stop, start), self._size)
        return self._data[self._start + start : self._start + stop]


def read_device_code(data: Data, elf: Elf | None) -> DeviceCode:
    """Return the device code in an ELF file, or (`elf` None) in a bundle or fatbin file.

    Malformed device code is reported in `fault`, and what was read before it is returned.
    """
    cuda: set[CudaImage] = set()
    rocm: set[str] = set()
    fault = None
    try:
        for kind, part in _parts(data, elf):
            if kind == "cuda":
                cuda.update(parse_fatbins(part))
            else:
                rocm.update(parse_bundles(part))
    except DeviceCodeError as error:
        fault = str(error)
    if elf is not None and elf.machine == "cuda":
        cuda.add(CudaImage(_cubin_architecture(elf), "", "sass"))
    if elf is not None and elf.machine == "amdgpu":
        rocm.add(_amdgpu_target(elf))
    return DeviceCode(cuda=tuple(sorted(cuda)), rocm=tuple(sorted(rocm)), fault=fault)


def _parts(data: Data, elf: Elf | None) -> list[tuple[str, Data]]:
    if elf is None:
        kind = "cuda" if bytes(data[0:4]) == FATBIN_MAGIC else "rocm"
        return [(kind, data)]
    found: list[tuple[str, Data]] = []
    for each in elf.sections:
        if each.name in _FATBIN_SECTIONS:
            found.append(("cuda", _Part(data, each.offset, each.size)))
        elif each.name == _BUNDLE_SECTION:
            found.append(("rocm", _Part(data, each.offset, each.size)))
    if sum(len(part) for _, part in found) > len(data):
        raise DeviceCodeError("the sections of device code overlap")
    return found


def _cubin_architecture(elf: Elf) -> int:
    # Up to CUDA 12 (ABI 7) the low byte of e_flags, since CUDA 13 (ABI 8) the second.
    return (elf.flags >> 8 if elf.abi_version >= 8 else elf.flags) & 0xFF


def _amdgpu_target(elf: Elf) -> str:
    table = cast("dict[str, str]", load_table("amdgpu")["machines"])
    number = elf.flags & 0xFF
    return table.get(f"{number:#04x}", f"amdgpu machine {number:#04x}")
