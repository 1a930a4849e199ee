"""Determines from a recorded compiler command line which CPU the code was compiled for.

gcc's -frecord-gcc-switches and clang's -frecord-command-line leave one line per translation unit.
The last -march on a line wins, as in the compilers; single features add to it. A line that does
not name a CPU was compiled for the compiler's default, the baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from variantbuild.data import load_table
from variantbuild.isa import x86flags
from variantbuild.isa.architecture import Level, architecture
from variantbuild.values import dataclass

#: gcc spells -march=native out as fifty flags; four are enough for a message.
_SHOWN = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedFlags:
    """One recorded command line, judged.

    `level` is the highest level that its code may need; `reached` the highest level that it enables
    completely (-mavx2 alone may need v3 and reaches v1). `asked` are the relevant flags, for
    people. `extensions` are features outside all levels. `cpu` is the value of -march or -mcpu,
    None for the default; `unknown` is that CPU if its level is not known (`native`, or one that is
    not in the table), else None. `contract` is the value of -ffp-contract, empty if it is not set.
    """

    level: str
    reached: str
    asked: str
    extensions: tuple[str, ...]
    cpu: str | None = None
    unknown: str | None = None
    contract: str = ""


def parse_recorded_flags(line: str, arch: str) -> RecordedFlags | None:
    """Interpret one recorded `line` for an architecture (archspec's family name).

    Returns None for architectures whose flags are unknown.
    """
    every = line.split()
    words = [word for word in every if word.startswith("-m")]
    contract = _last_value(every, "-ffp-contract=") or ""
    if arch == "x86_64":
        return replace(_x86_line(words), contract=contract)
    if arch == "aarch64":
        return replace(_aarch64_line(words), contract=contract)
    return None


def _x86_line(words: Sequence[str]) -> RecordedFlags:
    march = _last_value(words, "-march=") or x86flags.DEFAULT_MARCH
    named = x86flags.features_of_march(march)
    features = set(named or ())
    asked = [f"-march={march}"] if march != x86flags.DEFAULT_MARCH else []
    known = x86flags.known_features()
    for word in words:
        name = word[2:]
        if name in known:
            asked += [] if name in features else [word]
            features |= x86flags.expand(name)
        elif name.startswith("no-") and name[3:] in known:
            asked += [word] if name[3:] in features else []
            features -= {each for each in features if name[3:] in x86flags.expand(each)}
    enabled = frozenset(features)
    return RecordedFlags(
        level=x86flags.level_needed(enabled),
        reached=x86flags.level_reached(enabled),
        asked=_shortened(asked),
        extensions=tuple(sorted(filter(x86flags.is_extension, enabled))),
        cpu=march if march != x86flags.DEFAULT_MARCH else None,
        unknown=march if named is None else None,
    )


def _shortened(asked: Sequence[str]) -> str:
    more = f" and {len(asked) - _SHOWN} more" if len(asked) > _SHOWN else ""
    return " ".join(asked[:_SHOWN]) + more or "no -march"


def _aarch64_line(words: Sequence[str]) -> RecordedFlags:
    known = architecture("aarch64")
    level, asked, extensions = known.baseline.name, "no -march", ""
    cpu = unknown = None
    for option in ("-mcpu=", "-march="):  # gcc and clang: -march beats -mcpu
        value = _last_value(words, option)
        if value is None:
            continue
        name, _, extensions = value.partition("+")
        found = _level_of_cpu(name) if option == "-mcpu=" else known.level_spelled(name)
        level = (found or known.baseline).name
        asked = f"{option}{value}"
        cpu = value
        unknown = name if found is None else None
    names = tuple(sorted(n for n in extensions.split("+") if n and not n.startswith("no")))
    return RecordedFlags(
        level=level, reached=level, asked=asked, extensions=names, cpu=cpu, unknown=unknown
    )


def _last_value(words: Sequence[str], option: str) -> str | None:
    found = (word for word in reversed(words) if word.startswith(option))
    return next((word.removeprefix(option) for word in found), None)


def _level_of_cpu(name: str) -> Level | None:
    cpus = cast("dict[str, dict[str, str]]", load_table("isa")["aarch64_flags"])["cpu"]
    level = cpus.get(name)
    return None if level is None else architecture("aarch64").level(level)
