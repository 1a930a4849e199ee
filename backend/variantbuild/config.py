"""Settings: from config-settings, environment, files and pyproject.toml to one `Config`.

Sources, highest first: config-settings (`-C variantbuild.KEY=VALUE`), the environment
(`VARIANTBUILD_KEY`), the user's file, the machine's file, `[tool.variantbuild]` of
pyproject.toml. The keys stand in data/settings.json. All problems are reported at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from variantbuild.data import load_table
from variantbuild.errors import ConfigError
from variantbuild.types import ConfigSettings, TOMLValue

LocalVersion = Literal["auto", "always", "never"]
PlatformTag = Literal["auto", "specific", "set", "hybrid", "plain"]
AuditPolicy = Literal["error", "downgrade", "warn", "off"]
CudaLabel = Literal["major", "minor"]
CudaToolkit = Literal["auto", "system", "pypi"]
FpContract = Literal["default", "off", "fast"]
Value = str | bool | tuple[str, ...] | None

PREFIX = "variantbuild."
ENV_PREFIX = "VARIANTBUILD_"


def variable_of(key: str) -> str:
    """Return the variable that sets `key`: `cuda.version` → VARIANTBUILD_CUDA_VERSION."""
    return ENV_PREFIX + key.upper().replace(".", "_").replace("-", "_")


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: its name, kind (text, choice, bool, list), default, and words for people."""

    key: str
    kind: Literal["text", "choice", "bool", "list"]
    default: Value
    choices: tuple[str, ...]
    values: str
    doc: str

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable_of(self.key)


