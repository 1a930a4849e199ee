"""The flags for named CPUs, from archspec, with its pitfalls handled."""

from __future__ import annotations

import re

from variantbuild.errors import FlagsError
from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import baseline
from variantbuild.isa.processor import resolve_processor
from variantbuild.plan.flags.isanote import IsaNote
from variantbuild.plan.flags.toolchains import family_table, parse_version
from variantbuild.probe.facts import Compiler

#: Features whose instructions compilers use by themselves, in vectorised and plain code.
_VECTOR = ("avx", "f16c", "fma", "xop", "tbm", "bmi", "lzcnt", "movbe", "popcnt", "gfni", "sse4.")


def named_flags(
    cpu: str, compiler: Compiler, description: str, notes: list[str]
) -> tuple[str, ...]:
    """Return the flags of `compiler` for the CPU that archspec calls `cpu`.

    archspec's warnings are appended to `notes`. Raises FlagsError if archspec refuses, has no
    flags, or does not know the name: an empty answer means "unknown", not "none needed".
    """
    name = family_table(compiler.family)["archspec"]
    if name is None:
        raise _refusal(cpu, description, "only its flags for levels are known")
    why = ""
    for version in _spellings(compiler.version):
        answer, why = _ask_archspec(cpu, name, version, notes)
        if answer:
            return answer
    raise _refusal(cpu, description, why or "archspec has none")


def named_note(cpu: str) -> IsaNote:
    """Return how far the ISA note protects code for the x86-64 CPU that archspec calls `cpu`.

    The note asks for the highest level that the CPU includes. It protects if compilers use nothing
    beyond that level by themselves: AES and the like need intrinsics, which the audit sees.
    """
    declared = resolve_processor("x86_64", cpu)
    if declared.is_baseline or declared.level == baseline("x86_64"):
        return IsaNote(unprotected=f"the loader only knows the levels v2 to v4, not {cpu!r}")
    level = architecture("x86_64").level(declared.level)
    below = frozenset() if level is None or level.features is None else level.features
    known = {"lzcnt" if each == "abm" else each.replace("_", "") for each in below}
    used = sorted(
        each
        for each in declared.features or ()
        if each.startswith(_VECTOR) and each.replace(".", "") not in known
    )
    if not used:
        return IsaNote(level=declared.level)
    return IsaNote(
        level=declared.level,
        unprotected=f"the ISA note of a module for {cpu!r} asks for {declared.level}, and "
        f"compilers also use {', '.join(used)}",
    )


def _spellings(version: str) -> tuple[str, ...]:
    """Return the versions to ask archspec for, most exact first.

    archspec reads the upper bound of `10.3:12.2` as 12.2.0 and so leaves gcc 12.2.0 outside of
    every row of zen4 (seen in 0.2.7); asked for 12.2 it finds the row.
    """
    numbers = [str(number) for number in parse_version(version)]
    return tuple(dict.fromkeys((".".join(numbers), ".".join(numbers[:2]))))


def _ask_archspec(
    cpu: str, family: str, version: str, notes: list[str]
) -> tuple[tuple[str, ...], str]:
    import warnings

    from archspec.cpu import TARGETS, InvalidCompilerVersion, UnsupportedMicroarchitecture

    if cpu not in TARGETS:
        return (), f"archspec does not know the CPU {cpu!r}"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = TARGETS[cpu].optimization_flags(family, version)
        except (UnsupportedMicroarchitecture, InvalidCompilerVersion, ValueError) as error:
            return (), _one_line(str(error))
    notes.extend(_one_line(str(each.message)) for each in caught)
    return tuple(answer.split()), ""


def _refusal(cpu: str, description: str, why: str) -> FlagsError:
    return FlagsError(
        f"{description} has no known flags for the CPU {cpu!r}: {why}",
        hint='choose a level (`cpu = "v3"`, `"armv8.2a"`), or another compiler '
        "through CC, CXX or FC",
    )


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().rstrip(".")
