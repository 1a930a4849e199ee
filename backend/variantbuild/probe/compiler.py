"""The compilers: which program would compile a language, its family and exact version.

The choice follows the build system that will run the compiler; family, version and target come
from a single run of it where possible.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypedDict, cast

from variantbuild.config.buildsystem import CompilerSearch
from variantbuild.data import load_table
from variantbuild.host import Host
from variantbuild.probe.compiler_identity import (
    Unsupported,
    parse_banner,
    program_name,
    questions_for,
)
from variantbuild.probe.facts import (
    Absent,
    Compiler,
    Fact,
    Failed,
    Found,
    Language,
)
from variantbuild.values import dataclass

#: Options that make a compiler driver link even if nothing is compiled: not passed when probing.
_LINKER_OPTIONS = ("-Wl,", "-l", "-L", "-Xlinker")


class _Tables(TypedDict):
    variables: dict[Language, str]
    launchers: list[str]
    search: dict[str, dict[Language, list[str]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Command:
    """A compiler's command line: launchers, program and arguments, and where it comes from."""

    launchers: tuple[str, ...]
    program: str
    arguments: tuple[str, ...]
    origin: str

    @property
    def words(self) -> tuple[str, ...]:
        return (*self.launchers, self.program, *self.arguments)


def probe_compiler(
    host: Host, language: Language, *, search: CompilerSearch = "setuptools"
) -> Fact[Compiler]:
    """Return the compiler for `language` that a build system would use, with its exact version.

    CC, CXX and FC take precedence, with arguments and launchers (`ccache gcc -m64`); without them
    the `search` of the build system is followed, for setuptools the interpreter's configuration. A
    launcher in CMAKE_<LANG>_COMPILER_LAUNCHER is ignored here: CMake adds it itself.
    """
    command = _choose(host, language, search)
    if not isinstance(command, _Command):
        return command
    return _identify(host, language, command)


def _choose(host: Host, language: Language, search: CompilerSearch) -> _Command | Absent | Failed:
    variable = _tables()["variables"][language]
    value = host.env.get(variable, "").strip()
    if value:
        command = _parse_command(host, value, f"{variable}={value}")
        return Failed(command.reason) if isinstance(command, Absent) else command
    names = _tables()["search"]["windows" if host.system == "Windows" else search][language]
    if names[0].startswith("$"):
        variable = names[0][1:]
        value = (host.config_var(variable) or "").strip()
        if not value:
            return Absent(
                f"{variable} is not set, and this Python's configuration does not name one"
            )
        return _parse_command(host, value, f"{variable} of this Python's configuration")
    for directory in _preferred_directories(host, language, search):
        for name in names:
            path = host.which(f"{directory}/{name}")
            if path is not None:
                return _Command(
                    launchers=(), program=path, arguments=(), origin="next to the C compiler"
                )
    for name in names:
        path = host.which(name)
        if path is not None:
            return _Command(launchers=(), program=path, arguments=(), origin=f"{name} on PATH")
    return Absent(f"{variable} is not set, and none of {', '.join(names)} is on PATH")


def _preferred_directories(host: Host, language: Language, search: CompilerSearch) -> list[str]:
    """Return where CMake looks before PATH: next to the program or launcher in CC."""
    value = host.env.get("CC", "").strip()
    if search != "cmake" or language == "c" or not value:
        return []
    command = _parse_command(host, value, "CC")
    return [str(Path(command.words[0]).parent)] if isinstance(command, _Command) else []


def _parse_command(host: Host, value: str, origin: str) -> _Command | Absent:
    """Return the command line in `value`, Absent if it does not name a program that can be run."""
    words = _split(host, value)
    if not words:
        return Absent(f"{origin} has an unclosed quote")
    launchers: list[str] = []
    while words and program_name(words[0]) in _tables()["launchers"]:
        path = host.which(words[0])
        if path is None:
            return _not_found(words[0], origin)
        launchers.append(path)
        del words[0]
        while words and re.match(r"[a-z_]+=", words[0]):  # settings of ccache precede the compiler
            launchers.append(words.pop(0))
    if not words:
        return Absent(f"{origin} names the launcher {launchers[-1]}, but no compiler after it")
    path = host.which(words[0])
    if path is None:
        return _not_found(words[0], origin)
    return _Command(
        launchers=tuple(launchers), program=path, arguments=tuple(words[1:]), origin=origin
    )


def _split(host: Host, value: str) -> list[str]:
    """Return the words of a command, split as in a shell; none for an unclosed quote.

    A value that is the path of a program, spaces included, is one word, as in CMake.
    """
    if " " not in value and "\\" not in value and '"' not in value and "'" not in value:
        return [value]
    if Path(value).is_absolute() and host.which(value) is not None:
        return [value]
    import shlex

    try:
        return shlex.split(value, posix=host.system != "Windows")
    except ValueError:
        return []


def _not_found(word: str, origin: str) -> Absent:
    if Path(word).name != word and not Path(word).is_absolute():
        return Absent(
            f"{origin} names {word} by a relative path; use an absolute path, or a name on PATH"
        )
    if Path(word).is_absolute():
        return Absent(f"{origin} names {word}, which does not exist or is not executable")
    return Absent(
        f"{origin} names {word}, which is not on PATH (absolute entries outside the source tree)"
    )


def _identify(host: Host, language: Language, command: _Command) -> Fact[Compiler]:
    """Run the compiler without its launcher, so that no compiler cache is started."""
    arguments = [word for word in command.arguments if not word.startswith(_LINKER_OPTIONS)]
    said = ""
    for question in questions_for(command.program):
        argv = (command.program, *arguments, *question)
        answer = host.run(argv)
        shown = f"{' '.join(argv)} ({command.origin})"
        text = f"{answer.stderr}\n{answer.stdout}"
        if not answer.ok:
            said = said or f"{shown} {answer.failure}{_first_line(text)}"
            if answer.status is None or answer.status < 0:
                break
            continue
        identity = parse_banner(text)
        if isinstance(identity, Unsupported):
            return Failed(f"{shown} is {identity.name}, which is not supported")
        if identity is not None:
            compiler = Compiler(
                language=language,
                family=identity.family,
                version=identity.version,
                command=command.words,
                target=identity.target,
            )
            return Found(compiler, shown)
        said = said or f"{shown} did not identify a known compiler and version{_first_line(text)}"
    return Failed(said)


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return f": {line[:120]!r}" if line else ""


def _tables() -> _Tables:
    return cast("_Tables", cast("object", load_table("compiler_search")))
