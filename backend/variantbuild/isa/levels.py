"""How the levels of an architecture include one another.

x86-64's are a chain (psABI, v1 to v4). Arm's are not: armv9.0a is armv8.5a and SVE2.
"""

from __future__ import annotations

import functools
from typing import cast

from variantbuild.data import load_table

BASELINES = {"x86_64": "v1", "aarch64": "armv8a"}


def includes(arch: str, have: str, need: str) -> bool:
    """Tell whether a processor of level `have` runs code of level `need`.

    `arch` is archspec's family name. Levels that are not in the table include only themselves.
    """
    return need in _closure(arch, have)


def highest(arch: str, levels: list[str]) -> str:
    """Return the lowest level that runs code of all `levels`; the baseline of `arch` for none."""
    top = BASELINES.get(arch, "")
    for level in levels:
        if includes(arch, top, level):
            continue
        if includes(arch, level, top):
            top = level
        else:
            # Two levels of which neither includes the other (armv8.9a, armv9.0a).
            both = [each for each in _table(arch) if {top, level} <= _closure(arch, each)]
            top = min(both, key=lambda each: len(_closure(arch, each)), default=level)
    return top


def is_level(arch: str, name: str) -> bool:
    """Tell whether `name` is one of the levels of `arch`."""
    return name in _table(arch)


@functools.cache
def _closure(arch: str, level: str) -> frozenset[str]:
    found = {level}
    for each in _table(arch).get(level, []):
        found |= _closure(arch, each)
    return frozenset(found)


def _table(arch: str) -> dict[str, list[str]]:
    levels = cast("dict[str, dict[str, list[str]]]", load_table("isa")["levels"])
    return levels.get(arch, {})
