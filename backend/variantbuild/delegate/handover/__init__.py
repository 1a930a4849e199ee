"""How the flags reach each delegate: environment, config-settings and files, as values.

Pure: what comes back is applied by the caller around the delegate's build hook. The user's own
values stay, in front of ours; a project's own arguments come later on the line and win, which the
audit sees in the recorded switches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.delegate.handover.builddir import digest
from variantbuild.delegate.handover.cmake import hand_to_scikit_build
from variantbuild.delegate.handover.delegation import (
    Delegation,
    Handover,
    extend,
    find_setting,
    language_variables,
)
from variantbuild.delegate.handover.setuptools import hand_to_setuptools
from variantbuild.plan.flags import Flags, Guard
from variantbuild.plan.flags.conflicts import user_sources
from variantbuild.plan.flags.isanote import SPECS_NAME, reads_specs, render_specs, specs_switch
from variantbuild.probe.facts import Compiler, Language

__all__ = ["Delegation", "Handover", "hand_over"]


#: How meson-python's setting for its build directory is spelled.
_MESON_FOLDER = ("build-dir", "builddir")


def hand_over(
    flags: Flags,
    delegation: Delegation,
    *,
    compilers: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    """Say how `flags` reach the delegate, and where it keeps its objects.

    `build_name` comes from `builddir.name_build`; where the user has switches of his own, they
    are told apart by a suffix. The guard that comes back says what remains of it with this
    delegate and these compilers.
    """
    build_name += _suffix(user_sources(delegation.env))
    used = {language: compilers[language] for language in flags.languages}
    made = _hand_to_delegate(flags, delegation, used, build_name)
    if flags.rust is None:
        return made
    from variantbuild.delegate.handover.cargo import hand_to_cargo

    return hand_to_cargo(made, flags, delegation, used, build_name)


def _hand_to_delegate(
    flags: Flags,
    delegation: Delegation,
    used: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    match delegation.system.channel:
        case "setuptools":
            if delegation.system is not BuildSystem.SETUPTOOLS:
                # A plugin's version is known, not that of setuptools.
                delegation = replace(delegation, version="")
            return hand_to_setuptools(flags, delegation, used, build_name)
        case "cmake":
            return hand_to_scikit_build(flags, delegation, build_name)
        case "environment":
            return _hand_by_environment(flags, delegation, used, None)
        case "meson":
            return _hand_to_meson(flags, delegation, used, build_name)


def _hand_to_meson(
    flags: Flags,
    delegation: Delegation,
    used: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    from variantbuild.delegate.handover.meson import compiler_variables

    folder = _meson_folder(delegation, build_name)
    made = _hand_by_environment(flags, delegation, used, folder)
    return replace(made, env=(*made.env, *compiler_variables(flags, delegation, used).items()))


def _suffix(sources: Mapping[str, tuple[str, ...]]) -> str:
    return f"-{digest(repr(sorted(sources.items())))[:6]}" if sources else ""


def _hand_by_environment(
    flags: Flags, delegation: Delegation, compilers: Mapping[Language, Compiler], folder: str | None
) -> Handover:
    """Use the variables that every build system reads; Meson and unknown delegates.

    Meson compiles and links test programs and native generators with the same variables, so the
    guard goes through a gcc specs file, whose mark is for shared objects only.
    """
    env = delegation.env
    changes = language_variables(flags, env)
    files: list[tuple[Path, str]] = []
    guard = flags.guard
    link = flags.link
    if guard.level is not None and not reads_specs(compilers.values()):
        guard = Guard(
            unguarded=f"{delegation.backend} has no linker flags for shared objects alone, and "
            "only gcc reads a specs file"
        )
    elif guard.level is not None:
        # Meson remembers LDFLAGS in its build directory, so the file has to stay there as well.
        holder = delegation.folder if folder is None else delegation.source / folder
        specs = holder / SPECS_NAME
        files.append((specs, render_specs(guard)))
        link = (*link, specs_switch(specs))
    if link:
        changes["LDFLAGS"] = extend(env.get("LDFLAGS", ""), link)
    settings = dict(delegation.config_settings)
    key = find_setting(settings, _MESON_FOLDER)
    if folder is not None and key is not None:
        settings[key] = folder
    return Handover(
        env=tuple(changes.items()),
        config_settings=tuple(settings.items()),
        files=tuple(files),
        guard=guard,
    )


def _meson_folder(delegation: Delegation, build_name: str) -> str | None:
    """Return the build directory of the variant's own, where the user sets one at all."""
    key = find_setting(delegation.config_settings, _MESON_FOLDER)
    value = None if key is None else delegation.config_settings[key]
    return f"{value.rstrip('/')}-{build_name}" if isinstance(value, str) and value else None
