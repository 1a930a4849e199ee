"""How a compiler reports its identity: the arguments to pass, and how to parse the output."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.probe.facts import CompilerFamily
from variantbuild.values import dataclass


class _Question(TypedDict):
    programs: list[str]
    arguments: list[str]


class _Banner(TypedDict, total=False):
    family: CompilerFamily
    unsupported: str
    pattern: str


class _Tables(TypedDict):
    questions: list[_Question]
    other_questions: list[list[str]]
    banners: list[_Banner]


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """The identity that a compiler reports; `target` is empty if it does not report one."""

    family: CompilerFamily
    version: str
    target: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsupported:
    """A compiler, known by its `name`, that is not supported."""

    name: str


def parse_banner(text: str) -> Identity | Unsupported | None:
    """Return family, exact version and target from a compiler's output.

    `text` is the output of `-v`, `--version`, or of MSVC's `cl` without arguments. None for text
    without the banner of a known compiler. gcc's `-v` has the
    full version even if a distribution reduces `-dumpversion` to the major version.
    """
    for banner in _tables()["banners"]:
        match = re.search(banner["pattern"], text, re.M)
        if match is None:
            continue
        if "family" not in banner:
            return Unsupported(name=banner["unsupported"])
        target = re.search(r"^Target: (\S+)$", text, re.M)
        return Identity(
            family=banner["family"],
            version=match[1],
            target="" if target is None else target[1],
        )
    return None


def questions_for(program: str) -> Sequence[list[str]]:
    """Return the arguments that make `program` identify itself, alternatives in order."""
    name = program_name(program)
    tables = _tables()
    for row in tables["questions"]:
        if name in row["programs"]:
            return [row["arguments"]]
    return tables["other_questions"]


def program_name(word: str) -> str:
    """Return the name of a program without its directory and `.exe`."""
    name = re.split(r"[/\\]", word)[-1]
    return name[:-4] if name.lower().endswith(".exe") else name


def _tables() -> _Tables:
    return cast("_Tables", cast("object", load_table("compiler_search")))
