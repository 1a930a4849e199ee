"""Reads the CUDA architectures in a fatbin from its entry headers.

Payloads are neither decompressed nor read. NVIDIA does not document the format; the fields are
those of the fatbins that nvcc 11 to 13 write, checked against cuobjdump.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from variantbuild.binary.elf import Data
from variantbuild.binary.formats import FATBIN_MAGIC
from variantbuild.errors import VariantBuildError

_HEADER = struct.Struct("<IHHQ")
_ENTRY = struct.Struct("<HHIQIIHHIIIQ")
_KINDS: dict[int, Literal["ptx", "sass", "lto"]] = {1: "ptx", 2: "sass", 8: "lto"}
_ARCHITECTURE_SPECIFIC, _FAMILY_SPECIFIC = 0x100000, 0x200000
_FIRST_CHUNK, _CHUNK = 1 << 8, 1 << 16
#: More architectures than any file has code for.
MOST_TARGETS = 4096


class DeviceCodeError(VariantBuildError):
    """Device code is malformed, or compressed in a way that cannot be read here."""


@dataclass(frozen=True, order=True, slots=True)
class CudaImage:
    """One image of device code: `number` is 90 for sm_90, `suffix` is `a`, `f` or empty."""

    number: int
    suffix: Literal["", "a", "f"]
    kind: Literal["ptx", "sass", "lto"]

    def __str__(self) -> str:
        """Return NVIDIA's name: sm_90a for machine code, compute_90 for PTX, lto_90."""
        prefix = {"sass": "sm", "ptx": "compute", "lto": "lto"}[self.kind]
        return f"{prefix}_{self.number}{self.suffix}"


def parse_fatbins(data: Data) -> tuple[CudaImage, ...]:
    """Return the distinct images in a section of fatbins (.nv_fatbin), sorted.

    Raises DeviceCodeError if an entry extends beyond its fatbin, or a fatbin beyond the section. A
    section of padding only gives none.
    """
    found: set[CudaImage] = set()
    for start in _fatbins(data):
        _, _, header_size, size = _HEADER.unpack(data[start : start + _HEADER.size])
        found.update(_images(data, start + header_size, start + header_size + size))
        if len(found) > MOST_TARGETS:
            raise DeviceCodeError(f"it has code for over {MOST_TARGETS} GPU architectures")
    return tuple(sorted(found))


def _fatbins(data: Data) -> Iterator[int]:
    at, end = 0, len(data)
    while at + _HEADER.size <= end:
        if bytes(data[at : at + 4]) == FATBIN_MAGIC:
            _, version, header_size, size = _HEADER.unpack(data[at : at + _HEADER.size])
            if version != 1 or header_size < _HEADER.size or at + header_size + size > end:
                raise DeviceCodeError(f"the fatbin at byte {at} extends beyond its section")
            yield at
            at = -(-(at + header_size + size) // 8) * 8
        else:
            at = _next_magic(data, at + 8)


def _next_magic(data: Data, at: int) -> int:
    """Return the next 8-aligned offset of the magic number from `at`, or the end of the data."""
    end, size = len(data), _FIRST_CHUNK
    while at < end:
        chunk = bytes(data[at : min(at + size, end)])
        hit = chunk.find(FATBIN_MAGIC)
        while hit >= 0 and hit % 8:
            hit = chunk.find(FATBIN_MAGIC, hit + 1)
        if hit >= 0:
            return at + hit
        at += size
        size = min(2 * size, _CHUNK)  # many short gaps are not worth a large chunk each
    return end


def _images(data: Data, at: int, end: int) -> Iterator[CudaImage]:
    while at + _ENTRY.size <= end:
        entry = _ENTRY.unpack(data[at : at + _ENTRY.size])
        kind, _, header_size, size = entry[:4]
        number, flags = entry[8], entry[11]
        if header_size < _ENTRY.size or at + header_size + size > end:
            raise DeviceCodeError(f"the device code at byte {at} extends beyond its fatbin")
        if kind in _KINDS:
            suffix: Literal["", "a", "f"] = ""
            if flags & _ARCHITECTURE_SPECIFIC:
                suffix = "a"
            elif flags & _FAMILY_SPECIFIC:
                suffix = "f"
            yield CudaImage(number, suffix, _KINDS[kind])
        at += header_size + size
