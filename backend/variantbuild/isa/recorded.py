"""What a recorded compiler command line says about the processor that it compiled for.

gcc's -frecord-gcc-switches and clang's -frecord-command-line leave one line a translation unit.
The last -march on a line wins, as in the compilers; single features add to it. A line that does
not name a processor was compiled for the compiler's default, the baseline.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import baseline, highest, includes, is_level


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchLine:
    """One recorded command line, judged.

    `level` is what its code may need at most; `reached` the highest level that it switches on
    completely (-mavx2 alone may need v3 and reaches v1). `asked` are the switches that decide.
    `extensions` are features outside all levels. `unknown` is a processor name that tells
    nothing (`native`, or one this table does not have), None normally.
    """

    level: str
    reached: str
    asked: str
    extensions: tuple[str, ...]
    unknown: str | None = None


class _X86Table(TypedDict):
    levels: dict[str, str]
    implied: dict[str, str]
    evex: list[str]
    named: str
    march: dict[str, str]


def parse_switch_line(line: str, arch: str) -> SwitchLine | None:
    """Judge one recorded `line` for an architecture (archspec's family name).

    Returns None for architectures whose switches are not known.
    """
    words = [word for word in line.split() if word.startswith("-m")]
    if arch == "x86_64":
        return _x86_line(words)
    if arch == "aarch64":
        return _aarch64_line(words)
    return None


def _x86_line(words: list[str]) -> SwitchLine:
    table = _x86_table()
    march = next((w[7:] for w in reversed(words) if w.startswith("-march=")), "x86-64")
    features: set[str] = set()
    asked = [f"-march={march}"] if march != "x86-64" else []
    if march in table["march"]:
        level, *more = table["march"][march].split()
        features |= _expanded(*_features_up_to(level), *more)
    known = _known_features()
    for word in words:
        name = word[2:]
        if name in known:
            asked += [] if name in features else [word]
            features |= _expanded(name)
        elif name.startswith("no-") and name[3:] in known:
            asked += [word] if name[3:] in features else []
            features -= {each for each in features if name[3:] in _expanded(each)}
    return SwitchLine(
        level=_x86_needs(features),
        reached=_x86_reached(features),
        asked=_shortened(asked),
        extensions=tuple(sorted(each for each in features if _is_extension(each))),
        unknown=None if march in table["march"] else march,
    )


def _shortened(asked: list[str]) -> str:
    # gcc spells -march=native out in fifty switches; four tell enough in a sentence.
    more = f" and {len(asked) - 4} more" if len(asked) > 4 else ""
    return " ".join(asked[:4]) + more or "no -march"


def _x86_needs(features: set[str]) -> str:
    levels = _x86_table()["levels"]
    evex = any(each.startswith(tuple(_x86_table()["evex"])) for each in features)
    found = [level for level, names in levels.items() if features & set(names.split())]
    return "v4" if evex else highest("x86_64", found)


def _x86_reached(features: set[str]) -> str:
    reached = "v1"
    for level, names in _x86_table()["levels"].items():
        if not set(names.split()) <= features:
            break
        reached = level
    return reached


def _features_up_to(level: str) -> list[str]:
    levels = _x86_table()["levels"].items()
    within = (names for each, names in levels if includes("x86_64", level, each))
    return [name for names in within for name in names.split()]


def _expanded(*names: str) -> frozenset[str]:
    implied = _x86_table()["implied"]
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += implied.get(name, "").split()
    return frozenset(found)


@functools.cache
def _known_features() -> frozenset[str]:
    table = _x86_table()
    texts = [*table["levels"].values(), *table["march"].values(), *table["implied"].values()]
    words: Iterable[str] = (word for text in texts for word in text.split())
    names = frozenset(words) | frozenset(table["implied"]) | frozenset(table["named"].split())
    return frozenset(name for name in names if not is_level("x86_64", name))


def _is_extension(name: str) -> bool:
    table = _x86_table()
    in_levels = any(name in names.split() for names in table["levels"].values())
    return not in_levels and name not in ("abm", "sse4")


def _x86_table() -> _X86Table:
    return cast("_X86Table", load_table("isa")["x86_switches"])


def _aarch64_line(words: list[str]) -> SwitchLine:
    cpus = cast("dict[str, dict[str, str]]", load_table("isa")["aarch64_switches"])["cpu"]
    level, asked, extensions, unknown = baseline("aarch64"), "no -march", "", None
    for option in ("-mcpu=", "-march="):  # gcc and clang: -march beats -mcpu
        value = next((w for w in reversed(words) if w.startswith(option)), None)
        if value is None:
            continue
        name, _, extensions = value[len(option) :].partition("+")
        asked = value
        level = cpus.get(name, "") if option == "-mcpu=" else _arm_level(name)
        unknown = None if level else name
    level = level or baseline("aarch64")
    names = tuple(sorted(n for n in extensions.split("+") if n and not n.startswith("no")))
    return SwitchLine(level=level, reached=level, asked=asked, extensions=names, unknown=unknown)


def _arm_level(march: str) -> str:
    level = architecture("aarch64").level_spelled(march)
    return "" if level is None else level.name
