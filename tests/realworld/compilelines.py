"""Record every compiler call of a build, with shims of the compilers first on PATH.

Not all build systems print their commands; a shim records all of them and changes nothing.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

_NAMES = re.compile(
    r"(?:[a-z0-9_]+-linux-(?:gnu|musl)-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|gfortran)"
)
_SOURCES = (".c", ".cc", ".cpp", ".cxx", ".c++", ".f", ".for", ".f77", ".f90", ".f95", ".f03")

#: Parts of directory names in which build systems try the compiler out.
_TRIALS = (
    "CMakeScratch",
    "CMakeTmp",
    "CompilerId",
    "meson-private",
    "/tmp/variantbuild-",
    "conftest",
)

#: What setup.py and Meson ask the compiler, through a file of their own among temporary ones.
_ASKED = re.compile(r"/tmp/tmp[^/ ]*(?:/testfile)?\.\w+(?= |$)")

#: What the shell's `times` prints of a call: minutes and seconds, user and system.
_TIMES = re.compile(r"(\d+)m([\d.]+)s")

_SHIM = """#!/bin/sh
"{real}" "$@"
code=$?
{{ printf '\\036'; times; printf '%s\\n' "$PWD" "$@"; }} >> "{log}/$$"
exit $code
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class CompileLine:
    """A call of a compiler: in which directory, with which words, and the CPU seconds it took."""

    directory: str
    words: tuple[str, ...]
    cpu: float

    @property
    def march(self) -> str | None:
        """The last -march of the line, which takes effect."""
        return next((w for w in reversed(self.words) if w.startswith("-march=")), None)


def make_shims(directory: Path, log: Path) -> Path:
    """Write a shim for each compiler on PATH into `directory`; return it. The calls go to `log`."""
    directory.mkdir(parents=True)
    log.mkdir(parents=True)
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for found in Path(place).iterdir() if Path(place).is_dir() else ():
            if _NAMES.fullmatch(found.name) and "ccache" not in str(found.resolve()):
                shim = directory / found.name
                shim.write_text(_SHIM.format(log=log, real=found), encoding="utf-8")
                shim.chmod(0o755)
    if shutil.which("cc", path=str(directory)) is None:
        raise FileNotFoundError("no compiler called cc on PATH")
    return directory


def read_calls(log: Path) -> tuple[CompileLine, ...]:
    """Return every call of a compiler that is written down below `log`."""
    calls = []
    for file in sorted(log.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        for call in filter(None, file.read_text("utf-8", "replace").split("\x1e")):
            _, children, directory, *words = call.splitlines()
            cpu = sum(60 * float(m) + float(s) for m, s in _TIMES.findall(children))
            calls.append(CompileLine(directory=directory, words=tuple(words), cpu=cpu))
    return tuple(calls)


def compiles(line: CompileLine) -> bool:
    """Tell whether `line` compiles a source of the package, rather than try the compiler out."""
    sources = [word for word in line.words if word.lower().endswith(_SOURCES)]
    if not sources or {"-E", "-M", "-MM", "-fsyntax-only"} & set(line.words):
        return False
    places = " ".join((line.directory, *sources, *_outputs(line.words)))
    return not any(trial in places for trial in _TRIALS) and not _ASKED.search(places)


def works(line: CompileLine) -> bool:
    """Return whether `line` compiles or links for the package, not for a test or a trial."""
    files = any(word.lower().endswith((*_SOURCES, ".o", ".obj", ".a")) for word in line.words)
    return files and not any("/tmp/variantbuild-" in word for word in (line.directory, *line.words))


def _outputs(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(after for word, after in itertools.pairwise(words) if word == "-o")
