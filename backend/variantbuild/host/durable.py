"""Durable writes: locks, syncing, stale leftovers, and errors on writing.

Incomplete output is in a staging directory `.variantbuild-*`, whose lock is the file `lock` in it,
or in a temporary file `.variantbuild-*.tmp`, which is its own lock. The writing process holds the
lock; the next process that writes to the same directory removes what a killed one left there.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable
from pathlib import Path

from variantbuild.errors import WheelError

#: The prefix of staging directories and temporary files, and the suffix of the files.
PREFIX = ".variantbuild-"
SUFFIX = ".tmp"
LOCK_NAME = "lock"
#: What programs print, in the locale C, where a file cannot be written (strerror of the C library).
_STORAGE_WORDS = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "File size limit exceeded",
    "Read-only file system",
    "Permission denied",
    "Input/output error",
    "temporary director",
    "temporary file",
    "exit status -25",
)
#: Age in seconds after which a staging directory or file without a lock is a dead process's.
STALE_AGE = 600.0


def write_error(path: Path, error: OSError) -> WheelError:
    """Return the error for a failed write of `path`."""
    reason = error.strerror or str(error)
    return WheelError(f"{str(path)!r} cannot be written: {reason}", hint=storage_remedy(error))


def storage_remedy(error: OSError) -> str | None:
    """Return what the user can do about a failed write; None if that is not known."""
    another = "choose a directory that you may write to"
    return {
        "ENOSPC": "free some space or inodes (df, df -i), or choose another directory",
        "EDQUOT": "remove files within your quota (quota -s), or choose another directory",
        "EACCES": another,
        "EPERM": another,
        "EROFS": another,
        "EFBIG": "raise the limit on file sizes (ulimit -f)",
        "EMFILE": "raise the limit on open files (ulimit -n)",
        "ENAMETOOLONG": "choose a directory with a shorter path",
        "EIO": "check the disk, or choose another directory",
    }.get(_errno_name(error))


def is_storage_failure(text: str) -> bool:
    """Return whether the output of a program says that it could not write its files."""
    return any(words in text for words in _STORAGE_WORDS)


def temporary_directory() -> str:
    """Return the directory for temporary files, also where none can be used."""
    import tempfile

    try:
        return tempfile.gettempdir()
    except OSError:
        return os.sep + "tmp"


def _errno_name(error: OSError) -> str:
    import errno

    return errno.errorcode.get(error.errno or 0, "")


def sync_directory(directory: Path) -> None:
    """Sync a directory's entries to disk, if the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Take the lock of an open file without waiting; return False if another process holds it.

    True as well if the system or the file system has no locks.
    """
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def remove_stale(directory: Path) -> None:
    """Remove staging directories and temporary files of dead processes from `directory`.

    Only removes this user's, and only those that are ten minutes old and not locked.
    """
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            if path.name.startswith(PREFIX):
                with contextlib.suppress(OSError):
                    _remove_if_stale(path)


def _remove_if_stale(path: Path) -> None:
    status = path.lstat()
    own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
    if not own or time.time() - status.st_mtime < STALE_AGE:
        return
    if stat.S_ISDIR(status.st_mode):
        _remove_directory(path)
    elif stat.S_ISREG(status.st_mode) and path.name.endswith(SUFFIX):
        _if_free(path, path.unlink)


def _remove_directory(path: Path) -> None:
    try:
        _if_free(path / LOCK_NAME, lambda: remove_staging(path))
    except FileNotFoundError:
        path.rmdir()  # killed before or just after it took the lock; fails if not empty


def remove_staging(directory: Path) -> None:
    """Remove a staging directory, its lock last, so that a killed removal can be resumed.

    Ignores failures: the next process that writes here tries again.
    """
    import shutil

    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK_NAME:
                path.unlink()
        (directory / LOCK_NAME).unlink()
        directory.rmdir()


def _if_free(lock_file: Path, remove: Callable[[], None]) -> None:
    descriptor = os.open(lock_file, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if lock(descriptor):
            remove()
    finally:
        os.close(descriptor)
