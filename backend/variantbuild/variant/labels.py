"""The grammar of labels: from text to the names of axes, and what to say where there is none.

A label is a local version of PEP 440, so `neoverse_v2` comes back as `neoverse.v2` and `22.04` as
`22.4`. Text is therefore cut into words first, and words are matched against known names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple, Union

from variantbuild.errors import VariantError
from variantbuild.isa.architecture import architecture
from variantbuild.isa.cpus import (
    CONFIG_WORDS,
    all_cpus,
    family_of,
    known_cpus,
    suggest,
)
from variantbuild.variant.axes import Accelerator, DistroLabel, distro_names

# PEP 440, local version identifiers; ASCII only, and as `packaging` reads them.
_LABEL = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*", re.ASCII | re.IGNORECASE)
# Two digits of major version: a CUDA below 10 could not be told from a minor version.
_CUDA = re.compile(r"cu([1-9]\d)(0|[1-9]\d*)?", re.ASCII)
_ROCM = re.compile(r"rocm([1-9]\d*)", re.ASCII)
_DISTRO = re.compile(r"([a-z]+)(0|[1-9]\d*)?", re.ASCII)
_LONGEST = 80  # characters; the longest label of known names has half of that


def normalize_label(text: str) -> str:
    """Return `text` as PEP 440 normalises a local version: `CU12_V3` is `cu12.v3`, `007` is `7`.

    Raises VariantError where it cannot be a local version.
    """
    return ".".join(_split(text))


class Names(NamedTuple):
    """What a label names on each axis, None where it names nothing."""

    cpu: str | None = None
    accelerator: Accelerator | None = None
    distro: DistroLabel | None = None


_Part = Union[str, Accelerator, DistroLabel]  # noqa: UP007 - used at run time, on 3.10 too
_CpuWords = dict[tuple[str, ...], str]
_AXES = {str: "processors", Accelerator: "accelerators", DistroLabel: "distributions"}


def read_label(text: str, arch: str) -> Names:
    """Return what label `text` names on a machine of `arch`, the axes in any order.

    Raises VariantError for unknown names, two names on one axis, and text that can be read in
    more than one way.
    """
    words = _split(text)
    # Levels are tried alone first: that spares loading archspec.
    readings = list(_readings(words, _level_words(arch)))
    readings = readings or list(_readings(words, _cpu_words(arch)))
    if not readings:
        raise _unknown(words, text, arch)
    if len({frozenset(reading) for reading in readings}) > 1:
        raise VariantError(f"label {text!r} can be read in more than one way")
    return _assign(readings[0], text)


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
    """Cut `text` into words as PEP 440 does, numbers without their leading zeros."""
    if len(text) > _LONGEST or not _LABEL.fullmatch(text):
        raise VariantError(
            f"{text[:_LONGEST]!r} is no label: letters and digits, parted by single dots",
            hint="a label looks like 'cu12.v3'",
        )
    words = re.split("[._-]", text.lower())
    return tuple(str(int(word)) if word.isdigit() else word for word in words)


@cache
def _level_words(arch: str) -> _CpuWords:
    known = architecture(arch)
    names = {level.name: level.name for level in known.levels} | dict(known.aliases)
    return {_split(name): level for name, level in names.items()}


@cache
def _cpu_words(arch: str) -> _CpuWords:
    return {_split(name): name for name in known_cpus(arch)} | _level_words(arch)


def _readings(words: tuple[str, ...], cpus: _CpuWords) -> Iterator[tuple[_Part, ...]]:
    """Yield every way to part `words` into names of axes, the longest names first."""
    if not words:
        yield ()
        return
    for size in range(len(words), 0, -1):
        for part in _parts(words[:size], cpus):
            for rest in _readings(words[size:], cpus):
                yield (part, *rest)


def _parts(words: tuple[str, ...], cpus: _CpuWords) -> Iterator[_Part]:
    """Yield what `words`, all of them together, can name."""
    first, *more = words
    if words in cpus:
        yield cpus[words]
    if not all(word.isdigit() for word in more):
        return
    minor = tuple(int(word) for word in more)
    if (cuda := _CUDA.fullmatch(first)) and not more:
        version = tuple(int(number) for number in cuda.groups() if number)
        yield Accelerator(kind="cuda", version=version)
    if (rocm := _ROCM.fullmatch(first)) and len(more) < 2:
        yield Accelerator(kind="rocm", version=(int(rocm[1]), *minor))
    if (distro := _DISTRO.fullmatch(first)) and distro[1] in distro_names():
        major = () if distro[2] is None else (int(distro[2]),)
        if major or not more:
            yield DistroLabel(name=distro[1], version=major + minor)


def _unknown(words: tuple[str, ...], text: str, arch: str) -> VariantError:
    """Say which name of label `text` is unknown on `arch`, and what may have been meant."""
    cpus = _cpu_words(arch)
    sizes = range(len(words), 0, -1)
    readable = next((size for size in sizes if any(_readings(words[:size], cpus))), 0)
    rest = words[readable:]
    for size in range(len(rest), 0, -1):
        for cpu in all_cpus():
            if rest[:size] == _split(cpu):
                return _foreign(cpu, arch)
    known = (i for i in range(1, len(rest)) if any(_parts(rest[i : i + 1], cpus)))
    piece = "_".join(rest[: next(known, len(rest))])
    where = "" if piece == "_".join(words) else f" in label {text!r}"
    if piece in CONFIG_WORDS:
        return VariantError(
            f"{piece!r}{where} is a choice of the cpu setting and names no variant",
            hint=f"set cpu = {piece!r} instead of a target",
        )
    if piece.startswith(("cu", "rocm", "hip")) or piece[0].isdigit():
        return VariantError(
            f"{piece!r}{where} is no version of an accelerator or distribution",
            hint="CUDA is written 'cu12' or 'cu128', ROCm 'rocm6.4'",
        )
    names = {*known_cpus(arch), *distro_names()}
    near = suggest(piece, names) or suggest("_".join(words), names)
    return VariantError(
        f"no processor {piece!r}{where} is known for {arch}",
        hint=f"did you mean {near!r}?" if near else _some_names(arch),
    )


def _foreign(cpu: str, arch: str) -> VariantError:
    """Say that `cpu` is a name, but not one of labels for `arch`."""
    family = family_of(cpu)
    known = architecture(family or arch)
    if family == arch:
        # archspec's names of the levels: `x86_64_v3`.
        written = known.level(cpu.rpartition("_")[2]) or known.baseline
        return VariantError(f"{cpu!r} is written '{written}' in labels", hint=_some_names(arch))
    if known.levels and known.level(cpu) is not None:
        name = "x86-64" if family == "x86_64" else family
        return VariantError(f"{cpu!r} is an {name} level, this is {arch}", hint=_some_names(arch))
    return VariantError(
        f"{cpu!r} is a processor of {family}, this is {arch}", hint=_some_names(arch)
    )


def _some_names(arch: str) -> str:
    names = known_cpus(arch)
    if not names:
        return f"archspec knows no processor of {arch}"
    return f"{arch} knows {', '.join(names[:6])}{', …' if len(names) > 6 else ''}"
