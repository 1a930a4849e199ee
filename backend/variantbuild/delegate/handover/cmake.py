"""Flags, ISA note and build directory for scikit-build-core.

CMake initialises CMAKE_<LANG>_FLAGS from CFLAGS, CXXFLAGS and FFLAGS. Modules and shared libraries
have linker variables of their own, so the ISA note does not need LDFLAGS and executables (test
programs, generators) are not marked. If the user or the project defines one of these variables,
CMake ignores the environment: the value is kept, with ours appended.

Where the compilers add the flags themselves, a variable that the user did not set stays unset: a
setup.py that CMake runs would lose the interpreter's flags to it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from variantbuild.delegate.handover.delegation import (
    Delegation,
    Handover,
    Setting,
    extend,
    language_variables,
    users_language_variables,
)
from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Language
from variantbuild.types import TOMLValue

_COMPILE: Mapping[Language, str] = {
    "c": "CMAKE_C_FLAGS",
    "cxx": "CMAKE_CXX_FLAGS",
    "fortran": "CMAKE_Fortran_FLAGS",
}
_LINK = ("CMAKE_MODULE_LINKER_FLAGS", "CMAKE_SHARED_LINKER_FLAGS")
_PREFIXES = ("", "skbuild.")


def hand_to_scikit_build(flags: Flags, delegation: Delegation, build_name: str) -> Handover:
    """Return how `flags` are passed; a build directory for the variant only if one is set."""
    env = delegation.env
    variables = users_language_variables if delegation.routed else language_variables
    changes = variables(flags, env)
    if flags.link and not delegation.routed:
        changes["LDFLAGS"] = extend(env.get("LDFLAGS", ""), flags.link)
    settings = dict(delegation.config_settings)
    defined = _defines(delegation)
    arguments = shlex.split(env.get("CMAKE_ARGS", ""))
    for name, ours in _wanted(flags).items():
        if not ours:
            continue
        rewritten = _extend_argument(arguments, name, ours)
        arguments = rewritten or arguments
        if rewritten is None and name in defined:
            settings[_define_key(settings, name)] = extend(defined[name], ours)
        if name in _LINK:
            key = f"{name}_INIT"
            rewritten = _extend_argument(arguments, key, ours)
            arguments = rewritten or arguments
            if rewritten is None:
                settings[_define_key(settings, key)] = extend(defined.get(key, ""), ours)
    if arguments != shlex.split(env.get("CMAKE_ARGS", "")):
        changes["CMAKE_ARGS"] = shlex.join(arguments)
    _set_build_dir(settings, delegation, build_name)
    return Handover(
        env=tuple(changes.items()), config_settings=tuple(settings.items()), isa_note=flags.isa_note
    )


def _wanted(flags: Flags) -> dict[str, tuple[str, ...]]:
    compile_flags = {name: flags.of(tool) for tool, name in _COMPILE.items()}
    return {**compile_flags, **dict.fromkeys(_LINK, flags.isa_note.driver_options)}


def _extend_argument(arguments: list[str], name: str, ours: tuple[str, ...]) -> list[str] | None:
    """Append `ours` to the value of `-D{name}=…` in `arguments`; return None if it is not there."""
    pattern = re.compile(rf"(?:-D)?{re.escape(name)}(?::\w+)?=")
    found = False
    result = []
    for argument in arguments:
        if (match := pattern.match(argument)) is not None:
            head, value = argument[: match.end()], argument[match.end() :]
            argument = head + extend(value, ours)
            found = True
        result.append(argument)
    return result if found else None


def _defines(delegation: Delegation) -> dict[str, str]:
    """Return the CMake variables of the project and the user; the user's take precedence."""
    found: dict[str, str] = {}
    table = _table(_table(delegation.tool, "scikit-build"), "cmake")
    found.update(_strings(_table(table, "define")))
    for pair in delegation.env.get("SKBUILD_CMAKE_DEFINE", "").split(";"):
        name, equals, value = pair.partition("=")
        if equals:
            found[name.strip()] = value
    for prefix in _PREFIXES:
        start = f"{prefix}cmake.define."
        settings = delegation.config_settings
        found.update(
            _strings({k[len(start) :]: v for k, v in settings.items() if k.startswith(start)})
        )
    return found


def _define_key(settings: Mapping[str, Setting], name: str) -> str:
    """Return the config-setting that defines `name`: in the user's own spelling, if any."""
    keys = [f"{prefix}cmake.define.{name}" for prefix in _PREFIXES]
    return next((key for key in keys if key in settings), keys[0])


def _set_build_dir(settings: dict[str, Setting], delegation: Delegation, build_name: str) -> None:
    """Set a build directory for the variant if one is configured; else it stays temporary."""
    keys = [f"{prefix}build-dir" for prefix in _PREFIXES]
    key = next((each for each in keys if each in settings), keys[0])
    value = (
        settings.get(key)
        or delegation.env.get("SKBUILD_BUILD_DIR")
        or _table(delegation.tool, "scikit-build").get("build-dir")
    )
    if isinstance(value, str) and value:
        settings[key] = f"{value.rstrip('/')}-{build_name}"


def _table(table: Mapping[str, TOMLValue], name: str) -> Mapping[str, TOMLValue]:
    value = table.get(name)
    return value if isinstance(value, Mapping) else {}


def _strings(table: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in table.items() if isinstance(value, str)}
