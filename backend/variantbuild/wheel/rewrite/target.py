"""The target of a new file: written next to it under another name, moved when complete.

A file under the final name is always complete: its bytes are synced to disk before the rename, and
the directory entry after it. A killed process leaves a `.variantbuild-*.tmp`, which the next
process that writes to the directory removes.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path
from types import TracebackType

from variantbuild.host.durable import (
    PREFIX,
    SUFFIX,
    lock,
    remove_stale,
    sync_directory,
    write_error,
)

_counter = itertools.count()


class Target:
    """A temporary file next to `path`, in a `with` block; `commit` moves it there.

    Leaving the block without a commit removes the temporary file; `path` is then unchanged. With
    `adopt` that file is moved and becomes the temporary file.
    """

    def __init__(self, path: Path, *, adopt: Path | None = None) -> None:
        self.path = path
        self.directory = path.parent
        remove_stale(self.directory)
        try:
            self._open(adopt)
        except OSError as error:
            raise write_error(path, error) from error

    def _open(self, adopt: Path | None) -> None:
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        if adopt is not None:
            # Opened before the move, so that a failure here leaves it in place.
            self.descriptor = os.open(adopt, flags)
        self._open_descriptor = True
        while True:
            self.temporary = self.directory / f"{PREFIX}{os.getpid()}-{next(_counter)}{SUFFIX}"
            try:
                if adopt is None:
                    self.descriptor = os.open(self.temporary, flags | os.O_CREAT | os.O_EXCL, 0o666)
                elif self.temporary.exists():
                    continue
                else:
                    self._adopt(adopt)
            except FileExistsError:
                continue
            break
        lock(self.descriptor)

    def _adopt(self, adopt: Path) -> None:
        try:
            adopt.rename(self.temporary)
        except OSError:
            self._close()
            raise

    def write(self, data: bytes | bytearray) -> None:
        """Append `data` at the file's position, all of it."""
        with memoryview(data) as view:
            done = 0
            while done < len(data):
                done += os.write(self.descriptor, view[done:])

    def commit(self, mode: int | None = None) -> None:
        """Flush the file to disk and move it to `path`, then flush the directory.

        `mode` are its permission bits; None keeps those given by the umask.
        """
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(self.descriptor, mode)
        os.fsync(self.descriptor)
        if os.name == "nt":
            self._close()
        self.temporary.replace(self.path)
        sync_directory(self.directory)

    def _close(self) -> None:
        if self._open_descriptor:
            self._open_descriptor = False
            os.close(self.descriptor)

    def __enter__(self) -> Target:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # After a commit the temporary name no longer exists.
        with contextlib.suppress(OSError):
            self.temporary.unlink()
        self._close()
