"""Hostile wheels in bounded memory and linear time: one shape for every text that is read."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
from pathlib import Path

import pytest

from variantbuild.wheel import UnsoundWheelError, open_wheel, verify_wheel
from wheels.shapes import NAME, SHAPES

_SMALL, _LARGE = 1 << 17, 1 << 20
#: The size of the wheel whose memory is traced, which takes ten times as long, and the limit.
_TRACED, _MEMORY = 1 << 18, 16 << 20


def _verify(path: Path) -> None:
    with contextlib.suppress(UnsoundWheelError), open_wheel(path) as wheel:
        verify_wheel(wheel)


@pytest.mark.parametrize("shape", SHAPES)
def test_memory_is_bounded(shape: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(SHAPES[shape](1 << 12))
    _verify(path)  # imports
    path.write_bytes(SHAPES[shape](_TRACED))
    tracemalloc.start()
    try:
        _verify(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= _MEMORY + 2 * path.stat().st_size, f"{peak >> 20} MiB"


@pytest.mark.parametrize("shape", SHAPES)
def test_time_is_linear(shape: str, tmp_path: Path) -> None:
    path = tmp_path / NAME
    seconds = []
    for size in (_SMALL, _LARGE):
        path.write_bytes(SHAPES[shape](size))
        started = time.process_time()
        _verify(path)
        seconds.append(time.process_time() - started)
    # Quadratic is 64 times as long.
    assert seconds[1] <= 16 * seconds[0] + 0.5, seconds
