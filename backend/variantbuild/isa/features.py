"""Tables of CPU features: their names on each system, and those that a system must enable."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, cast

from variantbuild.data import load_table


class _StateFeatures(TypedDict):
    mask: int
    prefixes: list[str]


class CpuTables(TypedDict):
    """data/cpu_probe.json."""

    arm_vendors: dict[str, str]
    riscv_parts: dict[str, str]
    darwin_x86_features: dict[str, list[str]]
    darwin_arm_floor: list[str]
    darwin_arm_features: dict[str, list[str]]
    state_features: dict[str, _StateFeatures]


def enabled_features(features: frozenset[str], states: int | None) -> frozenset[str]:
    """Return `features` without those whose register states the system does not save.

    `states` is XCR0; None keeps all. CPUID reports what the CPU supports: a feature may be used
    only if the operating system has enabled its registers (Intel's manual, volume 1, section
    14.3).
    """
    if states is None:
        return features
    for rule in cpu_tables()["state_features"].values():
        if states & rule["mask"] != rule["mask"]:
            lost = tuple(rule["prefixes"])
            features = frozenset(f for f in features if not f.startswith(lost))
    return features


def cpu_tables() -> CpuTables:
    """Return the tables of CPU names and features."""
    tables: Mapping[str, object] = load_table("cpu_probe")
    return cast("CpuTables", tables)
