"""The files below a directory, without a Path for each: builds describe thousands of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

Entry = os.DirEntry[str]


def walk(directory: Path, enters: Callable[[Entry], bool] | None = None) -> Iterator[Entry]:
    """Yield everything below `directory` except directories: files, and links of any kind.

    Sorted by name, those of a directory before those below it. Directories for which `enters` is
    false are left out, with links to such. Links to directories are not followed. What cannot be
    read is left out, as by os.walk.
    """
    left = [str(directory)]
    while left:
        below = []
        for entry in _entries(left.pop()):
            if not is_directory(entry):
                yield entry
            elif enters is None or enters(entry):
                if entry.is_symlink():
                    yield entry
                else:
                    below.append(entry.path)
        left += reversed(below)


def is_directory(entry: Entry) -> bool:
    """Return whether `entry` is a directory or a link to one."""
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _entries(directory: str) -> list[Entry]:
    try:
        with os.scandir(directory) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []
