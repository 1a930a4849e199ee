"""The compilers of a machine under the names that builds call them by.

A Makefile, a CMake toolchain file or a Meson native file may name `gcc` or `clang` whatever CC
says. Each of the usual names on PATH gets the flags of its own compiler.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from variantbuild.delegate.handover.wrapper import Moved, Wrapper
from variantbuild.delegate.mentions import BuildFiles, find_mentions
from variantbuild.errors import FlagsError
from variantbuild.host import Host
from variantbuild.plan import BuildPlan
from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Compiler, Found, Language
from variantbuild.values import dataclass

_PLAIN: Mapping[Language, tuple[str, ...]] = {
    "c": ("cc", "gcc", "clang", "c99", "c89", "icx", "nvc"),
    "cxx": ("c++", "g++", "clang++", "icpx", "nvc++"),
    "fortran": ("gfortran", "f95", "f77", "flang", "flang-new", "ifx", "nvfortran"),
}
#: The variable that names the compiler of each language.
VARIABLES: Mapping[Language, str] = {"c": "CC", "cxx": "CXX", "fortran": "FC"}
LANGUAGES = {name: language for language, names in _PLAIN.items() for name in names}
# `x86_64-linux-gnu-gcc-12`; not `gcc-ar`.
_NAME = re.compile(
    r"(?:[\w.]+-)*?(?P<plain>" + "|".join(map(re.escape, LANGUAGES)) + r")(?:-\d+(?:\.\d+)*)?"
)
_VERSION = "0123456789.-"
_ENDINGS = tuple({name.rstrip(_VERSION) for name in LANGUAGES})
#: What make, CMake and distutils call without anybody naming it.
_IMPLIED = frozenset({"cc", "c++", "g++", "f77"})
_CPU_OPTION = re.compile(r"-m(?:arch|cpu|tune)=.+")
#: The first version of clang with `-fdebug-compilation-dir=`.
_NAMES_DIRECTORY = 13
_LAUNCHERS = frozenset({"ccache", "sccache", "distcc", "icecc", "buildcache"})


class _Directories(dict[str, tuple[str, ...]]):
    """The names of compilers in directories, sorted; each directory is listed once."""

    def __missing__(self, directory: str) -> tuple[str, ...]:
        try:
            names = os.listdir(directory)  # noqa: PTH208 - a tenth of the time
        except OSError:
            names = []
        # Comparing the ends first saves most of the time: the pattern is tried on few names.
        likely = (name for name in names if name.rstrip(_VERSION).endswith(_ENDINGS))
        self[directory] = tuple(sorted(name for name in likely if _NAME.fullmatch(name)))
        return self[directory]


def find_wrappers(
    plan: BuildPlan, host: Host, files: BuildFiles, moved: Moved | None = None
) -> tuple[Wrapper, ...]:
    """Return a wrapper for each name of a compiler on the PATH of `host`.

    The plan's own compilers come first, then others that the build `files` of the project, its
    settings or variables name, and those that build systems call by default. One that has no flags
    for the variant, or is of an unknown kind, is left as it is. `moved` is for a copied tree.
    """
    found: dict[str, Wrapper] = {}
    directories = _Directories()
    for _, compiler in plan.compilers:
        wrapper = _wrap(plan, host, compiler, plan.flags, moved)
        found.setdefault(wrapper.name, wrapper)
        for other in _same_program(wrapper, host, directories):
            found.setdefault(other.name, other)
    settings = map(str, plan.project.delegate_settings.values())
    named = find_mentions(LANGUAGES, files, (*host.env.values(), *settings))
    for name in _called(named | _IMPLIED, host, directories):
        path = None if name in found else host.which(name)
        if path is None:
            continue
        for wrapper in _other(plan, host, path, directories, moved):
            found.setdefault(wrapper.name, wrapper)
    return tuple(found.values())


def _called(names: frozenset[str], host: Host, directories: _Directories) -> list[str]:
    """Return `names` in order, with the programs on PATH instead of patterns such as `gcc-*`."""
    plain = tuple(name[:-1] for name in names if name.endswith("*"))
    called = {name for name in names if not name.endswith("*")}
    places = host.env.get("PATH", "").split(os.pathsep) if plain else ()
    for place in places:
        called.update(name for name in directories[place] if name.startswith(plain))
    return sorted(called)


def _other(
    plan: BuildPlan, host: Host, path: str, directories: _Directories, moved: Moved | None
) -> Iterator[Wrapper]:
    """Yield wrappers for a compiler that the plan does not use."""
    probed = probe_other(plan, host, path)
    if probed is None:
        return
    compiler, flags = probed
    wrapper = _wrap(plan, host, compiler, flags, moved)
    yield wrapper
    yield from _same_program(wrapper, host, directories)


def probe_other(plan: BuildPlan, host: Host, path: str) -> tuple[Compiler, Flags] | None:
    """Return the compiler at `path`, by its usual name, and its flags for the variant.

    None for one of an unknown kind, and where it has no such flags.
    """
    from variantbuild.host.local import LocalHost
    from variantbuild.plan.compilation import flags_for
    from variantbuild.probe.compiler import probe_compiler

    match = _NAME.fullmatch(Path(path).name)
    if match is None:
        return None
    language = LANGUAGES[match["plain"]]
    env = {**host.env, VARIABLES[language]: shlex.quote(path)}
    fact = probe_compiler(LocalHost(env=env), language)
    if not isinstance(fact, Found):
        return None
    try:
        flags = flags_for(plan.project, plan.variant, plan.facts, {language: fact.value})
    except FlagsError:
        return None
    return fact.value, flags


def _wrap(
    plan: BuildPlan, host: Host, compiler: Compiler, flags: Flags, moved: Moved | None
) -> Wrapper:
    call = Call.of(compiler)
    before, after = split_flags(plan, flags, compiler.language)
    names_cpu = plan.variant.cpu is not None
    return Wrapper(
        name=call.name,
        command=call.command,
        language=compiler.language,
        family=compiler.family,
        before=(*before, *map_paths(compiler, moved)),
        after=after,
        shared=flags.isa_note.driver_options if plan.flags.isa_note.level is not None else (),
        shared_after=flags.link,
        dropped=_interpreters(host, before) if names_cpu else (),
        override=overrides_cpu(plan),
        moved=moved if names_directory(compiler) else None,
    )


def names_directory(compiler: Compiler) -> bool:
    """Tell whether `compiler` is a clang with `-fdebug-compilation-dir=`, and records arguments.

    Sources: the release notes of LLVM 13; Xcode 13.
    """
    clang = compiler.family in ("clang", "apple-clang")
    major = compiler.version.partition(".")[0]
    return clang and major.isdecimal() and int(major) >= _NAMES_DIRECTORY


def map_paths(compiler: Compiler, moved: Moved | None) -> tuple[str, ...]:
    """Return the option that maps the paths of a copied tree, for a compiler that needs but one."""
    maps = compiler.family in ("gcc", "clang", "apple-clang") and compiler.language != "fortran"
    if moved is None or not maps or names_directory(compiler):
        return ()
    return (moved.mapping,)


def split_flags(
    plan: BuildPlan, flags: Flags, language: Language
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the flags of the variant, and those that the user appended with `flags.*`."""
    from variantbuild.plan.compilation import extra_flags

    users = extra_flags(plan.project)[language]
    every = flags.of(language)
    return every[: len(every) - len(users)], users


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """How a compiler is called: its wrapper's name, what the wrapper runs, other arguments.

    `gcc -m64` and `ccache gcc -m64` are called `gcc` with `-m64`. A program that is not a compiler
    itself (`env X=1 gcc`, `nice gcc`, `zig cc`, `python compile.py`) keeps its own name, and all of
    the command is run by a wrapper of another name.
    """

    name: str
    command: tuple[str, ...]
    arguments: tuple[str, ...] = ()

    @classmethod
    def of(cls, compiler: Compiler) -> Call:
        """Return how `compiler` is called."""
        words = compiler.command
        count = 0
        while count < len(words) - 1 and (
            Path(words[count]).name in _LAUNCHERS or re.match(r"[a-z_]+=", words[count])
        ):
            count += 1
        name, arguments = Path(words[count]).name, words[count + 1 :]
        if not _NAME.fullmatch(name) and any(not word.startswith("-") for word in arguments):
            return cls(name=f"variantbuild-{compiler.language}", command=words)
        return cls(name=name, command=words[: count + 1], arguments=arguments)


