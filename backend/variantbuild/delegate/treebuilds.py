"""Finds and removes the build directories that builds leave in a source tree for the next build."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from variantbuild.delegate.handover.builddir import is_build_name
from variantbuild.errors import ConfigError
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class TreeBuild:
    """A build directory: its path, and the size of its files in bytes."""

    path: Path
    size: int


def find_builds(tree: Path) -> tuple[TreeBuild, ...]:
    """Return the build directories of ours in the source tree `tree` and in its `build`.

    Links are not followed: what they lead to is not in the tree. Raises ConfigError if `tree` is
    not a directory.
    """
    if not tree.is_dir():
        raise ConfigError(f"{tree} is not a directory", hint="name a source tree after --tree")
    places = [tree, *([] if (tree / "build").is_symlink() else [tree / "build"])]
    return tuple(
        TreeBuild(path=path, size=_size(path))
        for place in places
        if place.is_dir()
        for path in sorted(place.iterdir())
        if is_build_name(path.name) and path.is_dir() and not path.is_symlink()
    )


def remove_builds(builds: tuple[TreeBuild, ...]) -> None:
    """Remove the directories, and a directory `build` that is empty then.

    Raises ConfigError for one that cannot be removed.
    """
    for build in builds:
        try:
            shutil.rmtree(build.path)
        except OSError as error:
            raise ConfigError(
                f"{build.path} cannot be removed: {error.strerror}",
                hint="make it writable (chmod -R u+w), and try again",
            ) from None
    for parent in {build.path.parent for build in builds if build.path.parent.name == "build"}:
        if not any(parent.iterdir()):
            parent.rmdir()


def _size(directory: Path) -> int:
    return sum(
        Path(place, name).lstat().st_size
        for place, _, names in os.walk(directory)
        for name in names
    )
