"""The -m flags of gcc and clang for x86-64, and the features that each adds (data/isa.json)."""

from __future__ import annotations

import functools
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.isa.architecture import architecture

#: The name in -march of the baseline, which compilers use without the flag.
DEFAULT_MARCH = "x86-64"


class _Table(TypedDict):
    levels: dict[str, str]
    implied: dict[str, str]
    evex: list[str]
    named: str
    march: dict[str, str]


def features_of_march(name: str) -> frozenset[str] | None:
    """Return the features that -march=`name` enables beyond the baseline; None if unknown."""
    row = _table()["march"].get(name)
    if row is None:
        return None
    level, *more = row.split()
    return expand(*features_within(level), *more)


def features_within(level: str) -> frozenset[str]:
    """Return the features of all levels up to `level`, by the compilers' names."""
    known = architecture("x86_64")
    rows = _table()["levels"].items()
    return frozenset(
        name for each, names in rows if known.includes(level, each) for name in names.split()
    )


def level_needed(features: frozenset[str]) -> str:
    """Return the lowest level that has all of `features` that belong to any level."""
    known = architecture("x86_64")
    found = [level for level, names in _table()["levels"].items() if features & {*names.split()}]
    if any(map(is_evex, features)):
        found.append(known.levels[-1].name)
    return known.join(found).name


def level_reached(features: frozenset[str]) -> str:
    """Return the highest level whose features are all among `features`."""
    levels = architecture("x86_64").levels
    return [level.name for level in levels if features_within(level.name) <= features][-1]


def is_evex(feature: str) -> bool:
    """Return whether `feature` needs the encoding and registers of AVX-512, whatever the level."""
    return feature.startswith(tuple(_table()["evex"]))


def is_extension(feature: str) -> bool:
    """Return whether `feature` is outside all levels."""
    return feature not in (_in_levels() | {"abm", "sse4"})


def expand(*features: str) -> frozenset[str]:
    """Return `features` and those that they imply: -mavx2 enables AVX, which enables SSE 4.2."""
    implied = _table()["implied"]
    found: set[str] = set()
    left = list(features)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += implied.get(name, "").split()
    return frozenset(found)


@functools.cache
def known_features() -> frozenset[str]:
    """Return every feature in the table."""
    table = _table()
    texts = [*table["levels"].values(), *table["march"].values(), *table["implied"].values()]
    words = {word for text in texts for word in text.split()}
    words |= {*table["implied"], *table["named"].split()}
    return frozenset(words) - {level.name for level in architecture("x86_64").levels}


@functools.cache
def _in_levels() -> frozenset[str]:
    return features_within(architecture("x86_64").levels[-1].name)


def _table() -> _Table:
    return cast("_Table", load_table("isa")["x86_flags"])