def overrides_cpu(plan: BuildPlan) -> bool:
    """Tell whether the project's own CPU options are replaced."""
    return plan.project.config.override_march and plan.variant.cpu is not None


def _interpreters(host: Host, ours: tuple[str, ...]) -> tuple[str, ...]:
    """Return the CPU options of the interpreter's configuration, which setuptools passes on."""
    values = (host.config_var(name) or "" for name in ("CFLAGS", "PY_CFLAGS", "OPT", "CC", "CXX"))
    words = dict.fromkeys(word for value in values for word in value.split())
    return tuple(word for word in words if _CPU_OPTION.fullmatch(word) and word not in ours)


def _same_program(wrapper: Wrapper, host: Host, directories: _Directories) -> Iterator[Wrapper]:
    """Yield the wrapper again for the other names of its program, such as `cc` and `gcc-12`.

    They are searched for next to it; a name that means another program on PATH keeps it. A compiler
    cache that is called by the names of compilers stands for several, so its names are not
    compared.
    """
    directory, own = os.path.split(wrapper.command[-1])
    real = os.path.realpath(wrapper.command[-1])
    if Path(real).name in _LAUNCHERS or wrapper.name != own:
        return
    for name in directories[directory]:
        match = _NAME.fullmatch(name)
        if match is None or name == own or LANGUAGES[match["plain"]] != wrapper.language:
            continue
        path = str(Path(directory, name))
        if os.path.realpath(path) != real:
            continue
        first = host.which(name)
        if first is None or os.path.realpath(first) == real:
            yield replace(wrapper, name=name, command=(*wrapper.command[:-1], path))
