"""Where settings are read from: config-settings, environment, settings files and pyproject.toml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, cast

from variantbuild.config.kinds import ENV_PREFIX, PREFIX, variable_of
from variantbuild.config.settings import settings
from variantbuild.errors import ConfigError
from variantbuild.types import ConfigSettings, TOMLValue
from variantbuild.values import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """One place that settings were read from, and the raw value of each key found there."""

    kind: Literal["config-settings", "environment", "file", "pyproject"]
    name: str
    values: Mapping[str, TOMLValue]

    @property
    def is_table(self) -> bool:
        """Whether this is a TOML file, which can contain arrays of tables."""
        return self.kind in ("file", "pyproject")

    def locate(self, key: str) -> str:
        """Describe where `key` is set, for messages: `cpu in /etc/variantbuild.toml`."""
        match self.kind:
            case "config-settings":
                return f"the config-setting {PREFIX}{key}"
            case "environment":
                return f"the environment variable {variable_of(key)}"
            case "pyproject":
                return f"[tool.variantbuild] {key} in {self.name}"
            case "file":
                return f"{key} in {self.name}"


def split_config_settings(
    config_settings: ConfigSettings | None,
) -> tuple[Source, dict[str, str | list[str]]]:
    """Separate our config-settings from the delegate's.

    Front ends pass strings, lists of strings, booleans or None; a list for a key that takes a
    single value is reported later. Returns our source, and the rest unchanged for the delegate.
    Raises ConfigError for anything but a mapping with strings as keys (PEP 517).
    """
    given: object = config_settings or {}
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise ConfigError(
            f"the front end passed {given!r} as config-settings: expected a dictionary whose keys "
            "are strings"
        )
    ours: dict[str, TOMLValue] = {}
    rest: dict[str, str | list[str]] = {}
    for key, value in (config_settings or {}).items():
        if key.startswith(PREFIX):
            ours[key.removeprefix(PREFIX)] = "" if value is None else cast("TOMLValue", value)
        else:
            rest[key] = cast("str | list[str]", value)
    return Source("config-settings", "config-settings", ours), rest


def environment_source(env: Mapping[str, str]) -> Source:
    """Return the settings in `env`, `VARIANTBUILD_KEY` each; an empty value sets nothing."""
    variables = {setting.variable: setting.key for setting in settings()}
    values: dict[str, TOMLValue] = {}
    for name, value in env.items():
        if name.startswith(ENV_PREFIX) and value:
            key = variables.get(name, name.removeprefix(ENV_PREFIX).lower())
            values[key] = value
    return Source("environment", "environment", values)


def table_source(kind: Literal["file", "pyproject"], name: str, table: TOMLValue) -> Source:
    """Return the settings of a TOML `table`.

    Raises ConfigError if `table` is not a table.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"tool.variantbuild in {name} is {table!r}: expected a table")
    return Source(kind, name, flatten_table(table))


def flatten_table(table: Mapping[str, TOMLValue]) -> dict[str, TOMLValue]:
    """Return `table` with the keys of its sub-tables dotted: `{"a": {"b": 1}}` → `{"a.b": 1}`."""
    flat: dict[str, TOMLValue] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{sub}": inner for sub, inner in value.items()})
        else:
            flat[key] = value
    return flat
