"""The CPU names that a label may use: levels, and archspec's names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from variantbuild.isa.architecture import architecture, architectures

#: Values of the `cpu` setting that are not names of CPUs.
CONFIG_WORDS = frozenset({"auto", "native", "none"})


@cache
def known_cpus(arch: str) -> tuple[str, ...]:
    """Return the CPUs that a label for `arch` (archspec's family) may name.

    The levels come first, then archspec's names in its own order. Source: archspec's
    microarchitectures.json, whose `x86_64_v3` is `v3` here and whose `aarch64` is `armv8a`.
    """
    known = architecture(arch)
    levels = tuple(level.name for level in known.levels)
    generic = {name for name, _ in known.aliases} | {arch if levels else ""}
    generic |= {f"{arch}_{level}" for level in levels}
    names = (name for name, family in _families().items() if family == arch)
    return (*levels, *(name for name in names if name not in generic and name not in levels))


def family_of(cpu: str) -> str | None:
    """Return the architecture that the CPU or level `cpu` belongs to, None for an unknown name."""
    for each in architectures():
        if each.levels and each.level(cpu) is not None:
            return each.name
    return _families().get(cpu)


def all_cpus() -> tuple[str, ...]:
    """Return the names of every architecture, levels first."""
    levels = (level.name for each in architectures() for level in each.levels)
    return tuple(dict.fromkeys((*levels, *_families())))


def suggest(text: str, names: Iterable[str]) -> str | None:
    """Return the known name nearest to `text`, None if nothing is similar."""
    from difflib import get_close_matches

    near = get_close_matches(text.lower(), sorted(names), n=1, cutoff=0.6)
    return near[0] if near else None


@cache
def _families() -> dict[str, str]:
    """Map archspec's names to their families; loaded on use, as archspec takes 20 ms."""
    import archspec.cpu

    return {name: target.family.name for name, target in archspec.cpu.TARGETS.items()}
