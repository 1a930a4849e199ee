"""The names of processors that a label may use: the x86-64 levels, and archspec's."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

#: The levels of the x86-64 psABI, low-level system information, table 3.1.
LEVELS: tuple[str, ...] = ("v1", "v2", "v3", "v4")

#: Words of the `cpu` setting that choose a processor and so never name one.
CONFIG_WORDS = frozenset({"auto", "native", "none"})


def baseline_cpu(arch: str) -> str:
    """Return the name for what every machine of `arch` can run: `v1`, or the family's own name."""
    return "v1" if arch == "x86_64" else arch


@cache
def known_cpus(arch: str) -> tuple[str, ...]:
    """Return the processors that a label for `arch` (archspec's family) may name.

    The levels come first, then archspec's names in its own order. Source: archspec's
    microarchitectures.json, whose `x86_64_v3` is `v3` here.
    """
    names = [name for name, family in _families().items() if family == arch]
    if arch != "x86_64":
        return tuple(names)
    spelled_out = {"x86_64", *(f"x86_64_{level}" for level in LEVELS)}
    return (*LEVELS, *(name for name in names if name not in spelled_out))


def family_of(cpu: str) -> str | None:
    """Return the architecture that processor `cpu` belongs to, None for an unknown name."""
    return "x86_64" if cpu in LEVELS else _families().get(cpu)


def all_cpus() -> tuple[str, ...]:
    """Return the names of every architecture, levels first."""
    return (*LEVELS, *_families())


def suggest(text: str, names: Iterable[str]) -> str | None:
    """Return the known name nearest to `text`, None where nothing is near."""
    from difflib import get_close_matches

    near = get_close_matches(text.lower(), sorted(names), n=1, cutoff=0.6)
    return near[0] if near else None


@cache
def _families() -> dict[str, str]:
    """Map archspec's names to their families; loaded on use, since it takes 20 ms."""
    import archspec.cpu

    return {name: target.family.name for name, target in archspec.cpu.TARGETS.items()}
