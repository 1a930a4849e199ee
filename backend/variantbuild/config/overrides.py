"""Overrides: tables of settings that hold for some variants or platforms only.

    [[tool.variantbuild.overrides]]
    if.accelerator = "cuda"
    dependencies = ["nvidia-cuda-runtime>=13"]
    cmake.define.WITH_CUDA = "ON"

Every condition of a table must hold. A condition is a name or pattern (`*`, `?`) or a list of
them, compared with what the plan came to. Where several tables hold, the later one wins;
`dependencies` and `cmake.define` add up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeGuard, cast

from variantbuild.config.settings import Value, nearest, parse_value, settings
from variantbuild.data import load_table
from variantbuild.types import TOMLValue

KEY = "overrides"

#: What conditions look at. The platform is known before anything is decided, the others after.
EARLY_AXIS = "platform"
AXES = (EARLY_AXIS, "cpu", "accelerator", "distro")

Names = Mapping[str, frozenset[str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Override:
    """One table: where it stands, when it holds, and what it changes.

    `conditions` are (axis, patterns); `defines` are CMake variables and their values.
    """

    place: str
    conditions: tuple[tuple[str, tuple[str, ...]], ...]
    values: Mapping[str, Value]
    dependencies: tuple[str, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()

    def holds(self, names: Names) -> bool:
        """Tell whether each condition matches one of the names that its axis has in `names`.

        An axis that is not in `names` is not known yet, and nothing holds of it.
        """
        return all(
            any(fnmatchcase(name, pattern) for name in names.get(axis, ()) for pattern in patterns)
            for axis, patterns in self.conditions
        )


def parse_overrides(raw: TOMLValue, source: str, problems: list[str]) -> tuple[Override, ...]:
    """Return the tables that stand in `raw`; what is wrong with them is added to `problems`.

    `source` names the file for messages.
    """
    if not _is_list(raw) or not all(isinstance(table, Mapping) for table in raw):
        problems.append(
            f"{KEY} of {source} is {raw!r}: expected tables, each under [[tool.variantbuild.{KEY}]]"
        )
        return ()
    tables = cast("Sequence[Mapping[str, TOMLValue]]", raw)
    return tuple(
        _parse_table(table, f"table {number} of {KEY} in {source}", problems)
        for number, table in enumerate(tables, 1)
    )


def platform_names(platform: str) -> dict[str, frozenset[str]]:
    """Return what if.platform looks at: `linux-x86_64` (sysconfig.get_platform()) and `linux`."""
    return {EARLY_AXIS: frozenset((platform, platform.partition("-")[0]))}


def _parse_table(table: Mapping[str, TOMLValue], place: str, problems: list[str]) -> Override:
    conditions = _parse_conditions(table.get("if"), place, problems)
    rest = {key: value for key, value in table.items() if key not in ("if", "dependencies")}
    cmake = rest.pop("cmake", {})
    defines = cmake.get("define", {}) if isinstance(cmake, Mapping) else None
    if not isinstance(defines, Mapping) or (isinstance(cmake, Mapping) and set(cmake) - {"define"}):
        problems.append(f"cmake of {place} is {cmake!r}: only cmake.define is known there")
        defines = {}
    early = all(axis == EARLY_AXIS for axis, _ in conditions)
    return Override(
        place=place,
        conditions=conditions,
        values=_parse_values(_flatten(rest), place, early, problems),
        dependencies=_parse_dependencies(table.get("dependencies", []), place, problems),
        defines=tuple((name, _define(value)) for name, value in defines.items()),
    )


def _parse_conditions(
    raw: TOMLValue | None, place: str, problems: list[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(raw, Mapping) or not raw:
        problems.append(f'{place} has no condition: add one, such as if.cpu = "v3"')
        return ()
    conditions = []
    for axis, value in raw.items():
        patterns = (value,) if isinstance(value, str) else _strings(value)
        if axis not in AXES:
            problems.append(
                f"if.{axis} of {place} is no condition{nearest(axis, AXES)}; "
                f"known are {', '.join(AXES)}"
            )
        elif not patterns:
            problems.append(
                f"if.{axis} of {place} is {value!r}: expected a name or a list of names"
            )
        else:
            conditions.append((axis, patterns))
    return tuple(conditions)


def _parse_values(
    raw: Mapping[str, TOMLValue], place: str, early: bool, problems: list[str]
) -> dict[str, Value]:
    """Return the settings of one table; those that choose the variant only where `early`."""
    known = {setting.key: setting for setting in settings() if setting.key != KEY}
    choosing = cast("list[str]", load_table("settings")["choosing-keys"])
    values: dict[str, Value] = {}
    for key, value in raw.items():
        if key not in known:
            near = nearest(key, [*known, "dependencies", "cmake.define"])
            problems.append(f"{key} of {place} is not a setting{near}")
        elif key in choosing and not early:
            problems.append(
                f"{key} of {place} would change what its own condition looks at: "
                f"only if.{EARLY_AXIS} is known before it"
            )
        else:
            try:
                values[key] = parse_value(known[key], value)
            except ValueError as error:
                problems.append(f"{key} of {place} is {value!r}: {error}")
    return values


def _parse_dependencies(raw: TOMLValue, place: str, problems: list[str]) -> tuple[str, ...]:
    texts = _strings(raw)
    if texts is None:
        problems.append(f"dependencies of {place} is {raw!r}: expected a list of requirements")
        return ()
    if not texts:
        return ()
    from packaging.requirements import InvalidRequirement, Requirement

    for text in texts:
        try:
            Requirement(text)
        except InvalidRequirement as error:
            reason = str(error).partition("\n")[0]
            problems.append(f"{text!r} in dependencies of {place} is no requirement: {reason}")
    return texts


def _flatten(table: Mapping[str, TOMLValue]) -> dict[str, TOMLValue]:
    flat: dict[str, TOMLValue] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{sub}": inner for sub, inner in value.items()})
        else:
            flat[key] = value
    return flat


def _define(value: TOMLValue) -> str:
    """Write a TOML value as CMake reads it: booleans are ON and OFF."""
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    return ";".join(map(str, value)) if _is_list(value) else str(value)


def _is_list(value: TOMLValue) -> TypeGuard[Sequence[TOMLValue]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _strings(value: TOMLValue) -> tuple[str, ...] | None:
    """Return the strings of a list; None where `value` is no list, or not of strings alone."""
    if not _is_list(value):
        return None
    strings = tuple(each for each in value if isinstance(each, str))
    return strings if len(strings) == len(value) else None
