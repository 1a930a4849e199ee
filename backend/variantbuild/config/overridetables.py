"""Parse the tables of `[[tool.variantbuild.overrides]]`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from typing import TypeGuard, cast

from variantbuild.config.kinds import Value, nearest, parse_value
from variantbuild.config.overrides import AXES, EARLY_AXES, MACHINE_AXES, Override
from variantbuild.config.settings import OVERRIDES, settings
from variantbuild.config.sources import flatten_table
from variantbuild.data import load_table
from variantbuild.types import TOMLValue

_LIKE_A_LEVEL = re.compile(r"v\d|x86|armv?\d", re.IGNORECASE | re.ASCII)


def parse_overrides(
    raw: TOMLValue, source: str, problems: list[str], *, of_machine: bool = False
) -> tuple[Override, ...]:
    """Parse the array of tables `raw`; append what is wrong with it to `problems`.

    `source` names the file for messages; `of_machine` is true for the user's or the machine's file.
    """
    if not _is_list(raw) or not all(isinstance(table, Mapping) for table in raw):
        problems.append(
            f"{OVERRIDES} in {source} is {raw!r}: expected an array of tables, each starting with "
            f"[[{'' if of_machine else 'tool.variantbuild.'}{OVERRIDES}]]"
        )
        return ()
    tables = cast("Sequence[Mapping[str, TOMLValue]]", raw)
    return tuple(
        _parse_table(
            table, f"table {number} of {OVERRIDES} in {source}", problems, of_machine=of_machine
        )
        for number, table in enumerate(tables, 1)
    )


def _parse_table(
    table: Mapping[str, TOMLValue], place: str, problems: list[str], *, of_machine: bool
) -> Override:
    axes = (*AXES, *MACHINE_AXES) if of_machine else AXES
    conditions = _parse_conditions(table.get("if"), place, problems, axes)
    rest = {k: v for k, v in table.items() if k not in ("if", "dependencies", "cmake")}
    return Override(
        place=place,
        conditions=conditions,
        values=_parse_values(flatten_table(rest), place, conditions, problems, axes),
        dependencies=_parse_dependencies(table.get("dependencies", []), place, problems),
        defines=_parse_defines(table.get("cmake", {}), place, problems),
    )


def _parse_conditions(
    raw: TOMLValue | None, place: str, problems: list[str], axes: Sequence[str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(raw, Mapping) or not raw:
        problems.append(f'{place} has no condition: add one, such as if.cpu = "v3"')
        return ()
    conditions = []
    for axis, value in raw.items():
        patterns = (value,) if isinstance(value, str) else _strings(value)
        if axis in MACHINE_AXES and axis not in axes:
            problems.append(
                f"if.{axis} of {place} depends on the machine that builds: only the user's and the "
                "machine's settings files can have it, as a project must give the same wheel "
                "wherever it is built"
            )
        elif axis not in axes:
            problems.append(
                f"if.{axis} of {place} is not a condition{nearest(axis, axes)}; "
                f"the conditions are {', '.join(axes)}"
            )
        elif not patterns or not all(patterns):
            problems.append(
                f"if.{axis} of {place} is {value!r}: expected a name or a list of names"
            )
        elif axis == "level" and (wrong := _no_levels(patterns)):
            problems.append(
                f"if.{axis} of {place} is {wrong[0]!r}, which is the level of no machine"
                f"{nearest(wrong[0], _levels())}"
            )
        else:
            conditions.append((axis, patterns))
    return tuple(conditions)


@cache
def _levels() -> tuple[str, ...]:
    table = cast("Mapping[str, Mapping[str, object]]", load_table("architectures")["architectures"])
    rows = (cast("list[dict[str, str]]", row.get("levels", [])) for row in table.values())
    return tuple(level["name"] for row in rows for level in row)


def _no_levels(patterns: Sequence[str]) -> list[str]:
    """Return what is written like a level of x86-64 or AArch64, and is none.

    The levels of other architectures are archspec's names, which are not known here.
    """
    alike = [each for each in patterns if _LIKE_A_LEVEL.match(each)]
    return [each for each in alike if not any(fnmatchcase(name, each) for name in _levels())]


def _parse_values(
    raw: Mapping[str, TOMLValue],
    place: str,
    conditions: Sequence[tuple[str, tuple[str, ...]]],
    problems: list[str],
    axes: Sequence[str],
) -> dict[str, Value]:
    """Parse the settings of one table.

    Those that take part in choosing the variant are refused under conditions that depend on it.
    """
    known = {setting.key: setting for setting in settings() if setting.key != OVERRIDES}
    early = [axis for axis in axes if axis in EARLY_AXES]
    late = any(axis not in EARLY_AXES for axis, _ in conditions)
    values: dict[str, Value] = {}
    for key, value in raw.items():
        setting = known.get(key)
        if setting is None:
            near = nearest(key, [*known, "dependencies", "cmake.define"])
            problems.append(f"{key} of {place} is not a setting{near}")
        elif setting.early and late:
            problems.append(
                f"{key} of {place} takes part in choosing the variant that its condition depends "
                f"on: only {', '.join(f'if.{axis}' for axis in early)} can be used with it"
            )
        else:
            try:
                values[key] = parse_value(setting, value)
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
            problems.append(
                f"{text!r} in dependencies of {place} is not a valid requirement: {reason}"
            )
    return texts


def _parse_defines(raw: TOMLValue, place: str, problems: list[str]) -> tuple[tuple[str, str], ...]:
    defines = raw.get("define", {}) if isinstance(raw, Mapping) and set(raw) <= {"define"} else None
    if not isinstance(defines, Mapping):
        problems.append(f"cmake of {place} is {raw!r}: only cmake.define is supported")
        return ()
    return tuple((name, _define(value)) for name, value in defines.items())


def _define(value: TOMLValue) -> str:
    """Convert a TOML value to the form that CMake reads: booleans are ON and OFF."""
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    return ";".join(map(str, value)) if _is_list(value) else str(value)


def _is_list(value: TOMLValue) -> TypeGuard[Sequence[TOMLValue]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _strings(value: TOMLValue) -> tuple[str, ...] | None:
    """Return the strings of a list; None if `value` is not a list of strings."""
    if not _is_list(value):
        return None
    strings = tuple(each for each in value if isinstance(each, str))
    return strings if len(strings) == len(value) else None
