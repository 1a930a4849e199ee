"""The features that the levels of the Arm architecture guarantee."""

from __future__ import annotations

import functools
from typing import TypedDict, cast

from variantbuild.data import load_table


@functools.cache
def promised_by(level: str) -> frozenset[str]:
    """Return the features that every CPU of an Arm architecture `level` has."""
    from variantbuild.isa.levels import includes

    return frozenset(
        feature
        for each, features in _table()["promises"].items()
        if includes("aarch64", level, each)
        for feature in features.split()
    )


def level_for(features: frozenset[str]) -> str:
    """Return the lowest level with all of `features` that any level guarantees."""
    from variantbuild.isa.levels import highest

    table = _table()["promises"]
    needed = [level for level, words in table.items() if features.intersection(words.split())]
    return highest("aarch64", needed)


def feature_of(capability: str) -> str:
    """Return the feature for a capability as Linux and archspec name it."""
    return _table()["linux"].get(capability, capability)


class _Table(TypedDict):
    promises: dict[str, str]
    linux: dict[str, str]


@functools.cache
def _table() -> _Table:
    return cast("_Table", load_table("aarch64_instructions"))
