"""A private copy of the source tree, for builds that would find the objects of an earlier one.

Only some build systems keep objects in a directory that can be chosen for each variant. Everything
else (a build script, CMake called by setup.py, scikit-build, a backend in the tree) keeps them
where the project says, and rebuilds nothing when only flags change. Such a build runs in a copy,
which is as good as a fresh checkout: without build directories and without objects that are not
under version control, and with other compiled files older than every source.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

from variantbuild.delegate.products import OBJECTS, VCS, Tracked, is_leftover, is_output
from variantbuild.errors import DelegateError
from variantbuild.host.durable import PREFIX

_COMPILED = (*OBJECTS, ".so", ".a", ".pyd", ".dylib")
#: 1980-01-02, the oldest day that a zip archive can hold in every time zone.
_OLD = 315_619_200
#: Directories with more entries than this are not linked or copied along with the project.
_LIMIT = 20_000
#: A full disk, in contrast to a system that forbids links.
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EIO)


def copy_source(source: Path, staging: Path) -> Path:
    """Copy the tree of the project at `source` into `staging`; return the copy of `source`.

    A project that is a part of a repository is copied with the whole of it. What lies beside the
    copy are links to what lies beside the original, so that `../common.c` is found. Raises
    DelegateError if the copy cannot be written.
    """
    source = source.resolve()
    root = _copied_root(source)
    home = staging.resolve() / "tree"
    try:
        home.mkdir()
        _link_neighbours(root, home)
        _copy_directory(root, home / (root.name or "root"), root, Tracked(root))
    except OSError as error:
        raise DelegateError(
            f"the source tree {str(source)!r} cannot be copied to {str(home)!r}: "
            f"{error.strerror or error}",
            hint="each build runs in a copy of its own, so that it finds no objects of another "
            "variant; free some space, or choose another output directory",
        ) from None
    return home / (root.name or "root") / source.relative_to(root)


def _copied_root(source: Path) -> Path:
    """Return the repository that holds `source`, if it is not too large; else `source`."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home raises where there is none
    for directory in (source, *source.parents):
        if directory == directory.parent or home.is_relative_to(directory):
            break
        if any((directory / name).exists() for name in VCS):
            return directory if directory == source or _is_small(directory) else source
    return source


def _is_small(directory: Path) -> bool:
    count = 0
    for _, directories, files in os.walk(directory):
        directories[:] = [name for name in directories if name not in VCS]
        count += len(files)
        if count > _LIMIT:
            return False
    return True


def _link_neighbours(root: Path, home: Path) -> None:
    """Link what lies beside `root` into `home`; nothing where the system forbids it."""
    try:
        for count, name in enumerate(os.listdir(root.parent)):  # noqa: PTH208 - names
            if count > _LIMIT:
                break
            if name != root.name and not name.startswith(PREFIX):
                (home / name).symlink_to(root.parent / name)
    except OSError as error:
        if error.errno in _FULL:
            raise


def _copy_directory(source: Path, target: Path, root: Path, tracked: Tracked) -> None:
    target.mkdir()
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name in VCS:
                _link_history(Path(entry.path), target / entry.name)
            elif entry.is_symlink():
                _copy_link(Path(entry.path), target / entry.name, root)
            elif entry.is_dir():
                if not is_output(Path(entry.path)):
                    _copy_directory(Path(entry.path), target / entry.name, root, tracked)
            elif entry.is_file() and not is_leftover(Path(entry.path), tracked):
                _copy_file(entry.path, target / entry.name)
    shutil.copystat(source, target)
    target.chmod(target.stat().st_mode | stat.S_IRWXU)


def _link_history(source: Path, target: Path) -> None:
    """Link the history, which version tools ask; a file that names it by a relative path is kept.

    A worktree's or submodule's `.git` is a file.
    """
    if source.is_dir():
        target.symlink_to(source)
        return
    text = source.read_text(encoding="utf-8", errors="replace").strip()
    place = text.partition("gitdir:")[2].strip()
    target.write_text(f"gitdir: {(source.parent / place).resolve()}\n" if place else text)


def _copy_link(source: Path, target: Path, root: Path) -> None:
    """Copy a symbolic link; one that leads out of `root` by a relative path is made absolute."""
    place = os.readlink(source)  # noqa: PTH115 - text, which is kept as it is
    outside = not source.resolve().is_relative_to(root)
    target.symlink_to(source.parent / place if outside else place)


def _copy_file(source: str, target: Path) -> None:
    """Copy a file with its permissions and times; a compiled one becomes older than any source."""
    try:
        read = open(source, "rb")  # noqa: PTH123, SIM115 - costs less; closed below
    except PermissionError:
        return  # not readable: then the build does not need it, or says so
    with read:
        _copy_bytes(read, target)
    shutil.copystat(source, target)
    target.chmod(target.stat().st_mode | stat.S_IWUSR)
    if target.name.endswith(_COMPILED):
        os.utime(target, (_OLD, _OLD))


def _copy_bytes(read: BinaryIO, target: Path) -> None:
    """Copy the bytes inside the kernel where possible; some file systems then share them."""
    with target.open("xb") as write:
        if not hasattr(os, "copy_file_range"):
            shutil.copyfileobj(read, write)
            return
        left = os.fstat(read.fileno()).st_size
        try:
            while left > 0 and (done := os.copy_file_range(read.fileno(), write.fileno(), left)):
                left -= done
        except OSError:  # another file system on an old kernel
            read.seek(0)
            write.seek(0)  # a full disk is met again
            shutil.copyfileobj(read, write)
