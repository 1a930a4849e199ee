"""The files of a source tree, without third-party files and build output."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

#: Directories with third-party files or build output.
_SKIPPED = frozenset({"build", "dist", "node_modules", "venv", "__pycache__", "site-packages"})

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
