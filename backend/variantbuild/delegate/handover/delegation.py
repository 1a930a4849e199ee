"""The input and the result of passing flags to a delegate, and helpers for all build systems."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.types import ConfigSettings, TOMLValue
from variantbuild.values import dataclass

Setting = str | Sequence[str] | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """A delegate, and the user's settings for it.

    `backend` is written as in PEP 517, `version` is that of its distribution ('' if unknown).
    `staging` is the staging directory of this build; `source` contains pyproject.toml.
    `interpreter` has the strings among sysconfig's variables, `tool` is the tool table of
    pyproject.toml, `extra_config` the text of the file that the user's DIST_EXTRA_CONFIG names,
    `meson_build` that of the tree's meson.build. `holds_rust` is true if cargo compiles a part of
    the project, `routed` if the compilers on PATH add the flags themselves.
    """

    backend: str
    version: str
    source: Path
    staging: Path
    env: Mapping[str, str]
    config_settings: ConfigSettings
    interpreter: Mapping[str, str] = field(default_factory=dict)
    tool: Mapping[str, TOMLValue] = field(default_factory=dict)
    extra_config: str = ""
    meson_build: str = ""
    holds_rust: bool = False
    routed: bool = False

    @property
    def system(self) -> BuildSystem:
        """The build system that the backend belongs to."""
        return BuildSystem.of(self.backend)


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """What to change around the delegate's build hook.

    `env` has variables to set, `config_settings` all settings for the hook, `files` (path, text)
    to write first, with their directories. `isa_note` is the ISA note that is added; `notes` are
    warnings for the user. `wrappers` is the directory of the compilers that add the flags, None if
    there are none.
    """

    env: tuple[tuple[str, str], ...] = ()
    config_settings: tuple[tuple[str, Setting], ...] = ()
    files: tuple[tuple[Path, str], ...] = ()
    isa_note: IsaNote = field(default_factory=IsaNote)
    notes: tuple[str, ...] = ()
    wrappers: Path | None = None


def language_variables(flags: Flags, env: Mapping[str, str]) -> dict[str, str]:
    """Return CFLAGS, CXXFLAGS and Fortran's with ours appended to the user's flags."""
    ours = {
        "CFLAGS": flags.c,
        "CXXFLAGS": flags.cxx,
        "FFLAGS": flags.fortran,
        "FCFLAGS": flags.fortran,
    }
    users = {name: env.get(name, "") for name in ours}
    users["FCFLAGS"] = users["FCFLAGS"] or users["FFLAGS"]
    return {name: extend(users[name], added) for name, added in ours.items() if added}


def users_language_variables(flags: Flags, env: Mapping[str, str]) -> dict[str, str]:
    """Return those of `language_variables` that the user set."""
    return {name: value for name, value in language_variables(flags, env).items() if env.get(name)}


def extend(value: str, flags: Iterable[str]) -> str:
    """Return a variable's `value` with `flags` appended, quoted where necessary."""
    return " ".join(filter(None, (value.strip(), shlex.join(flags))))


def find_setting(settings: ConfigSettings, names: Iterable[str]) -> str | None:
    """Return the first of `names` that is in `settings`; None if none is."""
    return next((name for name in names if name in settings), None)
