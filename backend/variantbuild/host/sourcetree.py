"""The files of a source tree, and the directories in it that hold no sources."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

#: Directories that builds write wheels and objects to.
OUTPUT = frozenset({"build", "dist"})
#: Directories that hold what was compiled or installed, at any depth.
INSTALLED = frozenset({"__pycache__", "node_modules", "site-packages"})
#: Directories of build tools, test runners and linters, at any depth.
TOOLS = frozenset(
    {
        "__pycache__",
        "_skbuild",
        ".eggs",
        ".redo",
        ".sconf_temp",
        ".tup",
        ".xmake",
        ".mypy_cache",
        ".nox",
        ".pytest_cache",
        ".ruff_cache",
        ".tox",
    }
)
_SKIPPED = OUTPUT | INSTALLED | {"venv"}

#: Files looked at before giving up: the tree may be a home directory by mistake.
_LIMIT = 50_000


def walk_sources(source: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each directory below `source` and the names of its files, from the top down.

    Hidden directories, virtual environments and build directories are skipped.
    """
    looked = 0
    for directory, directories, files in os.walk(source):
        directories[:] = sorted(
            name
            for name in directories
            if name not in _SKIPPED
            and not name.startswith(".")
            and not os.path.exists(os.path.join(directory, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118 - Path costs ten times as much here
        )
        yield directory, files
        looked += len(files)
        if looked > _LIMIT:
            return