@dataclass(frozen=True, slots=True)
class Source:
    """Where settings were read, and what stood there: key to raw value.

    `locate` turns a key into words for a message: `VARIANTBUILD_CPU`, `/etc/variantbuild.toml`.
    """

    kind: Literal["config-settings", "environment", "file", "pyproject"]
    name: str
    values: Mapping[str, TOMLValue]

    def locate(self, key: str) -> str:
        """Say where `key` stands, in words a user finds again."""
        if self.kind == "config-settings":
            return f"the config-setting {PREFIX}{key}"
        if self.kind == "environment":
            return f"the environment variable {variable_of(key)}"
        if self.kind == "pyproject":
            return f"[tool.variantbuild] {key} of {self.name}"
        return f"{key} of {self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The settings that hold, and for each one given the place that it came from.

    `target` and `cpu` are words still: what they mean depends on the machine. Where both are
    set, `cpu` came from a higher source and replaces the target's processor.
    """

    delegate: str = "auto"
    delegate_path: tuple[str, ...] = ()
    target: str | None = None
    cpu: str = "auto"
    accelerators: tuple[str, ...] = ()
    cuda_version: str = "auto"
    cuda_architectures: tuple[str, ...] = ("auto",)
    cuda_ptx: bool = True
    cuda_label: CudaLabel = "major"
    cuda_toolkit: CudaToolkit = "auto"
    rocm_version: str = "auto"
    rocm_architectures: tuple[str, ...] = ("auto",)
    distro: bool = False
    local_version: LocalVersion = "auto"
    platform_tag: PlatformTag = "auto"
    isa_guard: bool = True
    audit: AuditPolicy = "error"
    fp_contract: FpContract = "default"
    flags_c: tuple[str, ...] = ()
    flags_cxx: tuple[str, ...] = ()
    flags_fortran: tuple[str, ...] = ()
    flags_cuda: tuple[str, ...] = ()
    flags_hip: tuple[str, ...] = ()
    flags_link: tuple[str, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()

    def origin(self, key: str) -> str:
        """Return where `key` (as users write it) was set, or "the default"."""
        return dict(self.origins).get(key, "the default")

    def is_set(self, key: str) -> bool:
        """Tell whether any source set `key`."""
        return key in dict(self.origins)


def settings() -> tuple[Setting, ...]:
    """Return every setting, in the order of the documentation."""
    rows = cast("list[dict[str, TOMLValue]]", load_table("settings")["settings"])
    return tuple(
        Setting(
            key=str(row["key"]),
            kind=cast("Literal['text', 'choice', 'bool', 'list']", row["kind"]),
            default=_freeze(row["default"]),
            choices=tuple(cast("list[str]", row.get("choices", []))),
            values=str(row["values"]),
            doc=str(row["doc"]),
        )
        for row in rows
    )


def resolve_config(sources: Iterable[Source]) -> Config:
    """Merge `sources`, highest first, into the settings that hold.

    Raises ConfigError that lists every problem of every source: unknown keys with the nearest
    valid name, keys that are planned but not built yet, values of the wrong kind, and a target
    beside the single keys that it sets.
    """
    known = {setting.key: setting for setting in settings()}
    problems: list[str] = []
    parsed: list[tuple[Source, dict[str, Value]]] = []
    for source in sources:
        values: dict[str, Value] = {}
        for key, raw in source.values.items():
            setting = known.get(key)
            if setting is None:
                problems.append(_unknown(key, source, known))
                continue
            try:
                values[key] = _parse(setting, raw)
            except ValueError as error:
                problems.append(f"{source.locate(key)} is {raw!r}: {error}")
        parsed.append((source, values))
    merged, origins = _merge(parsed, problems)
    if problems:
        raise _config_error(problems)
    fields = {key.replace("-", "_").replace(".", "_"): value for key, value in merged.items()}
    return Config(**fields, origins=tuple(sorted(origins.items())))  # type: ignore[arg-type]  # _parse checked each kind


def _merge(
    parsed: Sequence[tuple[Source, Mapping[str, Value]]], problems: list[str]
) -> tuple[dict[str, Value], dict[str, str]]:
    """Take each key from its highest source; a target hides the single keys of lower ones."""
    covered = cast("list[str]", load_table("settings")["target-keys"])
    merged: dict[str, Value] = {}
    origins: dict[str, str] = {}
    target_seen = False
    for source, values in parsed:
        target_here = values.get("target") is not None
        for key, value in values.items():
            if key in covered and target_here:
                problems.append(
                    f"{source.locate(key)} stands beside a target ({values['target']!r}) that "
                    "sets it already: keep one of them"
                )
            elif key not in merged and not (target_seen and key in covered):
                merged[key] = value
                origins[key] = source.locate(key)
        target_seen = target_seen or target_here
    return merged, origins


def _parse(setting: Setting, raw: TOMLValue) -> Value:
    """Turn a raw value into the setting's kind; raises ValueError with what is expected."""
    match setting.kind:
        case "bool":
            words = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}
            if isinstance(raw, bool):
                return raw
            if isinstance(raw, str) and raw.lower() in words:
                return words[raw.lower()]
            raise ValueError("expected true or false")
        case "choice":
            if isinstance(raw, str) and raw in setting.choices:
                return raw
            near = _nearest(raw, setting.choices) if isinstance(raw, str) else ""
            raise ValueError(f"expected one of {', '.join(setting.choices)}{near}")
        case "list":
            if isinstance(raw, str):
                return tuple(part.strip() for part in raw.split(";") if part.strip())
            if isinstance(raw, Sequence) and all(isinstance(part, str) for part in raw):
                return tuple(cast("Sequence[str]", raw))
            raise ValueError("expected a list of strings")
        case "text":
            if isinstance(raw, str) and raw.strip():
                return raw.strip()
            raise ValueError("expected a string that is not empty")


def _unknown(key: str, source: Source, known: Mapping[str, Setting]) -> str:
    planned = cast("list[str]", load_table("settings")["planned"])
    place = source.locate(key)
    if key in planned or any(name.startswith(f"{key}.") for name in planned):
        return f"{place} is not known yet to this version of variantbuild: remove it"
    return f"{place} is not a setting{_nearest(key, known) or '; see `variantbuild plan --help`'}"


def _nearest(word: str, names: Iterable[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word.lower().replace("_", "-"), list(names), 1, 0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _config_error(problems: Sequence[str]) -> ConfigError:
    if len(problems) == 1:
        return ConfigError(problems[0])
    listed = "".join(f"\n  - {problem}" for problem in problems)
    return ConfigError(f"{len(problems)} settings are wrong:{listed}")


def _freeze(value: TOMLValue) -> Value:
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    return cast("Value", value)


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
    planned = cast("list[str]", load_table("settings")["planned"])
    variables |= {variable_of(key): key for key in planned}
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
