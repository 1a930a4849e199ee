"""Folders of our own inside other people's, and the one move that makes a file public.

A build is written in a private folder on the file system of its destination. What a killed build
leaves there is removed by the next one that writes to the same destination.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from variantbuild.errors import WheelError
from variantbuild.host.durable import STALE_AGE, lock, sync_folder, write_error

_PREFIX = ".variantbuild-"
_LOCK = "lock"


@contextlib.contextmanager
def private_folder(destination: Path) -> Iterator[Path]:
    """Make a folder of our own inside `destination`, and remove it with all it holds.

    Raises WheelError where `destination` is missing or cannot be written to.
    """
    import shutil
    import tempfile

    try:
        if not destination.is_dir():
            raise WheelError(
                f"output folder {destination} does not exist", hint="make it, or name another one"
            )
        _remove_stale(destination)
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=destination))
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WheelError(
            f"output folder {destination} cannot be written to: {error.strerror}",
            hint="name another one, or change its permissions",
        ) from None
    try:
        lock(descriptor)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def publish(file: Path, destination: Path) -> Path:
    """Move a finished `file` to `destination` under its own name, all or nothing.

    Both lie on one file system. The bytes reach the disk before the name does, the folder's
    entry after it. Raises WheelError where the system refuses.
    """
    target = destination / file.name
    try:
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        file.replace(target)
        sync_folder(destination)
    except OSError as error:
        raise write_error(target, error) from None
    return target


def publish_copy(file: Path, destination: Path) -> Path:
    """Copy a finished `file`, which may lie on another file system, and publish the copy.

    Raises WheelError where the system refuses.
    """
    import shutil

    with private_folder(destination) as folder:
        try:
            copied = Path(shutil.copy2(file, folder))
        except OSError as error:
            raise write_error(destination / file.name, error) from None
        return publish(copied, destination)


def _remove_stale(destination: Path) -> None:
    """Remove private folders of this user whose build is gone: old, and their lock is free."""
    import shutil

    for folder in destination.glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            status = folder.lstat()
            own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
            if not own or time.time() - status.st_mtime < STALE_AGE or folder.is_symlink():
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
            try:
                if lock(descriptor):
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
