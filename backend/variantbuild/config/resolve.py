"""Merge all sources into the settings in effect, with all problems reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, NoReturn, cast

from variantbuild.config.kinds import ENV_PREFIX, Setting, Value, closest, nearest, parse_value
from variantbuild.config.overrides import Names, Override
from variantbuild.config.overridetables import parse_overrides
from variantbuild.config.settings import OVERRIDES, Config, settings
from variantbuild.config.sources import Source
from variantbuild.errors import ConfigError
from variantbuild.types import TOMLValue


class _Placed(NamedTuple):
    """A parsed value, and a description of where it was set."""

    value: Value
    place: str


def resolve_config(sources: Iterable[Source], names: Names | None = None) -> Config:
    """Merge `sources`, in order of precedence, into the settings in effect.

    `names` are what the conditions of overrides are compared with, as far as it is known. Raises
    ConfigError with every problem of every source: unknown keys with the closest valid name,
    values of the wrong kind, and a target next to individual keys that it sets.
    """
    problems: list[str] = []
    active: list[Override] = []
    parsed: list[dict[str, _Placed]] = []
    for source in sources:
        placed = _parse_source(source, problems)
        matching = [
            override
            for override in _parse_overrides(source, problems)
            if override.matches(names or {})
        ]
        for override in matching:
            placed.update({k: _Placed(v, override.place) for k, v in override.values.items()})
        # The highest precedence comes last, both within a source and among sources.
        active[:0] = matching
        parsed.append(placed)
    merged = _merge(parsed, problems)
    if problems:
        raise _config_error(problems)
    values = {
        setting.field: merged[setting.key].value for setting in settings() if setting.key in merged
    }
    origins = tuple(sorted((key, placed.place) for key, placed in merged.items()))
    # `parse_value` has converted each value to the kind that its field declares.
    checked = cast("dict[str, NoReturn]", values)
    return Config(**checked, origins=origins, overrides=tuple(active))


def read_overrides(source: Source) -> tuple[Override, ...]:
    """Return the tables of overrides of one source, which has no mistakes."""
    return _parse_overrides(source, [])


def _parse_source(source: Source, problems: list[str]) -> dict[str, _Placed]:
    known = {setting.key: setting for setting in settings()}
    placed: dict[str, _Placed] = {}
    for key, raw in source.values.items():
        place, setting = source.locate(key), known.get(key)
        if setting is None:
            problems.append(_unknown(key, source, known))
        elif key != OVERRIDES or not source.is_table:
            try:
                placed[key] = _Placed(parse_value(setting, raw), place)
            except ValueError as error:
                problems.append(
                    _repeated(source, place, raw) or f"{place} is {_shown(raw)}: {error}"
                )
    return placed


def _repeated(source: Source, place: str, raw: TOMLValue) -> str:
    """Say that a config-setting for a single value has several; '' for any other value.

    Front ends collect a repeated `-C KEY=VALUE` in a list.
    """
    if source.kind != "config-settings" or isinstance(raw, str) or not isinstance(raw, Sequence):
        return ""
    values = " and ".join(map(str, raw))
    return f"{place} is given {len(raw)} times ({values}): it takes one value"


def _parse_overrides(source: Source, problems: list[str]) -> tuple[Override, ...]:
    if OVERRIDES not in source.values or not source.is_table:
        return ()
    of_machine = source.kind == "file"
    return parse_overrides(source.values[OVERRIDES], source.name, problems, of_machine=of_machine)


def _merge(parsed: Sequence[Mapping[str, _Placed]], problems: list[str]) -> dict[str, _Placed]:
    """Take each key from its highest source; a target hides the keys it sets in lower ones."""
    covered = {setting.key for setting in settings() if setting.in_target}
    merged: dict[str, _Placed] = {}
    target_seen = False
    for source in parsed:
        target = source.get("target")
        for key, placed in source.items():
            if key in covered and target is not None:
                problems.append(
                    f"{placed.place} is set next to a target ({target.value!r}), which already "
                    "sets it: keep one of them"
                )
            elif key not in merged and not (target_seen and key in covered):
                merged[key] = placed
        target_seen = target_seen or target is not None
    return merged


def _shown(raw: TOMLValue) -> str:
    """Return a value as TOML writes it, for messages."""
    if isinstance(raw, bool):
        return str(raw).lower()
    return repr(raw) if isinstance(raw, str | int | float | Sequence) else str(raw)


def _unknown(key: str, source: Source, known: Mapping[str, Setting]) -> str:
    place = source.locate(key)
    head, _, last = key.partition(".")
    if key.startswith(f"{OVERRIDES}."):
        return (
            f"{place} is in a single table: write [[tool.variantbuild.{OVERRIDES}]], with double "
            "brackets"
        )
    if head in known:
        return (
            f"{source.locate(head)} is a table, and {head} is a setting with one value: write "
            f"{head} = … instead"
        )
    misplaced = source.kind == "file" and last in known
    if key == "tool.variantbuild" or key.startswith("variantbuild.") or misplaced:
        return f"{place} is not a setting: in a settings file the keys are at the top level"
    below = [each for each in known if each.startswith(f"{key}.")]
    if below:
        return f"{place} is a group, not a setting: write {', '.join(below)}"
    if source.kind == "environment":
        known = {each.variable.removeprefix(ENV_PREFIX): each for each in known.values()}
        close = closest(key, known)
        remedy = "" if close is None else f"; did you mean {ENV_PREFIX}{close}?"
    else:
        remedy = nearest(key, known)
    remedy = remedy or "; `variantbuild plan --help` lists them"
    return f"{place} is not a setting{remedy}"


def _config_error(problems: Sequence[str]) -> ConfigError:
    if len(problems) == 1:
        return ConfigError(problems[0])
    listed = "".join(f"\n  - {problem}" for problem in problems)
    return ConfigError(f"{len(problems)} settings are invalid:{listed}")
