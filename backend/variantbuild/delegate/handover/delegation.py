"""What a delegate is told, and what is known of it before; shared by the ways of handing over."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.plan.flags import Flags, Guard
from variantbuild.types import ConfigSettings, TOMLValue

Setting = str | Sequence[str] | bool | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """A delegate, and the user's wishes that reach it.

    `backend` is written as in PEP 517, `version` is its distribution's ('' where unknown).
    `folder` is private to this build; `source` holds pyproject.toml. `interpreter` are the strings
    among sysconfig's variables, `tool` is pyproject's tool table, `extra_config` the text of the
    file that the user's DIST_EXTRA_CONFIG names, `meson_build` that of the tree's meson.build.
    """

    backend: str
    version: str
    source: Path
    folder: Path
    env: Mapping[str, str]
    config_settings: ConfigSettings
    interpreter: Mapping[str, str] = field(default_factory=dict)
    tool: Mapping[str, TOMLValue] = field(default_factory=dict)
    extra_config: str = ""
    meson_build: str = ""

    @property
    def system(self) -> BuildSystem:
        """The build system that the backend belongs to."""
        return BuildSystem.of(self.backend)


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """What to change around the delegate's build hook.

    `env` are variables to set, `config_settings` all that the hook gets, `files` (path, text) to
    write first, with their folders. `guard` is what remains of it; `notes` are for people.
    """

    env: tuple[tuple[str, str], ...] = ()
    config_settings: tuple[tuple[str, Setting], ...] = ()
    files: tuple[tuple[Path, str], ...] = ()
    guard: Guard = field(default_factory=Guard)
    notes: tuple[str, ...] = ()


def language_variables(flags: Flags, env: Mapping[str, str]) -> dict[str, str]:
    """Return CFLAGS, CXXFLAGS and Fortran's with the user's switches first and ours behind."""
    ours = {
        "CFLAGS": flags.c,
        "CXXFLAGS": flags.cxx,
        "FFLAGS": flags.fortran,
        "FCFLAGS": flags.fortran,
    }
    users = {name: env.get(name, "") for name in ours}
    users["FCFLAGS"] = users["FCFLAGS"] or users["FFLAGS"]
    return {name: extend(users[name], switches) for name, switches in ours.items() if switches}


def extend(value: str, switches: Iterable[str]) -> str:
    """Return a variable's `value` with `switches` behind it, quoted where they need it."""
    return " ".join(filter(None, (value.strip(), shlex.join(switches))))


def find_setting(settings: ConfigSettings, names: Iterable[str]) -> str | None:
    """Return the first of `names` that `settings` has, None where it has none."""
    return next((name for name in names if name in settings), None)
