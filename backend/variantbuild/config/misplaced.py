"""Refuses settings that are written where, or in a form that, nothing reads.

They would have no effect without a word: a table under another heading, a config-setting or an
environment variable whose prefix is spelled in another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from variantbuild.config.kinds import ENV_PREFIX, PREFIX, closest
from variantbuild.config.settings import settings
from variantbuild.errors import ConfigError
from variantbuild.types import TOMLValue

_NAME = "variantbuild"
#: How much of a name must be ours (difflib's ratio); `variantlib` is another project.
_ALIKE = 0.88
#: Tables whose own keys are fixed, so that one of our name is a mistake (PEP 518, PEP 621).
_FIXED = ("build-system", "project")


def refuse_other_headings(pyproject: Mapping[str, TOMLValue]) -> None:
    """Refuse a table that is meant for us under another heading; raises ConfigError."""
    for heading in _headings(pyproject):
        raise ConfigError(
            f"[{heading}] in pyproject.toml is not read: settings are in [tool.variantbuild]",
            hint="rename the table to [tool.variantbuild]",
        )


def refuse_other_prefixes(config_settings: Iterable[str]) -> None:
    """Refuse a config-setting for the delegate that is meant for us; raises ConfigError."""
    for key in config_settings:
        plain = key.lstrip("-")
        head, dot, rest = plain.partition(".")
        if not (dot and _is_ours(head)):
            found = re.fullmatch(r"(?i)variant[-_]?build[-_:/]?(.*)", plain)
            if found is None:
                continue
            rest = found[1]
        near = closest(rest, [each.key for each in settings()]) or "cpu"
        raise ConfigError(
            f"the config-setting {key} is not read: ours begin with {PREFIX!r}",
            hint=f"write -C {PREFIX}{near}=VALUE",
        )


def refuse_other_variables(names: Iterable[str]) -> None:
    """Refuse a variable of a setting in another spelling; raises ConfigError."""
    known = {_bare(each.variable): each.variable for each in settings()}
    for name in names:
        wanted = known.get(_bare(name))
        if wanted is not None and not name.startswith(ENV_PREFIX):
            raise ConfigError(
                f"the environment variable {name} is not read", hint=f"it is called {wanted}"
            )


def _headings(pyproject: Mapping[str, TOMLValue]) -> Iterator[str]:
    for name, table in pyproject.items():
        if _is_ours(name):
            yield name
        elif isinstance(table, Mapping) and name in ("tool", "tools", *_FIXED):
            own = name == "tool"
            yield from (f"{name}.{each}" for each in table if _is_ours(each, exact=own))
    tool = pyproject.get("tool", {})
    for other, table in tool.items() if isinstance(tool, Mapping) else ():
        if isinstance(table, Mapping) and other != _NAME:
            yield from (
                f"tool.{other}.{each}"
                for each, inner in table.items()
                if _is_ours(each) and _has_our_keys(inner)
            )


def _is_ours(name: str, *, exact: bool = False) -> bool:
    """Return whether `name` is ours, or like ours; with `exact` in every spelling but ours."""
    if exact and name == _NAME:
        return False
    bare = _bare(name)
    # An upper bound, `SequenceMatcher.quick_ratio`: nearly no name needs the import.
    common = sum(min(bare.count(letter), _NAME.count(letter)) for letter in set(bare))
    if 2 * common / (len(bare) + len(_NAME)) < _ALIKE:
        return False
    import difflib

    return difflib.SequenceMatcher(None, bare, _NAME).ratio() >= _ALIKE


def _has_our_keys(table: TOMLValue) -> bool:
    known = {part for each in settings() for part in (each.key, each.key.partition(".")[0])}
    return isinstance(table, Mapping) and bool(table) and known.issuperset(table)


def _bare(name: str) -> str:
    return re.sub(r"[-_.]", "", name).lower()
