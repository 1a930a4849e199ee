"""Compilers that a project calls by an absolute path, which wrappers on PATH do not reach.

gcc gets the flags through its own programs, clang through a variable (see `handover.subprogram`).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from variantbuild.delegate.drivers import (
    LANGUAGES,
    VARIABLES,
    map_paths,
    names_directory,
    overrides_cpu,
    probe_other,
    split_flags,
)
from variantbuild.delegate.handover.subprogram import (
    LINKER,
    OVERRIDDEN,
    PROGRAMS,
    Subprogram,
    compiler_options,
    linker_options,
    render_subprogram,
)
from variantbuild.delegate.handover.wrapper import REPLACED_NAME, Moved
from variantbuild.delegate.mentions import BuildFiles, Mention, find_absolute, find_own_path
from variantbuild.host import Host
from variantbuild.plan import BuildPlan
from variantbuild.plan.flags import Flags
from variantbuild.plan.languages import find_languages
from variantbuild.probe.facts import Compiler

#: The directory of the scripts, beside the wrappers.
_PROGRAMS_NAME = "programs"
#: Where a compiler of one language has those of others: CMake looks for them there.
_COUNTERPARTS = (
    {"c": "gcc", "cxx": "g++", "fortran": "gfortran"},
    {"c": "cc", "cxx": "c++"},
    {"c": "clang", "cxx": "clang++"},
)
#: What a build calls that sets a PATH of its own.
_USUAL = ("gcc", "cc", "clang")
_CPU_DEFAULT = re.compile(r"(?<![\w-])-m(?:arch|cpu|tune)=[\w.+-]+")


class Reached(NamedTuple):
    """Variables that pass the flags on, and warnings about flags that they cannot hold."""

    variables: Mapping[str, str]
    notes: tuple[str, ...] = ()


class _Driver(NamedTuple):
    """A compiler that is called by a path that `pattern` matches, and its flags."""

    pattern: str
    compiler: Compiler
    flags: Flags
    mention: Mention


def reach_absolute(
    plan: BuildPlan,
    host: Host,
    env: Mapping[str, str],
    directory: Path,
    files: BuildFiles,
    moved: Moved | None = None,
) -> Reached:
    """Return the variables that pass the flags to compilers named by absolute paths.

    Scripts are written into the `directory` of the wrappers. No variables if the project names none
    in its build `files`, settings and variables, and sets no PATH of its own. `moved` is for a
    copied tree.
    """
    found = _find_drivers(plan, host, files)
    changes: dict[str, str] = {}
    log = str(directory / REPLACED_NAME) if overrides_cpu(plan) else ""
    programs = [each for driver in found for each in _programs(plan, host, log, driver, moved)]
    if programs:
        _write_programs(programs, directory / _PROGRAMS_NAME, env.get("COMPILER_PATH"))
        place = str(directory / _PROGRAMS_NAME)
        users = env.get("COMPILER_PATH")
        changes["COMPILER_PATH"] = f"{place}:{users}" if users else place
        # ccache knows the compiler by its file, which these scripts do not change.
        extra = [f"{place}/{name}" for name in sorted({each.name for each in programs})]
        changes["CCACHE_EXTRAFILES"] = ":".join(
            filter(None, (env.get("CCACHE_EXTRAFILES"), *extra))
        )
    clangs = [each for each in found if each.compiler.family in ("clang", "apple-clang")]
    if not clangs:
        return Reached(changes)
    before, after, lost = _shared_flags(plan, clangs)
    # It records its arguments, which are not to name the copy.
    named = moved is not None and all(names_directory(each.compiler) for each in clangs)
    where = () if moved is None else (moved.directory if named else moved.mapping,)
    if words := _override(plan, (*before, *where), after):
        users = env.get("CCC_OVERRIDE_OPTIONS", "")
        changes["CCC_OVERRIDE_OPTIONS"] = " ".join((users or "#", *words))
        changes[OVERRIDDEN] = users
    return Reached(changes, (_lost_note(clangs[0].mention, lost),) if lost else ())


def _find_drivers(plan: BuildPlan, host: Host, files: BuildFiles) -> list[_Driver]:
    settings = {key: str(value) for key, value in plan.project.delegate_settings.items()}
    # The compilers in CC, CXX and FC have wrappers.
    variables = {
        name: value
        for name, value in host.env.items()
        if "/" in value and name not in VARIABLES.values()
    }
    named = [*find_absolute(LANGUAGES, files, {**settings, **variables})]
    if (own := find_own_path(files)) is not None:
        texts = (*host.env.values(), *(text for _, text in files))
        named += [
            Mention(name, own.place)
            for name in _USUAL
            if host.which(name) is not None
            and (name != "clang" or any("clang" in text for text in texts))
        ]
    drivers: dict[str, tuple[str, Mention]] = {}
    for mention in named:
        for pattern, path in _drivers(host, mention):
            drivers.setdefault(pattern, (path, mention))
    return [
        _Driver(pattern, *probed, mention)
        for pattern, (path, mention) in drivers.items()
        if (probed := probe_other(plan, host, path)) is not None
    ]


def _drivers(host: Host, mention: Mention) -> Iterator[tuple[str, str]]:
    """Yield the compiler and those of other languages next to it: a pattern, and a path to probe.

    The pattern is one of the shell's, for the path by which the compiler is called.
    """
    name = Path(mention.path).name
    names = [name]
    for row in _COUNTERPARTS:
        for own in row.values():
            match = re.fullmatch(rf"((?:[\w.]+-)*){re.escape(own)}((?:-[\d.]+)?)", name)
            if match is not None:
                names += [f"{match[1]}{other}{match[2]}" for other in row.values() if other != own]
    for each in names:
        path = str(Path(mention.path).with_name(each))
        found = host.which(each if mention.computed else path)
        if found is not None:
            yield (f"*{shlex.quote(path)}" if mention.computed else shlex.quote(path)), found


def _programs(
    plan: BuildPlan, host: Host, log: str, driver: _Driver, moved: Moved | None
) -> Iterator[Subprogram]:
    """Yield the programs that a gcc runs; nothing for another compiler.

    With a `log` they replace the project's CPU options, and list them there.
    """
    pattern, compiler, flags, _ = driver
    if compiler.family != "gcc":
        return
    language = compiler.language
    ours, users = split_flags(plan, flags, language)
    before = compiler_options(ours)
    # The driver's default, which it passes as if it were an argument.
    asked = host.run((*compiler.command, "-###", "-E", "-x", "c", os.devnull))
    dropped = dict.fromkeys(_CPU_DEFAULT.findall(asked.stderr)) if before else {}
    yield Subprogram(
        name=PROGRAMS[language],
        driver=pattern,
        dropped=tuple(each for each in dropped if each not in before),
        before=(*before, *map_paths(compiler, moved)),
        after=compiler_options(users),
        replaced=log,
    )
    note = flags.isa_note.linker_options if plan.flags.isa_note.level is not None else ()
    yield Subprogram(name=LINKER, driver=pattern, before=note, after=linker_options(flags.link))


def _write_programs(programs: list[Subprogram], directory: Path, users_path: str | None) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in {each.name for each in programs}:
        path = directory / name
        text = render_subprogram([each for each in programs if each.name == name], users_path)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)


def _shared_flags(
    plan: BuildPlan, clangs: Sequence[_Driver]
) -> tuple[list[str], list[str], list[str]]:
    """Return what goes before and behind the arguments of every clang, and what is left out.

    CCC_OVERRIDE_OPTIONS applies to all of them, so it has what the languages of the sources have
    in common.
    """
    seen = find_languages(plan.project.path)
    split = {
        each.compiler.language: split_flags(plan, each.flags, each.compiler.language)
        for each in clangs
    }
    lists = [split[language] for language in split if language in seen] or list(split.values())
    before, after = (_common(each) for each in zip(*lists, strict=True))
    every = dict.fromkeys(word for pair in split.values() for part in pair for word in part)
    return before, after, [word for word in every if word not in (*before, *after)]


def _lost_note(mention: Mention, lost: Sequence[str]) -> str:
    path = mention.path
    return (
        f"{mention.place} calls {path} without the PATH of the build: such a clang gets the flags "
        f"that C and C++ have in common, and not {shlex.join(lost)}; set flags.c and flags.cxx to "
        f"the same, or name the compiler {Path(path).name} and let PATH find it"
    )


def _override(plan: BuildPlan, before: Sequence[str], after: Sequence[str]) -> list[str]:
    """Return the words of CCC_OVERRIDE_OPTIONS.

    `^` inserts an option in front, `+` appends one, `s` replaces the project's CPU options; `#`
    keeps clang from reporting them.
    """
    words = [f"^{each}" for each in reversed(before) if not re.search(r"\s", each)]
    words += [f"+{each}" for each in after]
    cpu = [each for each in before if _CPU_DEFAULT.fullmatch(each)]
    if overrides_cpu(plan) and cpu:
        for name in ("march", "mcpu", "mtune"):
            own = next((each for each in cpu if each.startswith(f"-{name}=")), cpu[0])
            words.insert(0, f"s/^-{name}=.*$/{own}/")
    return words


def _common(lists: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the flags that are in all `lists`, without those that the variable cannot hold."""
    return [
        each
        for each in lists[0]
        if not re.search(r"\s", each) and all(each in one for one in lists)
    ]
