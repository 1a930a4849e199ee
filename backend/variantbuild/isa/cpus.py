"""The CPU names that are allowed in labels: levels, and archspec's names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

from variantbuild.isa.architecture import Architecture, architecture, architectures

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
    """Return the architecture of the CPU or level `cpu`; None for an unknown name."""
    for each in architectures():
        if each.levels and each.level(cpu) is not None:
            return each.name
    return _families().get(cpu)


def all_cpus() -> tuple[str, ...]:
    """Return the names of every architecture, levels first."""
    levels = (level.name for each in architectures() for level in each.levels)
    return tuple(dict.fromkeys((*levels, *_families())))


def suggest(text: str, names: Iterable[str]) -> str | None:
    """Return the known name closest to `text`; None if nothing is similar."""
    from difflib import get_close_matches

    near = get_close_matches(text.lower(), sorted(names), n=1, cutoff=0.6)
    return near[0] if near else None


def explain_unknown(text: str, arch: str, others: Iterable[str] = ()) -> str:
    """Return what to write instead of `text`, which is not a CPU of `arch`, in one line.

    Names the levels, and the closest name among CPUs and `others`. A level in another spelling
    (`x86-64-v3`, `V3`) and a feature that a level brings (`avx2`) are recognised.
    """
    known = architecture(arch)
    levels = tuple(level.name for level in known.levels)
    listed = f"the levels of {arch} are {', '.join(levels)}" if levels else ""
    if (level := _respelled(text, known)) is not None:
        return f"write {level!r}; {listed}"
    if (level := _highest_below(text, levels)) is not None:
        return f"the nearest is {level!r}; {listed}"
    for other in architectures():
        if other != known and (level := _respelled(text, other)) is not None:
            return f"{level} is a level of {other.name}; {listed}"
    if (level := _brought_by(text, known)) is not None:
        return f"{text} is part of {level!r}; {listed}"
    near = suggest(text, (*(each for each in known_cpus(arch) if each not in levels), *others))
    if near is None:
        return listed
    return f"did you mean {near!r}?" + (f" T{listed[1:]}" if listed else "")


def _respelled(text: str, known: Architecture) -> str | None:
    """Return the name of the level that `text` spells in another way; None for any other text."""
    word = _bare(text)
    for level in known.levels:
        if word in map(_bare, (level.name, level.spelled, f"{known.name}{level.name}")):
            return level.name
    return None


def _highest_below(text: str, levels: Sequence[str]) -> str | None:
    """Return the nearest level to one of x86-64 that does not exist, such as `v9`."""
    found = re.fullmatch(r"(?:x8664)?v(\d+)", _bare(text))
    numbered = {int(level[1:]): level for level in levels if re.fullmatch(r"v\d", level)}
    if found is None or not numbered:
        return None
    return numbered[min(numbered, key=lambda number: abs(number - int(found[1])))]


def _brought_by(text: str, known: Architecture) -> str | None:
    """Return the lowest level that has the feature `text`, or features of a family (`avx512`)."""
    word = {"lzcnt": "abm", "neon": "asimd", "bmi": "bmi1"}.get(_bare(text), _bare(text))
    for families in (False, True):
        for level in known.levels:
            names = set(map(_bare, level.features or ()))
            if word in names or (
                families and len(word) > 2 and any(name.startswith(word) for name in names)
            ):
                return level.name
    return None


def _bare(text: str) -> str:
    return re.sub(r"[\s._-]", "", text.lower())


@cache
def _families() -> dict[str, str]:
    """Map archspec's names to their families; loaded on use, as archspec takes 20 ms."""
    import archspec.cpu

    return {name: target.family.name for name, target in archspec.cpu.TARGETS.items()}
