"""Compilers that a project calls by an absolute path, which wrappers on PATH do not reach.

gcc gets the flags through its own programs, clang through a variable (see `handover.subprogram`).
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from variantbuild.delegate.drivers import (
    LANGUAGES,
    VARIABLES,
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
from variantbuild.delegate.handover.wrapper import REPLACED_NAME
from variantbuild.delegate.mentions import BuildFiles, Mention, find_absolute, find_own_path
from variantbuild.host import Host
from variantbuild.plan import BuildPlan
from variantbuild.plan.flags import Flags
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


def reach_absolute(
    plan: BuildPlan, host: Host, env: Mapping[str, str], directory: Path, files: BuildFiles
) -> dict[str, str]:
    """Return the variables that pass the flags to compilers named by absolute paths.

    Scripts are written into the `directory` of the wrappers. {} if the project names none in its
    build `files`, settings and variables, and sets no PATH of its own.
    """
    settings = {key: str(value) for key, value in plan.project.delegate_settings.items()}
    # The compilers in CC, CXX and FC have wrappers.
    variables = {
        name: value
        for name, value in host.env.items()
        if "/" in value and name not in VARIABLES.values()
    }
    named = [*find_absolute(LANGUAGES, files, {**settings, **variables})]
    if (own := find_own_path(files)) is not None:
        named += [Mention(name, own.place) for name in _USUAL if host.which(name) is not None]
    drivers = {
        pattern: path
        for each in dict.fromkeys(mention._replace(place="") for mention in named)
        for pattern, path in _drivers(host, each)
    }
    found = [
        (pattern, *probed)
        for pattern, path in drivers.items()
        if (probed := probe_other(plan, host, path)) is not None
    ]
    changes: dict[str, str] = {}
    log = str(directory / REPLACED_NAME) if overrides_cpu(plan) else ""
    programs = [each for one in found for each in _programs(plan, host, log, *one)]
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
    if (override := _override(plan, found, env)) is not None:
        changes["CCC_OVERRIDE_OPTIONS"] = override
        changes[OVERRIDDEN] = env.get("CCC_OVERRIDE_OPTIONS", "")
    return changes


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
    plan: BuildPlan, host: Host, log: str, pattern: str, compiler: Compiler, flags: Flags
) -> Iterator[Subprogram]:
    """Yield the programs that the gcc runs that `pattern` matches; nothing for another compiler.

    With a `log` they replace the project's CPU options, and list them there.
    """
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
        before=before,
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


def _override(
    plan: BuildPlan, found: list[tuple[str, Compiler, Flags]], env: Mapping[str, str]
) -> str | None:
    """Return CCC_OVERRIDE_OPTIONS for clang; None without one.

    It applies to every clang and language, so it has what all of them have in common. `^` inserts
    an option in front, `+` appends one, `#` keeps clang from reporting it, `s` replaces the
    project's CPU options.
    """
    lists = [
        split_flags(plan, flags, compiler.language)
        for _, compiler, flags in found
        if compiler.family in ("clang", "apple-clang")
    ]
    if not lists:
        return None
    before, after = (_common(each) for each in zip(*lists, strict=True))
    words = [*(f"^{each}" for each in reversed(before)), *(f"+{each}" for each in after)]
    cpu = [each for each in before if _CPU_DEFAULT.fullmatch(each)]
    if overrides_cpu(plan) and cpu:
        for name in ("march", "mcpu", "mtune"):
            own = next((each for each in cpu if each.startswith(f"-{name}=")), cpu[0])
            words.insert(0, f"s/^-{name}=.*$/{own}/")
    users = env.get("CCC_OVERRIDE_OPTIONS", "")
    return " ".join(filter(None, (users or "#", *words))) if words else None


def _common(lists: tuple[tuple[str, ...], ...]) -> list[str]:
    """Return the flags that are in all `lists`, without those that the variable cannot hold."""
    return [
        each
        for each in lists[0]
        if not re.search(r"\s", each) and all(each in one for one in lists)
    ]
