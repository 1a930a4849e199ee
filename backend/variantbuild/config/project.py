"""A source tree and its settings: the files that configure a build, read once."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from pathlib import Path

from variantbuild.config import (
    Config,
    Names,
    Override,
    Source,
    chain_names,
    environment_source,
    platform_names,
    read_overrides,
    resolve_config,
    settings,
    split_config_settings,
    table_source,
)
from variantbuild.config.kinds import PREFIX
from variantbuild.config.misplaced import (
    refuse_other_headings,
    refuse_other_prefixes,
    refuse_other_variables,
)
from variantbuild.config.tomlfile import read_toml
from variantbuild.errors import ConfigError
from variantbuild.host.ownership import distrust
from variantbuild.host.userdirs import user_directory
from variantbuild.types import ConfigSettings, TOMLValue
from variantbuild.values import dataclass

TOMLTable = Mapping[str, TOMLValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class Project:
    """A source tree with its settings.

    `pyproject` is the parsed file; `delegate_settings` are the config-settings that are not ours;
    `is_sdist` is true for an unpacked source distribution (PKG-INFO next to pyproject.toml);
    `sources` are what `config` was read from, in order of precedence; `machine` are the names of
    this machine, which conditions in settings files match; `ignored_files` are messages about
    settings files that another user can change.
    """

    path: Path
    pyproject: Mapping[str, TOMLValue]
    config: Config
    delegate_settings: Mapping[str, str | list[str]]
    is_sdist: bool
    sources: tuple[Source, ...] = ()
    machine: Names = field(default_factory=dict)
    ignored_files: tuple[str, ...] = ()

    @property
    def stray_settings(self) -> tuple[str, ...]:
        """Messages about config-settings for the delegate that have the name of one of ours."""
        ours = {setting.key for setting in settings()}
        return tuple(
            f"the config-setting {key} is passed to the delegate; ours is {PREFIX}{key}"
            for key in self.delegate_settings
            if key in ours
        )

    def tool_table(self, name: str) -> Mapping[str, TOMLValue] | None:
        """Return `[tool.NAME]` of pyproject.toml; None if there is no such table."""
        tool = self.pyproject.get("tool")
        table = tool.get(name) if isinstance(tool, Mapping) else None
        return table if isinstance(table, Mapping) else None

    def settle(self, names: Names) -> Project:
        """Return the project with the overrides applied whose conditions match `names`."""
        return replace(self, config=resolve_config(self.sources, chain_names(names, self.machine)))


def load_project(
    path: Path,
    config_settings: ConfigSettings | None,
    env: Mapping[str, str],
    *,
    machine_files: tuple[Path, ...] | None = None,
    machine: Names | None = None,
) -> Project:
    """Read the settings for the source tree at `path` from every source.

    `machine_files` are the user's and the machine's settings files, in order of precedence; None
    means the default locations. `machine` are the names of this machine, by axis. Raises
    ConfigError with the file and the reason if one cannot be read.
    """
    pyproject = read_toml(path / "pyproject.toml", required=True)
    files = machine_files if machine_files is not None else settings_files(env)
    ours, rest = split_config_settings(config_settings)
    refuse_other_prefixes(rest)
    refuse_other_variables(name for name, value in env.items() if value)
    tables, ignored = _read_settings(files)
    sources: list[Source] = [
        ours,
        environment_source(env),
        *(table_source("file", str(file), table) for file, table in tables if table),
        _pyproject_source(pyproject),
    ]
    names = platform_names(sysconfig.get_platform())
    config = resolve_config(sources, chain_names(names, machine or {}))
    _refuse_backend_path(path, pyproject, config)
    return Project(
        path=path,
        pyproject=pyproject,
        config=config,
        delegate_settings=rest,
        is_sdist=(path / "PKG-INFO").is_file(),
        sources=tuple(sources),
        machine=machine or {},
        ignored_files=ignored,
    )


def settings_files(env: Mapping[str, str], platform: str = sys.platform) -> tuple[Path, ...]:
    """Return the paths of the user's and the machine's settings files, in that order.

    A user without a home directory has none (see `user_directory`).
    """
    if platform == "win32":
        machine = Path(env.get("PROGRAMDATA") or r"C:\ProgramData", "variantbuild.toml")
    else:
        machine = Path("/etc/variantbuild.toml")
    user = user_directory("config", env, platform)
    return (machine,) if user is None else (user / "variantbuild" / "config.toml", machine)


def load_machine_overrides(
    env: Mapping[str, str], machine: Names, *, machine_files: tuple[Path, ...] | None = None
) -> tuple[tuple[Override, bool], ...]:
    """Return the tables of overrides in settings files, and whether each matches this machine.

    A condition on the variant, which is not known without a project, matches nothing. Raises
    ConfigError for a file that cannot be read or parsed.
    """
    files = machine_files if machine_files is not None else settings_files(env)
    names = chain_names(platform_names(sysconfig.get_platform()), machine)
    found: list[tuple[Override, bool]] = []
    for file, table in _read_settings(files)[0]:
        source = table_source("file", str(file), table)
        resolve_config([source], names)  # reports every mistake
        found += [(each, each.matches(names)) for each in read_overrides(source)]
    return tuple(found)


def _pyproject_source(pyproject: Mapping[str, TOMLValue]) -> Source:
    refuse_other_headings(pyproject)
    tool = pyproject.get("tool", {})
    table = tool.get("variantbuild", {}) if isinstance(tool, Mapping) else {}
    return table_source("pyproject", "pyproject.toml", table)


def _read_settings(files: Sequence[Path]) -> tuple[list[tuple[Path, TOMLTable]], tuple[str, ...]]:
    """Return the contents of each settings file, and why others are ignored.

    A file that another user can change is ignored: its settings choose the compiler's flags.
    """
    tables: list[tuple[Path, TOMLTable]] = []
    ignored: list[str] = []
    for file in files:
        try:
            reason = distrust(file)
        except (OSError, RuntimeError):  # missing or unreadable, or a loop of links
            reason = None
        if reason is None:
            tables.append((file, read_toml(file, required=False)))
        else:
            ignored.append(
                f"the settings file {file} is ignored: {reason}; settings are only read from files "
                "that nobody but you and root can change"
            )
    return tables, tuple(ignored)


def _refuse_backend_path(path: Path, pyproject: Mapping[str, TOMLValue], config: Config) -> None:
    """Refuse a `backend-path` that would hide the installed variantbuild (PEP 517)."""
    table = pyproject.get("build-system")
    if not isinstance(table, Mapping) or table.get("build-backend") != "variantbuild":
        return
    listed = table.get("backend-path")
    if not isinstance(listed, list):
        return
    if not any(Path(path, str(each), "variantbuild").is_dir() for each in listed):
        raise ConfigError(
            f"[build-system] backend-path = {listed!r} in pyproject.toml makes front ends look "
            "for variantbuild only there",
            hint=f"remove it and set [tool.variantbuild] delegate-path = {listed!r} instead"
            + ("" if config.delegate != "auto" else ", and set delegate to the backend's name"),
        )
