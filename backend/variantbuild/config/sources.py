"""Where settings are read: config-settings, environment, the files of user, machine and project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from variantbuild.config.settings import ENV_PREFIX, PREFIX, settings, variable_of
from variantbuild.errors import ConfigError
from variantbuild.types import ConfigSettings, TOMLValue


@dataclass(frozen=True, slots=True)
class Source:
    """Where settings were read, and what stood there: key to raw value.

    `locate` turns a key into words for a message: `VARIANTBUILD_CPU`, `/etc/variantbuild.toml`.
    """

    kind: Literal["config-settings", "environment", "file", "pyproject"]
    name: str
    values: Mapping[str, TOMLValue]

    @property
    def is_table(self) -> bool:
        """Tell whether this is TOML, which can hold tables of tables."""
        return self.kind in ("file", "pyproject")

    def locate(self, key: str) -> str:
        """Say where `key` stands, in words a user finds again."""
        if self.kind == "config-settings":
            return f"the config-setting {PREFIX}{key}"
        if self.kind == "environment":
            return f"the environment variable {variable_of(key)}"
        if self.kind == "pyproject":
            return f"[tool.variantbuild] {key} of {self.name}"
        return f"{key} of {self.name}"


def split_config_settings(
    config_settings: ConfigSettings | None,
) -> tuple[Source, dict[str, str | list[str]]]:
    """Separate our config-settings from the delegate's.

    Values may be strings, lists of strings, booleans or None, as front ends send them; a list
    for a key that takes one value is an error of its own later. Returns our source and the rest
    untouched, which goes to the delegate.
    """
    ours: dict[str, TOMLValue] = {}
    rest: dict[str, str | list[str]] = {}
    for key, value in (config_settings or {}).items():
        if key.startswith(PREFIX):
            ours[key.removeprefix(PREFIX)] = "" if value is None else cast("TOMLValue", value)
        else:
            rest[key] = cast("str | list[str]", value)
    return Source("config-settings", "config-settings", ours), rest


def environment_source(env: Mapping[str, str]) -> Source:
    """Return the settings that `env` holds as `VARIANTBUILD_KEY`; an empty value sets nothing."""
    variables = {setting.variable: setting.key for setting in settings()}
    values: dict[str, TOMLValue] = {}
    for name, value in env.items():
        if name.startswith(ENV_PREFIX) and value:
            key = variables.get(name, name.removeprefix(ENV_PREFIX).lower())
            values[key] = value
    return Source("environment", "environment", values)


def table_source(kind: Literal["file", "pyproject"], name: str, table: TOMLValue) -> Source:
    """Return the settings of a TOML `table`, its sub-tables flattened to dotted keys.

    Raises ConfigError where `table` is no table.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"tool.variantbuild of {name} is {table!r}: expected a table")
    values: dict[str, TOMLValue] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            values.update({f"{key}.{sub}": inner for sub, inner in value.items()})
        else:
            values[key] = value
    return Source(kind, name, values)
