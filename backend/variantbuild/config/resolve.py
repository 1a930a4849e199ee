"""From every source to the settings that hold, with all problems reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from variantbuild.config.overrides import KEY as OVERRIDES
from variantbuild.config.overrides import Names, Override, parse_overrides
from variantbuild.config.settings import Value, nearest, parse_value, settings
from variantbuild.config.sources import Source
from variantbuild.data import load_table
from variantbuild.errors import ConfigError

LocalVersion = Literal["auto", "always", "never"]
PlatformTag = Literal["auto", "specific", "set", "hybrid", "plain"]
AuditPolicy = Literal["error", "downgrade", "warn", "off"]
CudaLabel = Literal["major", "minor"]
CudaToolkit = Literal["auto", "system", "pypi"]
FpContract = Literal["default", "off", "fast"]

#: Key to its value and the place where that was set, in words.
_Placed = dict[str, tuple[Value, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The settings that hold, and for each one given the place that it came from.

    `target` and `cpu` are words still: what they mean depends on the machine. Where both are
    set, `cpu` came from a higher source and replaces the target's processor. `overrides` are the
    tables that hold, what counts more behind.
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
    build_cache: bool = False
    fp_contract: FpContract = "default"
    flags_c: tuple[str, ...] = ()
    flags_cxx: tuple[str, ...] = ()
    flags_fortran: tuple[str, ...] = ()
    flags_cuda: tuple[str, ...] = ()
    flags_hip: tuple[str, ...] = ()
    flags_link: tuple[str, ...] = ()
    overrides: tuple[Override, ...] = ()
    origins: tuple[tuple[str, str], ...] = ()

    def origin(self, key: str) -> str:
        """Return where `key` (as users write it) was set, or "the default"."""
        return dict(self.origins).get(key, "the default")

    def is_set(self, key: str) -> bool:
        """Tell whether any source set `key`."""
        return key in dict(self.origins)

    @property
    def dependencies(self) -> tuple[str, ...]:
        """The requirements (PEP 508) that overrides add to the wheel's own."""
        listed = (text for override in self.overrides for text in override.dependencies)
        return tuple(dict.fromkeys(listed))

    @property
    def cmake_defines(self) -> dict[str, str]:
        """The CMake variables that overrides define."""
        return {name: value for each in self.overrides for name, value in each.defines}


def resolve_config(sources: Iterable[Source], names: Names | None = None) -> Config:
    """Merge `sources`, highest first, into the settings that hold.

    `names` are what the conditions of overrides look at, as far as it is known. Raises
    ConfigError that lists every problem of every source: unknown keys with the nearest valid
    name, values of the wrong kind, and a target beside the single keys that it sets.
    """
    problems: list[str] = []
    held: list[Override] = []
    parsed: list[_Placed] = []
    for source in sources:
        placed = _parse_source(source, problems)
        overrides = _parse_overrides(source, problems)
        for override in overrides:
            if override.holds(names or {}):
                placed.update({key: (v, override.place) for key, v in override.values.items()})
        # What counts more comes later, within a source and among them.
        held[:0] = [override for override in overrides if override.holds(names or {})]
        parsed.append(placed)
    merged = _merge(parsed, problems)
    if problems:
        raise _config_error(problems)
    fields = {key.replace("-", "_").replace(".", "_"): v for key, (v, _) in merged.items()}
    origins = tuple(sorted((key, place) for key, (_, place) in merged.items()))
    return Config(**fields, origins=origins, overrides=tuple(held))  # type: ignore[arg-type]  # parse_value checked each kind


def _parse_source(source: Source, problems: list[str]) -> _Placed:
    known = {setting.key: setting for setting in settings()}
    placed: _Placed = {}
    for key, raw in source.values.items():
        place, setting = source.locate(key), known.get(key)
        if setting is None:
            problems.append(_unknown(key, place, known))
        elif key != OVERRIDES or not source.is_table:
            try:
                placed[key] = (parse_value(setting, raw), place)
            except ValueError as error:
                problems.append(f"{place} is {raw!r}: {error}")
    return placed


def _parse_overrides(source: Source, problems: list[str]) -> tuple[Override, ...]:
    if OVERRIDES not in source.values or not source.is_table:
        return ()
    return parse_overrides(source.values[OVERRIDES], source.name, problems)


def _merge(parsed: Sequence[_Placed], problems: list[str]) -> _Placed:
    """Take each key from its highest source; a target hides the single keys of lower ones."""
    covered = cast("list[str]", load_table("settings")["target-keys"])
    merged: _Placed = {}
    target_seen = False
    for placed in parsed:
        target, _ = placed.get("target", (None, ""))
        for key, (value, place) in placed.items():
            if key in covered and target is not None:
                problems.append(
                    f"{place} stands beside a target ({target!r}) that "
                    "sets it already: keep one of them"
                )
            elif key not in merged and not (target_seen and key in covered):
                merged[key] = (value, place)
        target_seen = target_seen or target is not None
    return merged


def _unknown(key: str, place: str, known: Iterable[str]) -> str:
    if key.startswith(f"{OVERRIDES}."):
        return (
            f"{place} stands in a table: write [[tool.variantbuild.{OVERRIDES}]], in two brackets"
        )
    if key == "tool.variantbuild":
        return f"{place} is not a setting: in a settings file the keys stand without that heading"
    below = [each for each in known if each.startswith(f"{key}.")]
    if below:
        return f"{place} is not a setting by itself: write {', '.join(below)}"
    remedy = nearest(key, known) or "; `variantbuild plan --help` lists them"
    return f"{place} is not a setting{remedy}"


def _config_error(problems: Sequence[str]) -> ConfigError:
    if len(problems) == 1:
        return ConfigError(problems[0])
    listed = "".join(f"\n  - {problem}" for problem in problems)
    return ConfigError(f"{len(problems)} settings are wrong:{listed}")
