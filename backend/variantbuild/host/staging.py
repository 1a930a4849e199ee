"""Staging directories, and the rename that publishes a finished file.

A build writes into a staging directory on the file system of its destination. Leftovers of a killed
build are removed by the next build with the same destination.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from variantbuild.errors import WheelError
from variantbuild.host.durable import (
    LOCK_NAME,
    PREFIX,
    lock,
    remove_staging,
    remove_stale,
    storage_remedy,
    sync_directory,
    write_error,
)


@contextlib.contextmanager
def output_directory(directory: Path) -> Iterator[Path]:
    """Create `directory` and its parents; those still empty at the end are removed again.

    So a command that refuses its input leaves nothing behind. Raises WheelError if it cannot be
    created.
    """
    created = [each for each in (directory, *directory.parents) if not each.exists()]
    try:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WheelError(
                f"output directory {directory} cannot be created: {error.strerror}",
                hint="name another one, or change its permissions",
            ) from None
        yield directory
    finally:
        for each in created:
            with contextlib.suppress(OSError):
                each.rmdir()


@contextlib.contextmanager
def staging_directory(destination: Path) -> Iterator[Path]:
    """Create a staging directory inside `destination`, and remove it with its contents.

    Raises WheelError if `destination` is missing or cannot be written to.
    """
    import tempfile

    try:
        if not destination.is_dir():
            raise WheelError(
                f"output directory {destination} does not exist",
                hint="create it, or name another one",
            )
        remove_stale(destination)
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=destination))
        descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise WheelError(
            f"output directory {destination} cannot be written to: {error.strerror}",
            hint=storage_remedy(error) or "name another one, or change its permissions",
        ) from None
    try:
        lock(descriptor)
        yield directory
    finally:
        os.close(descriptor)
        remove_staging(directory)


def is_same_file(output: Path, path: Path) -> bool:
    """Return whether `output` exists and is the file at `path`, whatever the names."""
    try:
        return output.samefile(path)
    except OSError:
        return False


def publish(file: Path, destination: Path) -> Path:
    """Move a finished `file` to `destination` under its own name, atomically.

    Both are on one file system. The bytes are synced to disk before the rename, the directory entry
    after it. Raises WheelError if the move fails.
    """
    target = destination / file.name
    try:
        with file.open("rb") as stream:
            os.fsync(stream.fileno())
        file.replace(target)
        sync_directory(destination)
    except OSError as error:
        raise write_error(target, error) from None
    return target


def publish_copy(file: Path, destination: Path) -> Path:
    """Copy a finished `file`, which may be on another file system, and publish the copy.

    Raises WheelError if the copy fails.
    """
    import shutil

    with staging_directory(destination) as directory:
        try:
            copied = Path(shutil.copy2(file, directory))
        except OSError as error:
            raise write_error(destination / file.name, error) from None
        return publish(copied, destination)
