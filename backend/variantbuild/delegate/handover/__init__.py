"""Passes the flags to each build system, as environment variables, config-settings and files.

Pure functions: the caller applies the result around the delegate's build hook. The user's values
are kept, with ours appended. A project's own options come later on the command line and take
precedence, which the audit sees in the recorded command lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.config.canonical import digest_json
from variantbuild.delegate.handover.delegation import (
    Delegation,
    Handover,
    extend,
    find_setting,
    language_variables,
    users_language_variables,
)
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.plan.flags.conflicts import UserFlags, user_flags
from variantbuild.plan.flags.isanote import SPECS_NAME, reads_specs, render_specs, specs_flag
from variantbuild.probe.facts import Compiler, Language

__all__ = ["Delegation", "Handover", "hand_over"]


#: The spellings of meson-python's setting for its build directory.
_MESON_BUILD_DIR = ("build-dir", "builddir")


def hand_over(
    flags: Flags,
    delegation: Delegation,
    *,
    compilers: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    """Return how `flags` are passed to the delegate, and where it keeps its objects.

    `build_name` comes from `builddir.name_build`; a suffix distinguishes builds with the user's own
    flags. The `isa_note` of the result is the ISA note as far as this delegate and these compilers
    can add it.
    """
    build_name += _suffix(user_flags(delegation.env))
    used = {language: compilers[language] for language in flags.languages}
    made = _hand_to_delegate(flags, delegation, used, build_name)
    if not delegation.holds_rust and flags.rust is None:
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
            from variantbuild.delegate.handover.setuptools import hand_to_setuptools

            if delegation.system is not BuildSystem.SETUPTOOLS:
                # The version is that of the plugin, not of setuptools.
                delegation = replace(delegation, version="")
            return hand_to_setuptools(flags, delegation, used, build_name)
        case "cmake":
            from variantbuild.delegate.handover.cmake import hand_to_scikit_build

            return hand_to_scikit_build(flags, delegation, build_name)
        case "environment" if delegation.routed:
            return _extend_users_variables(flags, delegation)
        case "environment":
            return _hand_by_environment(flags, delegation, used, None)
        case "meson" if delegation.routed:
            made = _extend_users_variables(flags, delegation)
            return _with_meson_build_dir(made, _meson_build_dir(delegation, build_name))
        case "meson":
            return _hand_to_meson(flags, delegation, used, build_name)


def _hand_to_meson(
    flags: Flags,
    delegation: Delegation,
    used: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    from variantbuild.delegate.handover.meson import compiler_variables

    build_dir = _meson_build_dir(delegation, build_name)
    made = _hand_by_environment(flags, delegation, used, build_dir)
    return replace(made, env=(*made.env, *compiler_variables(flags, delegation, used).items()))


def _suffix(users: Sequence[UserFlags]) -> str:
    words = sorted((each.place, each.flags) for each in users)
    return f"-{digest_json(words)[:6]}" if words else ""


def _extend_users_variables(flags: Flags, delegation: Delegation) -> Handover:
    """Append ours only to variables that the user set; the compilers add the flags themselves.

    Whatever the build system, it may run setuptools, which would lose the interpreter's
    `-O3 -DNDEBUG` to a CFLAGS that the user did not set.
    """
    return Handover(
        env=tuple(users_language_variables(flags, delegation.env).items()),
        config_settings=tuple(delegation.config_settings.items()),
        isa_note=flags.isa_note,
    )


def _hand_by_environment(
    flags: Flags,
    delegation: Delegation,
    compilers: Mapping[Language, Compiler],
    build_dir: str | None,
) -> Handover:
    """Use the variables that nearly all build systems read, for Meson and unknown delegates.

    Meson compiles and links test programs and native generators with the same variables, so the
    ISA note is added by a gcc specs file, which marks shared objects only.
    """
    env = delegation.env
    changes = language_variables(flags, env)
    files: list[tuple[Path, str]] = []
    note = flags.isa_note
    link = flags.link
    if note.level is not None and not reads_specs(compilers.values()):
        note = IsaNote(
            unprotected=f"{delegation.backend} has no linker flags for shared objects alone, and "
            "only gcc reads specs files"
        )
    elif note.level is not None:
        # Meson stores LDFLAGS in its build directory, so the file has to stay there as well.
        holder = delegation.staging if build_dir is None else delegation.source / build_dir
        specs = holder / SPECS_NAME
        files.append((specs, render_specs(note)))
        link = (*link, specs_flag(specs))
    if link:
        changes["LDFLAGS"] = extend(env.get("LDFLAGS", ""), link)
    made = Handover(
        env=tuple(changes.items()),
        config_settings=tuple(delegation.config_settings.items()),
        files=tuple(files),
        isa_note=note,
    )
    return _with_meson_build_dir(made, build_dir)


def _with_meson_build_dir(made: Handover, build_dir: str | None) -> Handover:
    """Return `made` with `build_dir` in place of the user's, if there is one."""
    settings = dict(made.config_settings)
    key = find_setting(settings, _MESON_BUILD_DIR)
    if build_dir is None or key is None:
        return made
    settings[key] = build_dir
    return replace(made, config_settings=tuple(settings.items()))


def _meson_build_dir(delegation: Delegation, build_name: str) -> str | None:
    """Return the build directory for the variant; None if the user did not set one."""
    key = find_setting(delegation.config_settings, _MESON_BUILD_DIR)
    value = None if key is None else delegation.config_settings[key]
    return f"{value.rstrip('/')}-{build_name}" if isinstance(value, str) and value else None
