"""Overrides: tables of settings that apply to some variants or platforms only.

    [[tool.variantbuild.overrides]]
    if.accelerator = "cuda"
    dependencies = ["nvidia-cuda-runtime>=13"]
    cmake.define.WITH_CUDA = "ON"

A table applies if all of its conditions match. A condition is a name or pattern (`*`, `?`), or a
list of them, compared with what is being built. If several tables set the same key, the last one
wins; `dependencies` and `cmake.define` are merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache, partial

from variantbuild.config.kinds import Value
from variantbuild.values import dataclass

#: What conditions in a project can test. The platform is known from the start, the others once the
#: variant is.
EARLY_AXIS = "platform"
AXES = (EARLY_AXIS, "cpu", "accelerator", "distro")

#: Conditions on the machine that builds, known from the start. Only the user's and the machine's
#: files have them: what a project is must not depend on who builds it.
MACHINE_AXES = ("hostname", "level")
EARLY_AXES = (EARLY_AXIS, *MACHINE_AXES)

Names = Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """One table: where it was found, its conditions, and what it changes.

    `conditions` are (axis, patterns); `defines` are CMake variables and their values.
    """

    place: str
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    values: Mapping[str, Value]
    dependencies: tuple[str, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return the place and the conditions, as they are shown to people."""
        shown = (f"if.{axis} = {' or '.join(patterns)}" for axis, patterns in self.conditions)
        return f"{self.place} ({', '.join(shown)})"

    def matches(self, names: Names) -> bool:
        """Return whether every condition matches one of the names of its axis in `names`.

        An axis that `names` does not contain is not known yet, so no condition on it matches.
        """
        return all(
            any(_fits(axis, name, each) for name in names.get(axis, ()) for each in patterns)
            for axis, patterns in self.conditions
        )


def _fits(axis: str, name: str, pattern: str) -> bool:
    if axis == "hostname":  # case does not count in it (RFC 4343)
        return fnmatchcase(name.lower(), pattern.lower())
    return fnmatchcase(name, pattern)


class ComputedNames(Mapping[str, frozenset[str]]):
    """Names that are computed when a condition first asks for them, by axis."""

    def __init__(self, **axes: Callable[[], frozenset[str]]) -> None:
        self._axes = {axis: cache(compute) for axis, compute in axes.items()}

    def __getitem__(self, axis: str) -> frozenset[str]:
        return self._axes[axis]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._axes)

    def __len__(self) -> int:
        return len(self._axes)


def chain_names(*each: Names) -> Names:
    """Return all names, those of the first mapping that has the axis; nothing is computed yet."""
    return ComputedNames(
        **{axis: partial(names.__getitem__, axis) for names in reversed(each) for axis in names}
    )


def platform_names(platform: str) -> dict[str, frozenset[str]]:
    """Return the names that if.platform matches: `linux-x86_64` and `linux`.

    `platform` is the value of sysconfig.get_platform().
    """
    return {EARLY_AXIS: frozenset((platform, platform.partition("-")[0]))}


def added_dependencies(overrides: Iterable[Override]) -> tuple[str, ...]:
    """Return the requirements (PEP 508) that `overrides` add to the wheel's own."""
    return tuple(dict.fromkeys(each for override in overrides for each in override.dependencies))


def cmake_defines(overrides: Iterable[Override]) -> dict[str, str]:
    """Return the CMake variables that `overrides` define."""
    return {name: value for each in overrides for name, value in each.defines}
