"""A digest of what a build reads in a source tree: its files without the output of builds.

Unlike the files of an sdist, a tree changes while it is built: a build adds files. A snapshot
before it distinguishes those from files that were edited during the build.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.buildcache.walk import Entry, walk
from variantbuild.host.sourcetree import INSTALLED, OUTPUT

if TYPE_CHECKING:
    from hashlib import _Hash as Hash

#: The files in a tree, by relative path, each with size, modification and change time.
Snapshot = Mapping[str, tuple[int, int, int]]

_CHUNK = 1 << 20
#: Output of builds, below the top of the tree.
_OUTPUT = (*OUTPUT, "wheelhouse", "_skbuild")
#: Files in which a project may refer to files outside its tree.
_DESCRIPTIONS = ("pyproject.toml", "setup.py", "setup.cfg", "CMakeLists.txt", "meson.build")


def take_snapshot(tree: Path) -> Snapshot:
    """Return the files of the directory `tree` that a build may read; nothing is opened."""
    top = len(f"{tree / '_'}") - 1
    statuses = {entry.path[top:]: entry.stat(follow_symlinks=False) for entry in _files(tree)}
    statuses |= {f"{path}"[top:]: path.lstat() for path in _git_state(tree)}
    return {
        name: (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        for name, status in statuses.items()
    }


def digest_sources(tree: Path, names: Iterable[str]) -> str:
    """Return a digest of the files `names` below the directory `tree`: paths, modes, bytes.

    Raises OSError for a file that cannot be read.
    """
    state = hashlib.sha256()
    for name in sorted(names):
        add_file(state, name, tree / name)
    return state.hexdigest()


def add_file(state: Hash, name: str, path: Path) -> None:
    """Add the file at `path` to a digest: its `name`, whether it is executable, its bytes.

    Of a link only its target counts, of a socket or pipe, which a build does not read, its kind.
    """
    state.update(f"{name}\0".encode("utf-8", "surrogateescape"))
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        state.update(os.fsencode(f"->{path.readlink()}\0"))
        return
    if not stat.S_ISREG(mode):
        state.update(f"?{stat.S_IFMT(mode)}\0".encode())
        return
    content = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            content.update(chunk)
        executable = os.fstat(stream.fileno()).st_mode & 0o111 != 0
    state.update(content.digest() + bytes([executable]))


def refers_outside(tree: Path) -> bool:
    """Return whether a description of the project names files outside the directory `tree`."""
    for name in _DESCRIPTIONS:
        try:
            text = (tree / name).read_bytes()
        except OSError:
            continue
        if b"../" in text or b"file://" in text:
            return True
    return False


def _files(tree: Path) -> Iterator[Entry]:
    """Return the files of a tree, without hidden directories and the output of builds."""
    output = {str(tree / name) for name in _OUTPUT}
    return walk(
        tree,
        lambda entry: (
            not entry.name.startswith(".")
            and entry.path not in output
            and entry.name not in INSTALLED
            and not entry.name.endswith(".egg-info")
            and not Path(entry.path, "pyvenv.cfg").exists()
        ),
    )


def _git_state(tree: Path) -> Iterator[Path]:
    """Yield the files that hold commit and tags, from which some projects compute a version."""
    git = tree / ".git"
    for name in ("HEAD", "packed-refs"):
        if (git / name).is_file():
            yield git / name
    for place, _, names in os.walk(git / "refs"):
        yield from (Path(place, name) for name in names)
    if git.is_file():
        yield git
