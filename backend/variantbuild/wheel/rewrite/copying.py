"""Append bytes to a new file, from memory and from another file, as cheaply as possible.

Small and unusual targets are written through the page cache, long ranges by the kernel
(copy_file_range). Large files bypass the page cache (O_DIRECT): they must reach the disk before
they get their name in any case, so the cache would cost a copy of every byte, and evict other
programs' files.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, NamedTuple, Protocol

from variantbuild.errors import WheelError
from variantbuild.wheel.archive.source import Source
from variantbuild.wheel.rewrite.target import Target

if TYPE_CHECKING:
    import mmap

#: Ranges shorter than this are read and written with their neighbours, to save system calls.
_SHORT_RANGE = 1 << 16
#: Size of the buffer, in bytes.
_GATHERED = 1 << 20
_SLICE = 1 << 26
#: ioctl of Linux that makes a file share another's blocks (btrfs, XFS, bcachefs): ioctl_ficlone(2).
_FICLONE = 0x40049409
#: Errors that mean "not supported here" rather than "the disk is full".
_UNSUPPORTED = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}


class DirectWriting(NamedTuple):
    """When files bypass the page cache, if possible.

    `floor` is the size of the smallest, in bytes; `buffer` is how many are written at a time: a
    multiple of any disk's block size, and by default one huge page, which the kernel writes in half
    the time of as many small pages.
    """

    floor: int = 128 << 20
    buffer: int = 2 << 20


DIRECT_WRITING = DirectWriting()


class Appender(Protocol):
    """Appends to a file at its position; the bytes may be buffered until `finish`.

    All methods raise OSError if writing fails, `add_range` WheelError if reading fails.
    """

    def add(self, data: bytes | bytearray) -> None:
        """Append `data`."""

    def add_range(self, offset: int, size: int) -> None:
        """Append `size` bytes at `offset` of the source."""

    def finish(self) -> None:
        """Write what is left in the buffer."""


def clone_file(source: int, target: int) -> bool:
    """Make the empty file `target` share all blocks of `source`; return False if impossible."""
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


def open_appender(source: Source, target: Target, size: int, direct: DirectWriting) -> Appender:
    """Return an appender for about `size` bytes to the empty file `target`, some from `source`."""
    if size >= direct.floor and _bypass_cache(target.descriptor):
        return _DirectAppender(source, target.descriptor, direct.buffer)
    return _CachedAppender(source, target)


def _bypass_cache(target: int) -> bool:
    """Set O_DIRECT on `target` and return True, if the system and the file system support it.

    File systems without a block device (major number 0: NFS, btrfs, overlayfs, tmpfs) are left to
    copy_file_range: a file server copies without network traffic, and blocks may be shared.
    """
    if not hasattr(os, "O_DIRECT") or not os.major(os.fstat(target).st_dev):
        return False
    import fcntl

    try:
        fcntl.fcntl(target, fcntl.F_SETFL, fcntl.fcntl(target, fcntl.F_GETFL) | os.O_DIRECT)
    except OSError:
        return False
    return True


class _CachedAppender:
    """Buffers short ranges, and lets the kernel copy long ones."""

    def __init__(self, source: Source, target: Target) -> None:
        self._source, self._target = source, target
        self._gathered = bytearray()

    def add(self, data: bytes | bytearray) -> None:
        self._gathered += data
        if len(self._gathered) >= _GATHERED:
            self.finish()

    def add_range(self, offset: int, size: int) -> None:
        end = offset + size
        if size >= _SHORT_RANGE:
            self.finish()
            offset = self._copy(offset, end)
        while offset < end:
            data = self._source.read(offset, min(_GATHERED, end - offset))
            _check_read(len(data))
            offset += len(data)
            self.add(data)

    def _copy(self, offset: int, end: int) -> int:
        """Let the kernel append the range; return how many bytes it copied."""
        while offset < end and hasattr(os, "copy_file_range"):
            size = min(_SLICE, end - offset)
            try:
                copied = os.copy_file_range(
                    self._source.descriptor, self._target.descriptor, size, offset
                )
            except OSError as error:
                if error.errno in _UNSUPPORTED:
                    break
                raise
            if copied == 0:
                break
            offset += copied
        return offset

    def finish(self) -> None:
        self._target.write(self._gathered)
        self._gathered.clear()


class _DirectAppender:
    """Writes complete buffers with direct I/O: the kernel reads them from user memory.

    Both the memory and the file offset must be block-aligned: the buffer is an anonymous mapping,
    and only the last buffer, which is written through the cache, may be incomplete.
    """

    def __init__(self, source: Source, target: int, size: int) -> None:
        self._source, self._target = source, target
        self._buffer = memoryview(_huge_page(size))
        self._filled = 0

    def add(self, data: bytes | bytearray) -> None:
        rest = memoryview(data)
        while rest:
            room = self._buffer[self._filled : self._filled + len(rest)]
            room[:] = rest[: len(room)]
            rest = rest[len(room) :]
            self._advance(len(room))

    def add_range(self, offset: int, size: int) -> None:
        end = offset + size
        while offset < end:
            room = self._buffer[self._filled : self._filled + end - offset]
            try:
                count = os.preadv(self._source.descriptor, [room], offset)
            except OSError as error:
                raise self._source.unreadable(error) from error
            _check_read(count)
            offset += count
            self._advance(count)

    def _advance(self, count: int) -> None:
        self._filled += count
        if self._filled == len(self._buffer):
            self._write()

    def _write(self) -> None:
        view = self._buffer[: self._filled]
        while view:
            try:
                view = view[os.write(self._target, view) :]
            except OSError as error:
                # A file system that reports only now that it does not support this, or a partial
                # write.
                if error.errno != errno.EINVAL or not self._leave_direct():
                    raise
        self._filled = 0

    def _leave_direct(self) -> bool:
        """Write through the page cache from now on; return False if that was the case already."""
        import fcntl

        flags = fcntl.fcntl(self._target, fcntl.F_GETFL)
        fcntl.fcntl(self._target, fcntl.F_SETFL, flags & ~os.O_DIRECT)
        return bool(flags & os.O_DIRECT)

    def finish(self) -> None:
        self._leave_direct()
        self._write()


def _huge_page(size: int) -> mmap.mmap:
    """Return page-aligned memory, in a huge page if the system supports them."""
    import mmap

    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with contextlib.suppress(OSError, AttributeError):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _check_read(count: int) -> None:
    if not count:
        raise WheelError("the wheel was truncated while it was being copied")
