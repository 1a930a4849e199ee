"""Hostile files in bounded memory and linear time: one shape for every table that is read."""

from __future__ import annotations

import contextlib
import time
import tracemalloc

import pytest

from binaries.shapes import SHAPES
from variantbuild.binary.devicecode import read_device_code
from variantbuild.binary.elf import Elf, ElfError, parse_elf
from variantbuild.binary.elf.symbols import initializers, read_bounds, read_slots, read_symbols

_SMALL, _LARGE = 1 << 18, 1 << 20
#: Traced memory for the smaller file, which takes ten times as long to read then. A reader that
#: copies the shared region for each reference needs 256 MiB.
_MEMORY = 16 << 20
#: Seconds that do not count: a quadratic reader takes sixteen times as long for the larger file.
_NOISE = 0.5


def _read_everything(data: memoryview) -> None:
    """Read what builds and audits read of a file, and give up where they do."""
    elf: Elf | None = None
    if bytes(data[:4]) == b"\x7fELF":
        try:
            elf = parse_elf(data)
        except ElfError:
            return
        for read in (
            read_bounds,
            read_symbols,
            lambda d, e: [*initializers(d, e, read_slots(d, e))],
        ):
            with contextlib.suppress(ElfError):
                read(data, elf)
    read_device_code(data, elf)


@pytest.mark.parametrize("shape", SHAPES)
def test_memory_is_bounded(shape: str) -> None:
    data = SHAPES[shape](_SMALL)
    tracemalloc.start()
    try:
        _read_everything(memoryview(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= _MEMORY + 2 * len(data), f"{peak >> 20} MiB"


@pytest.mark.parametrize("shape", SHAPES)
def test_time_is_linear(shape: str) -> None:
    seconds = []
    for size in (_SMALL, _LARGE):
        data = memoryview(SHAPES[shape](size))
        started = time.process_time()
        _read_everything(data)
        seconds.append(time.process_time() - started)
    assert seconds[1] <= 8 * seconds[0] + _NOISE, seconds


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_is_read_or_refused_with_a_sentence(shape: str) -> None:
    data = SHAPES[shape](1 << 14)
    with contextlib.suppress(ElfError):
        _read_everything(memoryview(data))
