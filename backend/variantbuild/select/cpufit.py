"""What a CPU lacks for code that was built for another."""

from __future__ import annotations

from variantbuild.isa.architecture import architecture
from variantbuild.probe.facts import Cpu


def lacks(cpu: Cpu, name: str) -> tuple[str, ...]:
    """Return what keeps `cpu` from running code for the CPU or level `name`, as clauses.

    `name` is one of the same architecture. Empty if nothing is known to be missing. Loads archspec
    for names that are not levels.
    """
    known = architecture(cpu.family)
    level = known.level(name)
    if level is not None:
        if cpu.level is not None and known.includes(cpu.level, level.name):
            return ()
        if level.features is not None:
            return _missing(set(level.features - cpu.features))
        return (f"does not show whether it reaches {level}",)
    from archspec.cpu import TARGETS

    target = TARGETS[name]
    reasons = []
    if target.vendor not in ("generic", cpu.vendor) and cpu.vendor != "generic":
        reasons.append(f"is made by {cpu.vendor}, not by {target.vendor}")
    if target.generation > cpu.generation:
        reasons.append(f"is of generation {cpu.generation}, not {target.generation}")
    if cpu.family == "riscv64" and target.vendor != "generic" and target.name != cpu.part:
        reasons.append(f"is a {cpu.part or 'plain riscv64'}")
    # Two of Linux's features for arm64 are services of the kernel, not of the CPU.
    needed = set(target.features) - {"evtstrm", "cpuid"}
    return (*reasons, *_missing(needed - cpu.features))


def _missing(features: set[str]) -> tuple[str, ...]:
    return (f"lacks {', '.join(sorted(features))}",) if features else ()
