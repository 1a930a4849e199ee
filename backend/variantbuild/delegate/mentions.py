"""Which compilers a project names itself: in Makefiles, CMake and Meson files, scripts, values."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from variantbuild.host.sourcetree import INSTALLED, OUTPUT

_FILE = re.compile(
    r"(?:GNUm|M|m)akefile(?:[._-].*)?|[Mm]ake(?:_|\.|-)?(?:inc|rules|config)(?:\..*)?|"
    r".*\.(?:mk|mak|make|inc|in|ac|am|m4|ninja|cmake|gn|gni|gyp|gypi|bazel|bzl|jam|pro|pri|"
    r"ini|cross|native|py|sh|bash|pl|rb|tcl|lua|zig|toml|cfg|conf|config|env|json|ya?ml)|"
    r"CMakeLists\.txt|meson\.build|meson\.options|meson_options\.txt|configure|"
    r"[sS][cC]ons(?:truct|cript)|wscript(?:_build)?|[jJ]ustfile|Rakefile|Jam(?:file|root)|Tupfile|"
    r"WORKSPACE|BUILD|\.env|build\.\w+"
)
_SKIPPED = OUTPUT | INSTALLED | {"docs", "tests"}
#: Files and bytes that are read at most: this only saves a few runs of compilers.
_FILES, _BYTES = 500, 1 << 18
#: Lines that run programs with another PATH: of make and shells, Python and CMake.
_SETS_PATH = re.compile(
    r"\benv[ \t]+-i\b|(?<![\w$.])PATH[ \t]*[:?+]?=(?!=)|[\"']PATH[\"']\][ \t]*=(?!=)|"
    r"[\"']PATH[\"'][ \t]*:|\b(?:putenv|setenv|setdefault)\([ \t]*[\"']PATH[\"']|"
    r"\bset[ \t]*\([ \t]*ENV\{PATH\}"
)
#: The longest target triple in front of a compiler's name, and the longest line in a message.
_PREFIX, _LINE = 64, 60


#: The build files of a tree: path relative to it, and text.
BuildFiles = Sequence[tuple[Path, str]]


def find_mentions(
    names: Collection[str], files: BuildFiles, values: Collection[str]
) -> frozenset[str]:
    """Return the compilers that the build `files` and `values` name, as they are called.

    `names` are the plain ones: `gcc` finds `gcc-11` and `x86_64-linux-gnu-gcc` too. A version that
    the build computes (`gcc-$(VERSION)`) is returned as `gcc-*`.
    """
    word = re.compile(
        r"(?<![\w+])(?P<name>"
        + "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
        + r")(?P<version>-\d+(?:\.\d+)*(?![\w.+-])|-(?=[$@%{\"']))?(?![\w+]|-[a-z])"
    )
    found = set()
    for text in (*values, *(text for _, text in files)):
        for match in word.finditer(text):
            before = text[max(match.start() - _PREFIX, 0) : match.start()]
            prefix = re.split(r"[^\w.-]", before)[-1] if before.endswith("-") else ""
            version = match["version"] or ""
            found.add(f"{prefix}{match['name']}{version}{'*' if version == '-' else ''}")
    return frozenset(found)


class OwnPath(NamedTuple):
    """A file of the project that runs programs with a PATH of its own, and the line that says so.

    `line` is empty for a tool that does so by default.
    """

    place: str
    line: str


def find_own_path(files: BuildFiles) -> OwnPath | None:
    """Return the first of the build `files` that sets PATH, or that SCons reads.

    SCons runs programs in an environment of its own (its manual, "Propagating PATH From the
    External Environment"), unless the file passes `os.environ` on.
    """
    for file, text in files:
        if (match := _SETS_PATH.search(text)) is not None:
            start = text.rfind("\n", 0, match.end()) + 1
            line = text[start:].partition("\n")[0].strip()
            return OwnPath(str(file), line if len(line) <= _LINE else f"{line[:_LINE]}…")
        if file.name in ("SConstruct", "SConscript") and "environ" not in text:
            return OwnPath(str(file), "")
    return None


class Mention(NamedTuple):
    """A compiler that is named by a path, and the file, setting or variable that names it.

    `computed` is true if the path has a variable in front, which leaves out the first directories.
    """

    path: str
    place: str
    computed: bool = False


def find_absolute(
    names: Collection[str], files: BuildFiles, values: Mapping[str, str]
) -> Iterator[Mention]:
    """Yield the compilers that the project names by absolute paths: they are not looked up on PATH.

    `values` are settings and variables, by name.
    """
    path = re.compile(
        r"(?P<variable>[)}])?(?<![\w.~-])(?P<path>/(?:[\w.+-]+/)*(?:[\w.]+-)*(?:"
        + "|".join(map(re.escape, names))
        + r")(?:-[\d.]+)?)(?![\w+/-])"
    )
    places = (*values.items(), *((str(file), text) for file, text in files))
    for place, text in places:
        for match in path.finditer(text):
            computed = match["variable"] is not None
            if computed or match["path"].count("/") > 1:
                yield Mention(match["path"], place, computed)


def read_build_files(source: Path) -> BuildFiles:
    """Return the build files of the tree at `source`, and their text."""
    return tuple(_files(source))


def _files(source: Path) -> Iterator[tuple[Path, str]]:
    left = _FILES
    for directory, directories, files in os.walk(source):
        directories[:] = sorted(
            name for name in directories if name not in _SKIPPED and not name.startswith(".")
        )
        for name in sorted(files):
            path = Path(directory, name)
            if not (_FILE.fullmatch(name) or _is_script(path)):
                continue
            left -= 1
            if left < 0:
                return
            try:
                with path.open("rb") as file:
                    text = file.read(_BYTES).decode("utf-8", "replace")
            except OSError:
                continue
            yield path.relative_to(source), text


def _is_script(path: Path) -> bool:
    """Tell whether `path` is an executable script without a suffix, such as a compiler wrapper."""
    if path.suffix or not os.access(path, os.X_OK):
        return False
    try:
        with path.open("rb") as file:
            return file.read(2) == b"#!"
    except OSError:
        return False
