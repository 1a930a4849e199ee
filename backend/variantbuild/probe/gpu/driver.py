"""Which drivers run which CUDA."""

from __future__ import annotations

import re
from collections.abc import Mapping

from variantbuild.data import load_table
from variantbuild.probe.gpu.gpufacts import Driver


def driver_floor(major: int) -> str:
    """Return the oldest driver that runs CUDA `major`, '' if unknown.

    Source: NVIDIA's CUDA compatibility guide, minor version compatibility.
    """
    floors = load_table("cuda")["driver_floors"]
    return str(floors.get(str(major), "")) if isinstance(floors, Mapping) else ""


def is_below_floor(driver: Driver, major: int) -> bool:
    """Return whether `driver` is known to be too old for CUDA `major`."""
    floor = driver_floor(major)
    if not floor or not driver.version:
        return driver.cuda is not None and driver.cuda[0] < major
    return _numbers(driver.version) < _numbers(floor)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))
