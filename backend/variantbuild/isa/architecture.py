"""Architectures and their levels: names, baseline and order.

The only module that knows them; the table is data/architectures.json. Architectures are called by
archspec's family names (x86_64, aarch64, ppc64le, …).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from variantbuild.data import load_table
from variantbuild.values import dataclass

if TYPE_CHECKING:
    from typing import TypedDict

    class _LevelRow(TypedDict, total=False):
        name: str
        spelled: str
        includes: list[str]
        features: list[str]
        above: list[str]

    class _Row(TypedDict, total=False):
        names: list[str]
        other_names: list[str]
        levels: list[_LevelRow]
        also: dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Level:
    """A level of an architecture: what every CPU of that level can run.

    `spelled` is the name in the psABI and in compilers (`x86-64-v3`, `armv8.2-a`); `below` are the
    names of all levels that it includes, its own too. `features` are the Linux names
    (/proc/cpuinfo) of the features that the level and those below require; None if Linux has no
    names for them.
    """

    arch: str
    name: str
    spelled: str
    below: frozenset[str]
    features: frozenset[str] | None

    def __str__(self) -> str:
        return self.name

    def includes(self, other: Level) -> bool:
        """Return whether a CPU of this level runs code for the level `other`."""
        return self.arch == other.arch and other.name in self.below


@dataclass(frozen=True, kw_only=True, slots=True)
class Architecture:
    """An instruction set architecture.

    `names` are those of platform tags and `platform.machine()`, in lower case. `levels` are sorted
    so that each comes after those that it includes, the baseline first; empty if the architecture
    has no generic levels.
    """

    name: str
    names: tuple[str, ...]
    levels: tuple[Level, ...]
    aliases: tuple[tuple[str, str], ...] = ()

    @property
    def baseline(self) -> Level:
        """The level of every CPU of this architecture, named like the family if it has no name."""
        if self.levels:
            return self.levels[0]
        only = frozenset((self.name,))
        return Level(arch=self.name, name=self.name, spelled=self.name, below=only, features=None)

    def level(self, name: str) -> Level | None:
        """Return the level called `name`; None if it is not a level.

        archspec's names are accepted too: its `aarch64` is `armv8a`.
        """
        name = dict(self.aliases).get(name, name)
        return next((each for each in self.levels or (self.baseline,) if each.name == name), None)

    def level_spelled(self, text: str) -> Level | None:
        """Return the level that the psABI and compilers write as `text`; None for other text."""
        return next((each for each in self.levels if each.spelled == text), None)

    def includes(self, have: str, need: str) -> bool:
        """Return whether a CPU of the level `have` runs code for the level `need`.

        A name that is not a level includes only itself.
        """
        level = self.level(have)
        return need == have if level is None else need in level.below

    def join(self, names: Iterable[str]) -> Level:
        """Return the lowest level that runs code for all the levels `names`.

        Returns the baseline for no names. Raises ValueError for a name that is not a level.
        """
        top = self.baseline
        for name in names:
            level = self.level(name)
            if level is None:
                raise ValueError(f"{name!r} is not a level of {self.name}")
            if level.includes(top):
                top = level
            elif not top.includes(level):
                # Neither of the two levels includes the other (armv8.9a, armv9.0a).
                both = [each for each in self.levels if {top.name, level.name} <= each.below]
                top = min(both, key=lambda each: len(each.below))
        return top

    def lowest(self, names: Iterable[str]) -> Level:
        """Return the first of the levels `names` that includes none of the others."""
        known = [level for name in names if (level := self.level(name)) is not None]
        return next(
            each
            for each in known
            if not any(other != each and each.includes(other) for other in known)
        )

    def detect(self, features: frozenset[str]) -> Level | None:
        """Return the highest level whose features are all among `features` (Linux names).

        None if the architecture has no levels, or if not even the baseline is reached.
        """
        reached = None
        for level in self.levels:
            if level.features is not None and features >= level.features:
                reached = level
        return reached


@functools.cache
def architecture(name: str) -> Architecture:
    """Return the architecture that archspec calls `name`; an unknown one has no levels."""
    row = _table().get(name, {})
    levels: dict[str, Level] = {}
    for each in row.get("levels", []):
        levels[each["name"]] = _level(name, each, levels)
    return Architecture(
        name=name,
        names=tuple(row.get("names", ())),
        levels=tuple(levels.values()),
        aliases=tuple(row.get("also", {}).items()),
    )


def architectures() -> tuple[Architecture, ...]:
    """Return all architectures of the table, the most common first."""
    return tuple(architecture(name) for name in _table())


def parse_machine(machine: str) -> tuple[str, ...]:
    """Return the architectures of `machine`, by archspec's names.

    `machine` is a word of `platform.machine()`, of a platform tag, or the first of a compiler's
    target triple: `AMD64` gives x86_64, `universal2` gives x86_64 and aarch64, an unknown one
    nothing.
    """
    return machine_names().get(machine.lower()) or _other_names().get(machine.lower(), ())


@functools.cache
def machine_names() -> dict[str, tuple[str, ...]]:
    """Return the architectures for each machine name in platform tags."""
    fat = cast("dict[str, list[str]]", load_table("architectures")["fat"])
    names = {name: (arch,) for arch, row in _table().items() for name in row["names"]}
    return {**names, **{name: tuple(archs) for name, archs in fat.items()}}


@functools.cache
def _other_names() -> dict[str, tuple[str, ...]]:
    return {name: (arch,) for arch, row in _table().items() for name in row.get("other_names", ())}


def _level(arch: str, row: _LevelRow, known: dict[str, Level]) -> Level:
    name = row["name"]
    below = frozenset((name,)).union(*(known[each].below for each in row["includes"]))
    features = None
    if "features" in row:
        shown = [known[each].features or () for each in row.get("above", row["includes"])]
        features = frozenset(row["features"]).union(*shown)
    return Level(arch=arch, name=name, spelled=row["spelled"], below=below, features=features)


def _table() -> dict[str, _Row]:
    return cast("dict[str, _Row]", load_table("architectures")["architectures"])
