"""What a CPU lacks for code that was built for another."""

from __future__ import annotations

from collections.abc import Mapping

from variantbuild.isa.features import Level, cpu_tables
from variantbuild.probe.facts import Cpu


def lacks(cpu: Cpu, name: str) -> tuple[str, ...]:
    """Say what keeps `cpu` from running code for the processor or level `name`, a clause each.

    `name` is one of the same architecture. Nothing is said where nothing is known to be missing.
    Loads archspec for names that are no level.
    """
    levels = {level["name"]: level for level in cpu_tables()["levels"].get(cpu.family, [])}
    if name in levels:
        return _missing(_features_of(levels, name) - cpu.features)
    from archspec.cpu import TARGETS

    target = TARGETS[name]
    reasons = []
    if target.vendor not in ("generic", cpu.vendor) and cpu.vendor != "generic":
        reasons.append(f"is of {cpu.vendor}, not of {target.vendor}")
    if target.generation > cpu.generation:
        reasons.append(f"is of generation {cpu.generation}, not {target.generation}")
    if cpu.family == "riscv64" and target.vendor != "generic" and target.name != cpu.part:
        reasons.append(f"is a {cpu.part or 'plain riscv64'}")
    # Two of Linux's words for arm64 are services of the kernel, not of the processor.
    needed = set(target.features) - {"evtstrm", "cpuid"}
    return (*reasons, *_missing(needed - cpu.features))


def _features_of(levels: Mapping[str, Level], name: str) -> set[str]:
    features = set(levels[name]["features"])
    for below in levels[name]["after"]:
        features |= _features_of(levels, below)
    return features


def _missing(features: set[str]) -> tuple[str, ...]:
    return (f"lacks {', '.join(sorted(features))}",) if features else ()
