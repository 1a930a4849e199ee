"""The table data/compilers.json: rows of flags by compiler, version and language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal, TypedDict, cast

from variantbuild.data import load_table
from variantbuild.isa.architecture import architecture, parse_machine
from variantbuild.probe.facts import Compiler, CompilerFamily, Language

#: How shared objects can be marked: a gcc specs file, linker options alone, or not at all.
NoteWay = Literal["specs", "linker", "none"]


#: Functional syntax, since `from` is a keyword of the language.
_RowStart = TypedDict("_RowStart", {"from": str, "flags": list[str]})


class Row(_RowStart, total=False):
    """Flags for compilers of version `from` or newer, for some `languages` (all, if absent)."""

    languages: list[Language]


class Family(TypedDict):
    """Everything that is known about one compiler family."""

    name: str
    archspec: str | None
    levels: Mapping[str, list[Row]]
    fp_contract: Mapping[str, list[Row]]
    record: list[Row]
    isa_note: NoteWay


def family_table(family: CompilerFamily) -> Family:
    """Return the table of one compiler family."""
    families = cast("Mapping[str, Family]", load_table("compilers")["families"])
    return families[family]


def pick_row(rows: Iterable[Row], compiler: Compiler) -> tuple[str, ...] | None:
    """Return the flags of the first row that `compiler` is new enough for, else None."""
    version = parse_version(compiler.version)
    for row in rows:
        new_enough = version >= parse_version(row["from"])
        if new_enough and compiler.language in row.get("languages", (compiler.language,)):
            return tuple(flag for each in row["flags"] for flag in _expand(each))
    return None


def oldest_version(rows: Iterable[Row]) -> str:
    """Return the lowest version of `rows`."""
    return min((row["from"] for row in rows), key=parse_version)


@cache
def parse_version(text: str) -> tuple[int, ...]:
    """Turn the number at the start of a version into a tuple: `18.1.8git` is (18, 1, 8).

    There are at least two numbers, so that a bare "11" counts as 11.0, the oldest that it can be.
    A version that cannot be parsed is (0, 0), older than every row.
    """
    match = re.match(r"\d+(?:\.\d+)*", text)
    numbers = tuple(int(part) for part in match[0].split(".")) if match else ()
    return numbers + (0,) * (2 - len(numbers))


def target_arch(compiler: Compiler) -> str | None:
    """Return the architecture (archspec's family) that `compiler` compiles for, None if unknown."""
    found = parse_machine(compiler.target.split("-", 1)[0])
    return found[0] if found else None


def writes_elf(compiler: Compiler) -> bool:
    """Return whether `compiler` writes ELF objects, according to its target triple.

    An unknown triple counts as ELF for the families that mostly write it.
    """
    if compiler.family in ("apple-clang", "msvc"):
        return False
    foreign = ("darwin", "macos", "ios", "mingw", "windows", "cygwin", "msvc", "aix", "wasm")
    return not any(word in compiler.target.lower() for word in foreign)


def level_features(level: str) -> tuple[str, ...]:
    """Return gcc's feature flags of x86-64 `level` and all levels below it."""
    features = cast("Mapping[str, list[str]]", load_table("compilers")["features"])
    known = architecture("x86_64")
    rows = (row for name, row in features.items() if known.includes(level, name))
    return tuple(flag for row in rows for flag in row)


def _expand(flag: str) -> tuple[str, ...]:
    return level_features(flag[1:]) if flag.startswith("@") else (flag,)
