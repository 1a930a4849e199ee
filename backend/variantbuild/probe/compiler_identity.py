"""What a compiler says of itself: how to ask it, and how to read the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.probe.facts import CompilerFamily


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
    """What a compiler says of itself; `target` is empty where it does not tell."""

    family: CompilerFamily
    version: str
    target: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsupported:
    """A compiler that is known by `name`, and that builds cannot use."""

    name: str


def parse_banner(text: str) -> Identity | Unsupported | None:
    """Return family, exact version and target from what a compiler says of itself.

    `text` is the output of `-v`, `--version`, or of MSVC's `cl` without arguments. None for text
    without the banner of a known compiler. gcc's `-v` holds what
    `-dumpfullversion -dumpversion` answer, also where a distribution cuts `-dumpversion` to the
    major version.
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
    """Return the arguments to ask `program` with, one set after the other until it tells."""
    name = program_name(program)
    tables = _tables()
    for row in tables["questions"]:
        if name in row["programs"]:
            return [row["arguments"]]
    return tables["other_questions"]


def program_name(word: str) -> str:
    """Return the name of a program without folder and `.exe`."""
    name = re.split(r"[/\\]", word)[-1]
    return name[:-4] if name.lower().endswith(".exe") else name


def _tables() -> _Tables:
    return cast("_Tables", cast("object", load_table("compiler_search")))
