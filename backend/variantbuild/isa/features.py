"""The generic levels of an architecture, and what a processor lacks for one.

Interprets data/levels.json; archspec is loaded only for names that are no level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, cast

from variantbuild.data import load_table


class Level(TypedDict):
    """One generic level: what it needs itself, and the levels that it stands `after`."""

    name: str
    after: list[str]
    features: list[str]


class _StateFeatures(TypedDict):
    mask: int
    prefixes: list[str]


class CpuTables(TypedDict):
    """data/levels.json."""

    levels: dict[str, list[Level]]
    families: dict[str, str]
    arm_vendors: dict[str, str]
    riscv_parts: dict[str, str]
    darwin_x86_features: dict[str, list[str]]
    darwin_arm_floor: list[str]
    darwin_arm_features: dict[str, list[str]]
    state_features: dict[str, _StateFeatures]


def family_of(machine: str) -> str:
    """Return archspec's name for the architecture that `platform.machine()` calls `machine`."""
    return cpu_tables()["families"].get(machine.lower(), machine)


def level_of(family: str, features: frozenset[str]) -> str | None:
    """Return the highest generic level of `family` whose features are all there.

    None where the architecture has none, or not even the first is reached.
    """
    reached: list[str] = []
    for level in cpu_tables()["levels"].get(family, []):
        if features.issuperset(level["features"]) and all(n in reached for n in level["after"]):
            reached.append(level["name"])
    return reached[-1] if reached else None


def enabled_features(features: frozenset[str], states: int | None) -> frozenset[str]:
    """Return `features` less those whose register states the system does not save.

    `states` is XCR0; None leaves all. CPUID shows what the processor can do: a feature may be
    used only where the operating system has enabled its registers (Intel's manual, volume 1,
    section 14.3).
    """
    if states is None:
        return features
    for rule in cpu_tables()["state_features"].values():
        if states & rule["mask"] != rule["mask"]:
            lost = tuple(rule["prefixes"])
            features = frozenset(f for f in features if not f.startswith(lost))
    return features


def cpu_tables() -> CpuTables:
    """Return the tables on processors."""
    tables: Mapping[str, object] = load_table("levels")
    return cast("CpuTables", tables)
