"""What a build finds on the machine besides its source: headers, libraries, packages, modules.

The directories that compilers, pkg-config and CMake search by the environment and by flags count by
the contents of their files, what the system's package manager installed by package and version.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast

from variantbuild.buildcache.walk import Entry, is_directory, walk
from variantbuild.data import load_table
from variantbuild.errors import WheelError

#: Files of at least this many bytes count by path, size and times, smaller ones by their contents.
_LARGE = 1 << 20
#: A build that searches directories with more files is not cached.
_MOST_FILES = 50_000
_FLAG = re.compile(r"-(?:I|L|B|isystem|iquote|idirafter|isysroot|-sysroot=|F)")
_VARIABLE = re.compile(r"^([\w.]+)[ \t]*=[ \t]*(.*)$", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")


def describe_searched(env: Mapping[str, str], source: Path, *, most: int = _MOST_FILES) -> str:
    """Return what identifies the files that tools find by the variables in `env`.

    `source` is the tree that is built: what is in it is known already. Raises OSError for a file
    that cannot be read, and WheelError if there are over `most` files.
    """
    counter = _Counter(most)
    lines: list[str] = []
    for directory in dict.fromkeys(_searched(env)):
        if directory.is_absolute() and not directory.is_relative_to(source):
            lines += counter.describe(directory, by_content=True)
    for path in dict.fromkeys(_named_files(env)):
        lines.append(f"{path} {_identify(path, by_content=True)}")
    return "\n".join(lines)


def describe_system() -> str:
    """Return the installed packages, and the headers and libraries in the system's directories.

    Those count by size and time, since packages install them. Raises WheelError if there are too
    many.
    """
    counter = _Counter(_MOST_FILES)
    lines = list(_packages())
    for name in cast("list[str]", load_table("buildcache")["system"]):
        lines += counter.describe(Path(name), by_content=False)
    return "\n".join(lines)


def _searched(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the directories that variables and flags name."""
    table = load_table("buildcache")
    for name, value in sorted(env.items()):
        if _matches(name, table["searched"]):
            yield from map(Path, filter(None, re.split(rf"[{os.pathsep};]", value)))
        elif _matches(name, table["prefixes"]):
            for prefix in filter(None, re.split(rf"[{os.pathsep};]", value)):
                yield from (Path(prefix, part) for part in ("include", "lib", "lib64"))
        elif _matches(name, table["flags"]):
            yield from _of_flags(value)
        if name in ("PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR"):
            for directory in filter(None, value.split(os.pathsep)):
                yield from _of_pkg_config(Path(directory))


def _matches(name: str, patterns: object) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in cast("list[str]", patterns))


def _of_flags(text: str) -> Iterator[Path]:
    words = _words(text)
    for word, following in zip(words, [*words[1:], ""], strict=True):
        match = _FLAG.match(word)
        if match is not None:
            yield Path(word[match.end() :] or following)
        elif word.startswith("-Wl,"):
            yield from (Path(part.removeprefix("-L")) for part in word.split(",")[1:])


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # an unmatched quotation mark
        return text.split()


def _of_pkg_config(directory: Path) -> Iterator[Path]:
    """Yield the directories of headers and libraries that the descriptions in `directory` name.

    Source: pc(5).
    """
    for path in sorted(directory.glob("*.pc")):
        try:
            text = path.read_text("utf-8", "replace")
        except OSError:
            continue
        variables = {"pcfiledir": str(directory)}
        for name, value in _VARIABLE.findall(text):
            variables[name] = _expanded(value.strip(), variables)
        yield from (Path(variables[key]) for key in ("includedir", "libdir") if key in variables)
        for line in text.splitlines():
            if line.startswith(("Cflags", "Libs")):
                yield from _of_flags(_expanded(line.partition(":")[2], variables))


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda match: variables.get(match[1], ""), text)[:4096]


def _named_files(env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files that any variable names, such as CMAKE_TOOLCHAIN_FILE or a flag @FILE."""
    for _, value in sorted(env.items()):
        for word in (value, *_words(value)):
            path = word[word.find("/") :] if "/" in word else ""
            if path and len(path) < 4096 and "\0" not in path and os.path.isfile(path):  # noqa: PTH113 - not Path.is_file, which raises where a directory may not be entered
                yield Path(path)
    if home := env.get("HOME"):
        for name in cast("list[str]", load_table("buildcache")["home"]):
            if Path(home, name).is_file():
                yield Path(home, name)


class _Counter:
    """Describes the files of directories until there are over `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0

    def describe(self, directory: Path, *, by_content: bool) -> Iterator[str]:
        """Yield a line for each file below `directory`; none if it is missing.

        Bytecode does not count: it follows from modules that count, and builds themselves write it.
        """
        for entry in walk(directory, lambda entry: entry.name != "__pycache__"):
            if is_directory(entry):
                continue  # a link to a directory is not followed
            self._count += 1
            if self._count > self._most:
                raise WheelError(
                    f"{directory} and the other directories that the build searches contain "
                    f"over {self._most} files"
                )
            yield f"{entry.path} {_identify(entry, by_content=by_content)}"


def _identify(file: Path | Entry, *, by_content: bool) -> str:
    """Return what identifies a file: its digest, or size and times."""
    try:
        status = file.stat()
    except OSError:
        return "missing"
    if not by_content:
        return f"{status.st_size} {status.st_mtime_ns}"
    if status.st_size >= _LARGE:
        return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file.is_file() else "no file"


def _packages() -> Iterable[str]:
    """Return the packages of the system's package manager, with their versions."""
    dpkg, apk = Path("/var/lib/dpkg/status"), Path("/lib/apk/db/installed")
    if dpkg.is_file():
        return sorted(_fields(dpkg, ("Package: ", "Version: ", "Architecture: ", "Status: ")))
    if apk.is_file():
        return sorted(_fields(apk, ("P:", "V:", "A:", "C:")))
    if (names := Path("/var/lib/pacman/local")).is_dir():
        return sorted(path.name for path in names.iterdir())
    databases = (
        "/var/lib/rpm/rpmdb.sqlite",
        "/var/lib/rpm/Packages",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/Packages.db",
    )
    return [f"{each} {_identify(Path(each), by_content=True)}" for each in databases]


def _fields(database: Path, names: tuple[str, ...]) -> Iterator[str]:
    """Yield the fields `names` of each paragraph of a package database, in one line."""
    for paragraph in database.read_text("utf-8", "replace").split("\n\n"):
        yield " ".join(line for line in paragraph.split("\n") if line.startswith(names))
