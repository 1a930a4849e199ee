"""What compilers have left in a source tree: objects and extension modules of earlier builds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from variantbuild.host.durable import PREFIX
from variantbuild.host.sourcetree import TOOLS

#: Directories of version control.
VCS = (".git", ".hg", ".svn", ".bzr", "_darcs", ".fossil")
#: Files that mark a directory as a virtual environment, a build directory or a cache.
_MARKS = ("pyvenv.cfg", "CMakeCache.txt", "meson-private", "CACHEDIR.TAG", "conda-meta", "c4che")
#: What setuptools, scikit-build-core and variantbuild leave below `build`.
_OUTPUT = re.compile(r"lib(?:[.-].*)?|(?:temp|bdist|scripts)[.-].*|variantbuild-.*|cp\d.*")
OBJECTS = (".o", ".obj", ".lo", ".os")
#: What SCons, ninja and waf know of their last build: they would take its objects for current.
_STATE = re.compile(r"\.sconsign(?:\..*)?|\.ninja_(?:log|deps)|\.lock-w.*")
#: Extension modules by the suffixes of CPython and PyPy; a plain `.so` may be an input.
_MODULE = re.compile(r".+\.(?:cpython-|cp\d|pypy\d|abi3\.)[^/]*(?:so|pyd)")
#: Files that are looked at: the tree may be a home directory by mistake.
_LIMIT = 50_000


def is_output(directory: Path) -> bool:
    """Tell whether `directory` is a cache, an environment, or one of a build system's own."""
    if directory.name.startswith(PREFIX) or directory.name in TOOLS:
        return True
    if any((directory / mark).exists() for mark in _MARKS):
        return True
    return directory.parent.name == "build" and _OUTPUT.fullmatch(directory.name) is not None


def is_leftover(path: Path, tracked: Tracked) -> bool:
    """Tell whether a file is of an earlier build, which a fresh checkout would not have.

    Only git's index tells an object from one that belongs to the project; modules and archives
    stay, since a project may package them as they are.
    """
    if _STATE.fullmatch(path.name):
        return not (tracked.known and path in tracked)
    return path.name.endswith(OBJECTS) and tracked.known and path not in tracked


def has_products(source: Path, *, modules: bool = True) -> bool:
    """Tell whether earlier builds left objects, or extension modules, among the sources.

    Files under version control do not count.
    """
    tracked: Tracked | None = None
    for path in _files(source):
        if path.name.endswith(OBJECTS) or (modules and _MODULE.fullmatch(path.name)):
            tracked = tracked or Tracked(source)
            if path not in tracked:
                return True
    return False


def _files(source: Path) -> Iterator[Path]:
    left = _LIMIT
    for directory, directories, files in os.walk(source):
        place = Path(directory)
        directories[:] = [
            name for name in directories if name not in VCS and not is_output(place / name)
        ]
        for name in files:
            # Paths are made for the few that may count.
            if name.endswith((*OBJECTS, ".so", ".pyd")):
                yield place / name
        left -= len(files)
        if left < 0:
            return


class Tracked:
    """The files of a git repository that are under version control, as far as its index tells.

    Source: gitformat-index(5). Versions 2 and 3 have each path in full, followed by a NUL byte;
    version 4 shortens them, and then every file counts.
    """

    def __init__(self, source: Path) -> None:
        self._root, self._index = _read_index(source.resolve())
        self._shortened = self._index[4:8] == b"\0\0\0\4"

    @property
    def known(self) -> bool:
        """Whether there is an index that tells."""
        return bool(self._index) and not self._shortened

    def __contains__(self, path: Path) -> bool:
        if self._shortened:
            return True
        try:
            name = path.resolve().relative_to(self._root).as_posix()
        except ValueError:
            return False
        return name.encode() + b"\0" in self._index


def _read_index(source: Path) -> tuple[Path, bytes]:
    for directory in (source, *source.parents):
        git = directory / ".git"
        try:
            if git.is_file():  # a worktree or a submodule
                place = git.read_text(encoding="utf-8", errors="replace").partition("gitdir:")[2]
                git = (directory / place.strip()).resolve()
            if git.is_dir():
                return directory, (git / "index").read_bytes()
        except OSError:
            return directory, b""
    return source, b""
