"""How many levels of a bundle are built at the same time."""

from __future__ import annotations

import pytest

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.hooks.levelbuilds import levels_at_once

GIB = 1 << 30


@pytest.mark.parametrize(
    ("system", "levels", "cpus", "available", "expected"),
    [
        (BuildSystem.SETUPTOOLS, 3, 1, 64 * GIB, 1),
        (BuildSystem.SETUPTOOLS, 3, 2, 7 * GIB, 2),
        (BuildSystem.SETUPTOOLS, 3, 8, 7 * GIB, 3),
        (BuildSystem.SETUPTOOLS, 3, 8, 3 * GIB, 1),
        (BuildSystem.SCIKIT_BUILD_CORE, 3, 4, 15 * GIB, 3),
        (BuildSystem.SCIKIT_BUILD_CORE, 3, 8, 16 * GIB, 2),
        (BuildSystem.MESON_PYTHON, 3, 64, 64 * GIB, 1),
        (BuildSystem.UNKNOWN, 2, 4, 1 * GIB, 1),
        (BuildSystem.SETUPTOOLS, 3, 8, None, 1),
        (BuildSystem.SETUPTOOLS, 3, 8, 0, 1),
    ],
)
def test_levels_at_once(
    system: BuildSystem, levels: int, cpus: int, available: int | None, expected: int
) -> None:
    assert levels_at_once(levels, system, cpus, available) == expected
