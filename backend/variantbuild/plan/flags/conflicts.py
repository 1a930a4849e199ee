"""Flags of the user's own that contradict the variant, found by name before the build.

The effect of the project's own arguments is seen later by the audit, in the recorded flags.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from variantbuild.isa import x86flags
from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import is_level
from variantbuild.plan.flags import Tool
from variantbuild.plan.flags.toolchains import family_table
from variantbuild.probe.facts import CompilerFamily
from variantbuild.values import dataclass
from variantbuild.variant import Variant

_COMMANDS = ("CC", "CXX", "FC")
_VARIABLES = ("CFLAGS", "CXXFLAGS", "FFLAGS", "FCFLAGS", "CPPFLAGS", "LDFLAGS", "CL", "_CL_")

#: Variables whose flags come after ours on the compiler's command line.
_AFTER_OURS = ("CPPFLAGS", "_CL_")

# -march=…, -mcpu=…, nvhpc's -tp=…, MSVC's /arch:…, Intel's -xHost and -axCORE-AVX2.
_CPU = re.compile(r"(?:-march=|-mcpu=|-tp=|[-/]arch:)(?P<name>.+)|-a?x(?P<intel>[A-Z].*)")

_FAMILIES: tuple[CompilerFamily, ...] = ("gcc", "clang", "apple-clang", "msvc", "icx", "nvhpc")


@dataclass(frozen=True, kw_only=True, slots=True)
class UserFlags:
    """Flags of the user's own in one `place` (CFLAGS, flags.c).

    `after_ours` is true if they come after ours on the compiler's command line.
    """

    place: str
    flags: tuple[str, ...]
    after_ours: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflict:
    """One `flag`, the `place` where it was set (CFLAGS, flags.c), and what it contradicts."""

    flag: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"`{self.flag}` in {self.place} {self.reason}"


def user_flags(
    env: Mapping[str, str], extra: Mapping[Tool, Sequence[str]] | None = None
) -> tuple[UserFlags, ...]:
    """Return the flags in every place where the user may put some, without the empty places.

    `extra` are the `flags.*` of the settings. Of CC, CXX and FC only the arguments count.
    """
    found = [
        UserFlags(place=name, flags=_words(env.get(name, "")), after_ours=name in _AFTER_OURS)
        for name in _VARIABLES
    ]
    found += [UserFlags(place=name, flags=_words(env.get(name, ""))[1:]) for name in _COMMANDS]
    found += [
        UserFlags(place=f"flags.{tool}", flags=tuple(flags), after_ours=True)
        for tool, flags in (extra or {}).items()
    ]
    return tuple(each for each in found if each.flags)


def find_conflicts(variant: Variant, users: Sequence[UserFlags]) -> tuple[Conflict, ...]:
    """Return the flags of the user's own that contradict `variant`.

    A variant without a CPU contradicts nothing. Repeating our flags is not a conflict.
    """
    cpu = variant.cpu
    if cpu is None:
        return ()
    return tuple(
        Conflict(flag=flag, place=each.place, reason=reason)
        for each in users
        for flag in _joined(each.flags)
        if (reason := _reason(flag, cpu, each)) is not None
    )


def _reason(flag: str, cpu: str, among: UserFlags) -> str | None:
    wins = "it comes after ours and wins"
    if not among.after_ours:
        wins = "ours comes after it and wins"
    if flag == "-mtune=native":
        return f"tunes for the build machine, not for the target {cpu}; {wins}"
    if (match := _CPU.fullmatch(flag)) is not None:
        named = match["name"] or match["intel"]
        return None if _same(flag, named, cpu) else f"contradicts the target {cpu}; {wins}"
    if flag.startswith("-m") and is_level("x86_64", cpu):
        return _feature_reason(flag[2:], cpu)
    return None


def _same(flag: str, named: str, cpu: str) -> bool:
    """Return whether a flag that names a CPU names the target's."""
    rows = (family_table(family)["levels"].get(cpu, []) for family in _FAMILIES)
    ours = {each for row in rows for entry in row for each in entry["flags"]}
    # Old compilers reach a level by features after the -march of another.
    known = architecture("x86_64")
    others = {f"-march={each.spelled}" for each in known.levels if each != known.level(cpu)}
    if flag.replace("-arch:", "/arch:") in ours - others:
        return True
    return named.replace("-", "_").replace("znver", "zen") == cpu


def _feature_reason(name: str, cpu: str) -> str | None:
    """Judge `-m{name}`: no later -march changes explicit features."""
    off = name.startswith("no-")
    feature = name.removeprefix("no-")
    within = x86flags.features_within(cpu)
    if feature in within:
        return f"disables a feature of the target {cpu}" if off else None
    known = feature in x86flags.known_features() or x86flags.is_evex(feature)
    if off or not known or feature in ("mmx", "sse", "sse2", "fxsr", "xsave"):
        return None
    return f"enables a feature that the target {cpu} lacks, and no -march disables it again"


def _joined(words: Sequence[str]) -> Iterator[str]:
    """Yield the flags, with nvhpc's `-tp zen4` as one."""
    left = iter(words)
    for word in left:
        yield f"-tp={next(left, '')}" if word == "-tp" else word


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())
