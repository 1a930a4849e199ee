"""The compilers of a machine under the names that builds call them by.

A Makefile, a CMake toolchain file or a Meson native file may name `gcc` or `clang` whatever CC
says. Each of the usual names on PATH gets the flags of its own compiler.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.delegate.handover.wrapper import Wrapper
from variantbuild.delegate.mentions import find_mentions
from variantbuild.errors import FlagsError
from variantbuild.host import Host
from variantbuild.plan import BuildPlan
from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Compiler, Found, Language

if TYPE_CHECKING:
    from variantbuild.plan.flags import Tool

_PLAIN: Mapping[Language, tuple[str, ...]] = {
    "c": ("cc", "gcc", "clang", "c99", "c89", "icx", "nvc"),
    "cxx": ("c++", "g++", "clang++", "icpx", "nvc++"),
    "fortran": ("gfortran", "f95", "f77", "flang", "flang-new", "ifx", "nvfortran"),
}
LANGUAGES = {name: language for language, names in _PLAIN.items() for name in names}
# `x86_64-linux-gnu-gcc-12`; not `gcc-ar`.
_NAME = re.compile(
    r"(?:[\w.]+-)*?(?P<plain>" + "|".join(map(re.escape, LANGUAGES)) + r")(?:-\d+(?:\.\d+)*)?"
)
#: What make, CMake and distutils call without anybody naming it.
_IMPLIED = frozenset({"cc", "c++", "g++", "f77"})
_CPU_OPTION = re.compile(r"-m(?:arch|cpu|tune)=.+")
_LAUNCHERS = frozenset({"ccache", "sccache", "distcc", "icecc", "buildcache"})


def find_wrappers(plan: BuildPlan, host: Host) -> tuple[Wrapper, ...]:
    """Return a wrapper for each name of a compiler on the PATH of `host`.

    The plan's own compilers come first, then others that the project names, and those that build
    systems call by default. One that has no flags for the variant, or is of an unknown kind, is
    left as it is.
    """
    found: dict[str, Wrapper] = {}
    for _, compiler in plan.compilers:
        wrapper = _wrap(plan, host, compiler, plan.flags)
        found.setdefault(wrapper.name, wrapper)
        for other in _same_program(wrapper, host):
            found.setdefault(other.name, other)
    settings = map(str, plan.project.delegate_settings.values())
    named = find_mentions(LANGUAGES, plan.project.path, (*host.env.values(), *settings))
    for name in _called(named | _IMPLIED, host):
        path = None if name in found else host.which(name)
        match = _NAME.fullmatch(name)
        if path is None or match is None:
            continue
        for wrapper in _other(plan, host, path, LANGUAGES[match["plain"]]):
            found.setdefault(wrapper.name, wrapper)
    return tuple(found.values())


def _called(names: frozenset[str], host: Host) -> list[str]:
    """Return `names` in order, with the programs on PATH instead of patterns such as `gcc-*`."""
    plain = {name[:-1] for name in names if name.endswith("*")}
    called = {name for name in names if not name.endswith("*")}
    places = host.env.get("PATH", "").split(os.pathsep) if plain else ()
    for place in places:
        with suppress(OSError):
            called.update(
                name
                for name in os.listdir(place)  # noqa: PTH208 - a tenth of the time
                if name.startswith(tuple(plain)) and _NAME.fullmatch(name)
            )
    return sorted(called)


def _other(plan: BuildPlan, host: Host, path: str, language: Language) -> Iterator[Wrapper]:
    """Yield wrappers for a compiler that the plan does not use."""
    from variantbuild.host.local import LocalHost
    from variantbuild.plan.compilation import flags_for
    from variantbuild.probe.compiler import probe_compiler

    variable = {"c": "CC", "cxx": "CXX", "fortran": "FC"}[language]
    fact = probe_compiler(LocalHost(env={**host.env, variable: path}), language)
    if not isinstance(fact, Found):
        return
    try:
        flags = flags_for(plan.project, plan.variant, plan.facts, {language: fact.value})
    except FlagsError:
        return
    wrapper = _wrap(plan, host, fact.value, flags)
    yield wrapper
    yield from _same_program(wrapper, host)


def _wrap(plan: BuildPlan, host: Host, compiler: Compiler, flags: Flags) -> Wrapper:
    launchers, program = split_command(compiler)
    config = plan.project.config
    extra: dict[Tool, tuple[str, ...]] = {
        "c": config.flags_c,
        "cxx": config.flags_cxx,
        "fortran": config.flags_fortran,
    }
    after = extra[compiler.language]
    every = flags.of(compiler.language)
    before = every[: len(every) - len(after)]
    names_cpu = plan.variant.cpu is not None
    return Wrapper(
        name=Path(program).name,
        command=(*launchers, program),
        language=compiler.language,
        family=compiler.family,
        before=before,
        after=after,
        shared=flags.isa_note.driver_options if plan.flags.isa_note.level is not None else (),
        shared_after=flags.link,
        dropped=_interpreters(host, before) if names_cpu else (),
        override=config.override_march and names_cpu,
    )


def split_command(compiler: Compiler) -> tuple[tuple[str, ...], str]:
    """Return the launchers of a compiler's command, and its program."""
    words = compiler.command
    count = 0
    while count < len(words) - 1 and (
        Path(words[count]).name in _LAUNCHERS or re.match(r"[a-z_]+=", words[count])
    ):
        count += 1
    return words[:count], words[count]


def _interpreters(host: Host, ours: tuple[str, ...]) -> tuple[str, ...]:
    """Return the CPU options of the interpreter's configuration, which setuptools passes on."""
    values = (host.config_var(name) or "" for name in ("CFLAGS", "PY_CFLAGS", "OPT", "CC", "CXX"))
    words = dict.fromkeys(word for value in values for word in value.split())
    return tuple(word for word in words if _CPU_OPTION.fullmatch(word) and word not in ours)


def _same_program(wrapper: Wrapper, host: Host) -> Iterator[Wrapper]:
    """Yield the wrapper again for the other names of its program, such as `cc` and `gcc-12`.

    They are searched for next to it; a name that means another program on PATH keeps it. A compiler
    cache that is called by the names of compilers stands for several, so its names are not
    compared.
    """
    from dataclasses import replace

    program = Path(wrapper.command[-1])
    real = program.resolve()
    if real.name in _LAUNCHERS:
        return
    try:
        names = sorted(os.listdir(program.parent))  # noqa: PTH208 - a tenth of the time
    except OSError:
        return
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None or name == program.name:
            continue
        path = program.parent / name
        if LANGUAGES[match["plain"]] != wrapper.language or path.resolve() != real:
            continue
        first = host.which(name)
        if first is None or Path(first).resolve() == real:
            yield replace(wrapper, name=name, command=(*wrapper.command[:-1], str(path)))
