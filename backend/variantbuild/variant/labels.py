"""The grammar of labels: parses text into one name per axis, and explains text that is invalid.

A label is a local version of PEP 440, which turns `neoverse_v2` into `neoverse.v2` and `22.04` into
`22.4`. Text is therefore split into words first, and words are matched against known names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import NamedTuple, Union

from variantbuild.errors import VariantError
from variantbuild.isa.architecture import architecture
from variantbuild.isa.cpus import (
    CONFIG_WORDS,
    all_cpus,
    explain_unknown,
    family_of,
    known_cpus,
    suggest,
)
from variantbuild.variant.axes import Accelerator, DistroLabel, distro_names

# PEP 440, local version identifiers; ASCII only, and as `packaging` reads them.
_LABEL = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII | re.IGNORECASE)
# The major version has two digits: one digit could not be distinguished from a minor version.
_CUDA = re.compile(r"cu([1-9]\d)(0|[1-9]\d*)?", re.ASCII)
_ROCM = re.compile(r"rocm([1-9]\d*)", re.ASCII)
_DISTRO = re.compile(r"([a-z]+)(0|[1-9]\d*)?", re.ASCII)
_LONGEST = 80  # characters; the longest label of known names is half as long


def normalize_label(text: str) -> str:
    """Return `text` as PEP 440 normalises a local version: `CU12_V3` is `cu12.v3`, `007` is `7`.

    Raises VariantError if it cannot be a local version.
    """
    return ".".join(_split(text))


class Names(NamedTuple):
    """What a label names on each axis; None for an axis that it leaves out."""

    cpu: str | None = None
    accelerator: Accelerator | None = None
    distro: DistroLabel | None = None


_Part = Union[str, Accelerator, DistroLabel]  # noqa: UP007 - evaluated at run time, on Python 3.10 too
CpuWords = dict[tuple[str, ...], str]
_AXES = {str: "CPUs", Accelerator: "accelerators", DistroLabel: "distributions"}


@lru_cache(maxsize=256)  # a variant reads its own label again
def read_label(text: str, arch: str) -> Names:
    """Return what the label `text` names for the architecture `arch`, the axes in any order.

    Raises VariantError for unknown names, two names on one axis, and text that can be read in
    more than one way.
    """
    # Levels are tried alone first, which avoids loading archspec.
    names = match_label(text, _level_words(arch)) or match_label(text, _cpu_words(arch))
    if names is None:
        raise _unknown(_split(text), text, arch)
    return names


def match_label(text: str, cpus: CpuWords) -> Names | None:
    """Return what the label `text` names if the known CPUs are `cpus`; None for an unknown name.

    `cpus` maps the words of each name to the name. Raises VariantError for two names on one axis,
    and text that can be read in more than one way.
    """
    readings = list(_readings(_split(text), cpus))
    if len({frozenset(reading) for reading in readings}) > 1:
        raise VariantError(f"label {text!r} can be read in more than one way")
    return _assign(readings[0], text) if readings else None


def _assign(parts: tuple[_Part, ...], text: str) -> Names:
    names = Names()
    for part in parts:
        taken: _Part | None
        if isinstance(part, str):
            taken, names = names.cpu, names._replace(cpu=part)
        elif isinstance(part, Accelerator):
            taken, names = names.accelerator, names._replace(accelerator=part)
        else:
            taken, names = names.distro, names._replace(distro=part)
        if taken is not None:
            raise VariantError(f"label {text!r} names two {_AXES[type(part)]}: {taken} and {part}")
    return names


def _split(text: str) -> tuple[str, ...]:
    """Split `text` into words as PEP 440 does, and strip the leading zeros of numbers."""
    if len(text) > _LONGEST or not _LABEL.fullmatch(text):
        raise VariantError(
            f"{text[:_LONGEST]!r} is not a label: expected letters and digits, separated by dots",
            hint="a label looks like 'cu12.v3'",
        )
    words = re.split("[._-]", text.lower())
    return tuple(str(int(word)) if word.isdigit() else word for word in words)


@cache
def _level_words(arch: str) -> CpuWords:
    known = architecture(arch)
    names = {level.name: level.name for level in known.levels} | dict(known.aliases)
    return {_split(name): level for name, level in names.items()}


@cache
def _cpu_words(arch: str) -> CpuWords:
    return {_split(name): name for name in known_cpus(arch)} | _level_words(arch)


def _readings(words: tuple[str, ...], cpus: CpuWords) -> Iterator[tuple[_Part, ...]]:
    """Yield every way to split `words` into names of axes, the longest names first."""
    if not words:
        yield ()
        return
    for size in range(len(words), 0, -1):
        for part in _parts(words[:size], cpus):
            for rest in _readings(words[size:], cpus):
                yield (part, *rest)


def _parts(words: tuple[str, ...], cpus: CpuWords) -> Iterator[_Part]:
    """Yield the possible meanings of `words` as one name."""
    if words in cpus:
        yield cpus[words]
    yield from _versioned(words)


@lru_cache(maxsize=1024)
def _versioned(words: tuple[str, ...]) -> tuple[_Part, ...]:
    """Return the accelerators and distributions that `words`, as one name, can mean."""
    first, *more = words
    if not all(word.isdigit() for word in more):
        return ()
    parts: list[_Part] = []
    minor = tuple(int(word) for word in more)
    if (cuda := _CUDA.fullmatch(first)) and not more:
        version = tuple(int(number) for number in cuda.groups() if number)
        parts.append(Accelerator(kind="cuda", version=version))
    if (rocm := _ROCM.fullmatch(first)) and len(more) < 2:
        parts.append(Accelerator(kind="rocm", version=(int(rocm[1]), *minor)))
    if (distro := _DISTRO.fullmatch(first)) and distro[1] in distro_names():
        major = () if distro[2] is None else (int(distro[2]),)
        if major or not more:
            parts.append(DistroLabel(name=distro[1], version=major + minor))
    return tuple(parts)


def _unknown(words: tuple[str, ...], text: str, arch: str) -> VariantError:
    """Return the error for the first unknown name in the label `text`, with the nearest name."""
    cpus = _cpu_words(arch)
    sizes = range(len(words), 0, -1)
    readable = next((size for size in sizes if any(_readings(words[:size], cpus))), 0)
    rest = words[readable:]
    sizes = range(len(rest), 0, -1)
    named = (
        (cpu, rest[size:]) for size in sizes for cpu in all_cpus() if rest[:size] == _split(cpu)
    )
    cpu, after = next(named, ("", rest))
    # `x86_64_v5` is the architecture with a level that it does not have.
    if cpu and not (family_of(cpu) == arch and after and not any(_parts(after[:1], cpus))):
        return _foreign(cpu, arch)
    known = (i for i in range(1, len(rest)) if any(_parts(rest[i : i + 1], cpus)))
    piece = "_".join(rest[: next(known, len(rest))])
    where = "" if piece == "_".join(words) else f" in label {text!r}"
    if piece in CONFIG_WORDS:
        return VariantError(
            f"{piece!r}{where} is a value of the `cpu` setting, not the name of a variant",
            hint=f"set `cpu = {piece!r}` instead of a target",
        )
    if piece.startswith(("cu", "rocm", "hip")) or piece[0].isdigit():
        return VariantError(
            f"{piece!r}{where} is not a version of an accelerator or distribution",
            hint="CUDA is written 'cu12' or 'cu128', ROCm 'rocm6.4'",
        )
    return VariantError(
        f"unknown CPU {piece!r}{where} for {arch}", hint=_instead(piece, words, arch)
    )


def _instead(piece: str, words: tuple[str, ...], arch: str) -> str:
    whole = "_".join(words)
    near = None
    if not architecture(arch).levels:
        near = suggest(piece, known_cpus(arch)) or suggest(whole, known_cpus(arch))
    elif suggest(piece, known_cpus(arch)) is None and suggest(whole, known_cpus(arch)):
        piece = whole
    if near is not None:
        return f"did you mean {near!r}?"
    return explain_unknown(piece, arch, distro_names()) or _some_names(arch)


def _foreign(cpu: str, arch: str) -> VariantError:
    """Return the error for a known `cpu` that labels for `arch` cannot use."""
    family = family_of(cpu)
    known = architecture(family or arch)
    if family == arch:
        # archspec's names of the levels: `x86_64_v3`.
        return VariantError(f"{cpu!r} is not a label", hint=explain_unknown(cpu, arch))
    if known.levels and known.level(cpu) is not None:
        name = "x86-64" if family == "x86_64" else family
        return VariantError(
            f"{cpu!r} is an {name} level, but the architecture is {arch}", hint=_some_names(arch)
        )
    return VariantError(
        f"{cpu!r} is a CPU of {family}, but the architecture is {arch}", hint=_some_names(arch)
    )


def _some_names(arch: str) -> str:
    names = known_cpus(arch)
    if not names:
        return f"archspec does not know any CPU of {arch}"
    return f"names for {arch}: {', '.join(names[:6])}{', …' if len(names) > 6 else ''}"
