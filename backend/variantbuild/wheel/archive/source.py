"""An open file read at offsets, by several threads at once."""

from __future__ import annotations

import _thread  # importing threading takes a millisecond
import os
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

from variantbuild.errors import WheelError


class Source:
    """A regular file, opened for reading. `size` is its length in bytes when it was opened."""

    def __init__(self, path: Path) -> None:
        # O_NONBLOCK: opening a FIFO must not block.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        try:
            self.descriptor = os.open(path, flags | getattr(os, "O_CLOEXEC", 0))
        except FileNotFoundError:
            raise WheelError(f"{str(path)!r} does not exist") from None
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise WheelError(f"{str(path)!r} cannot be opened: {reason}") from error
        self._closed = False
        self._lock = _thread.allocate_lock()
        self._status = os.fstat(self.descriptor)
        if not stat.S_ISREG(self._status.st_mode):
            self.close()
            raise WheelError(f"{str(path)!r} is not a regular file")
        self.path = path
        self.size = self._status.st_size

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes `[offset, offset + size)`, fewer at the end of the file."""
        # Offsets come from the archive: the operating system refuses those of 2^63 and more.
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        try:
            data = self._read_at(offset, size)
            while len(data) < size:
                more = self._read_at(offset + len(data), size - len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise self.unreadable(error) from error
        return data

    def reader(self) -> Callable[[int, int], bytes]:
        """Return the fastest function that reads a given size at an offset, as `os.pread` does.

        It raises OSError, which `unreadable` converts, instead of WheelError.
        """
        if hasattr(os, "pread"):
            return partial(os.pread, self.descriptor)
        return lambda size, offset: self._read_at(offset, size)

    def _read_at(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self.descriptor, size, offset)
        with self._lock:  # Windows
            os.lseek(self.descriptor, offset, os.SEEK_SET)
            return os.read(self.descriptor, size)

    def unreadable(self, error: OSError) -> WheelError:
        """Return the error for a failed read."""
        return WheelError(f"{str(self.path)!r} cannot be read: {error.strerror}")

    @property
    def links(self) -> int:
        """The number of hard links that the file had when it was opened."""
        return self._status.st_nlink

    @property
    def mode(self) -> int:
        """The permission bits, without setuid, setgid and sticky."""
        return self._status.st_mode & 0o777

    def check_unchanged(self) -> None:
        """Raise WheelError if the file was modified since it was opened."""
        try:
            now, then = os.fstat(self.descriptor), self._status
        except OSError as error:
            raise self.unreadable(error) from error
        if (now.st_size, now.st_mtime_ns) != (then.st_size, then.st_mtime_ns):
            raise WheelError(f"{str(self.path)!r} was changed by another process during the read")

    def close(self) -> None:
        """Close the file; closing it again has no effect."""
        if not self._closed:
            self._closed = True
            os.close(self.descriptor)
