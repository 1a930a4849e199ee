"""Flags, ISA note and build directory for setuptools, every version since 64.

Since 75.7 CFLAGS in the environment replaces the interpreter's `-O3 -DNDEBUG`. CXXFLAGS is read
since 72.2, and replaces them too; older versions compile C++ with CFLAGS. Both variables therefore
get the interpreter's flags, then the user's, then ours. Where setuptools adds the interpreter's
flags again, they are merely repeated.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace

from variantbuild.delegate.handover.delegation import (
    Delegation,
    Handover,
    Setting,
    extend,
    language_variables,
)
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.plan.flags.isanote import SPECS_NAME, reads_specs, render_specs, specs_flag
from variantbuild.plan.flags.toolchains import parse_version
from variantbuild.probe.facts import Compiler, Language

#: The first version that reads the file which DIST_EXTRA_CONFIG names.
_READS_EXTRA_CONFIG = (66, 0)
#: The first version that reads CXXFLAGS.
_READS_CXXFLAGS = (72, 2)


def hand_to_setuptools(
    flags: Flags,
    delegation: Delegation,
    compilers: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    """Return how `flags` are passed, with `build/{build_name}` as the build directory."""
    env = delegation.env
    changes = language_variables(flags, env) | _compile_variables(flags, delegation, compilers)
    files = []
    note = flags.isa_note
    link = flags.link
    home = delegation.source / "build" / build_name
    if delegation.routed:
        # The compilers add the flags: programs that setup.py runs see the user's variables.
        changes = {name: value for name, value in changes.items() if env.get(name)}
        link = ()
    elif note.level is not None and reads_specs(compilers.values()):
        # Kept with the objects: a CMake that setup.py runs stores LDFLAGS there.
        specs = home / SPECS_NAME
        files.append((specs, render_specs(note)))
        link = (*link, specs_flag(specs))
    elif note.level is not None:
        shared = _shared_linkers(note, delegation)
        changes |= shared
        if not shared:
            note = IsaNote(unprotected="sysconfig does not have the interpreter's link command")
    if link:
        changes["LDFLAGS"] = extend(env.get("LDFLAGS", ""), link)
    made = Handover(
        env=tuple(changes.items()),
        config_settings=tuple(delegation.config_settings.items()),
        files=tuple(files),
        isa_note=note,
        notes=_remarks(flags, delegation),
    )
    return _with_build_directory(made, delegation, build_name)


def _with_build_directory(made: Handover, delegation: Delegation, build_name: str) -> Handover:
    """Set the build directory, by a configuration file or by an option before setuptools 66."""
    build_dir = f"build/{build_name}"
    if parse_version(delegation.version) >= _READS_EXTRA_CONFIG or not delegation.version:
        config = delegation.source / build_dir / "setup.cfg"
        text = _with_build_base(delegation.extra_config, build_dir)
        return replace(
            made,
            env=(*made.env, ("DIST_EXTRA_CONFIG", str(config))),
            files=(*made.files, (config, text)),
        )
    settings = dict(made.config_settings)
    settings["--build-option"] = _build_option(settings, build_dir)
    return replace(made, config_settings=tuple(settings.items()))


def _compile_variables(
    flags: Flags, delegation: Delegation, compilers: Mapping[Language, Compiler]
) -> dict[str, str]:
    """Return CFLAGS and CXXFLAGS; for MSVC, which reads neither, the compiler's own variable."""
    env = delegation.env
    # Before 72.2 C++ is compiled with CFLAGS, so ours go there if only C++ has flags.
    for_c, for_cxx = flags.c or flags.cxx, flags.cxx or flags.c
    if not for_c:
        return {}
    if any(compiler.family == "msvc" for compiler in compilers.values()):
        return {"CL": extend(env.get("CL", ""), for_c)}
    base = delegation.interpreter.get("CFLAGS", "")
    users_c = env.get("CFLAGS", "")
    users_cxx = env.get("CXXFLAGS", users_c)
    return {
        "CFLAGS": extend(f"{base} {users_c}", for_c),
        "CXXFLAGS": extend(f"{base} {users_cxx}", for_cxx),
    }


def _shared_linkers(note: IsaNote, delegation: Delegation) -> dict[str, str]:
    """Return LDSHARED and LDCXXSHARED with the ISA note; only extensions are linked with them.

    The user's CC replaces the interpreter's in LDSHARED, as in setuptools itself.
    """
    env, known = delegation.env, delegation.interpreter
    shared = env.get("LDSHARED", known.get("LDSHARED", ""))
    compiler = known.get("CC", "")
    if "LDSHARED" not in env and "CC" in env and compiler and shared.startswith(compiler):
        shared = env["CC"] + shared[len(compiler) :]
    found = {
        "LDSHARED": shared,
        "LDCXXSHARED": env.get("LDCXXSHARED", known.get("LDCXXSHARED", "")),
    }
    return {name: extend(value, note.driver_options) for name, value in found.items() if value}


def _with_build_base(users: str, build_dir: str) -> str:
    """Return the text of a distutils configuration: the user's, with our build directory."""
    # Imported here: few users have a configuration to merge with.
    if not users.strip():
        return f"[build]\nbuild_base = {build_dir}\n"
    import configparser
    import io

    merged = configparser.RawConfigParser()
    merged.read_string(users)
    if not merged.has_section("build"):
        merged.add_section("build")
    merged.set("build", "build_base", build_dir)
    text = io.StringIO()
    merged.write(text)
    return text.getvalue()


def _build_option(settings: Mapping[str, Setting], build_dir: str) -> list[str]:
    """Return the arguments after `bdist_wheel` that set its build directory (64 and 65).

    Options of all commands are parsed before the first command runs, so those of a second command,
    `build`, apply to the first; `build` itself has then run already.
    """
    users = settings.get("--build-option") or []
    given = (
        shlex.split(users) if isinstance(users, str) else list(users if users is not True else [])
    )
    return [*given, "build", f"--build-base={build_dir}"]


def _remarks(flags: Flags, delegation: Delegation) -> tuple[str, ...]:
    old = delegation.version and parse_version(delegation.version) < _READS_CXXFLAGS
    if old and flags.c and flags.cxx and flags.c != flags.cxx:
        return (
            f"setuptools {delegation.version} compiles C++ with CFLAGS, so `flags.cxx` does not "
            "reach it (72.2 reads CXXFLAGS)",
        )
    return ()
