"""Bytes from one file to another without passing through this process, where the system can."""

from __future__ import annotations

import errno
import os

from variantbuild.errors import WheelError

_SLICE = 1 << 26
_BUFFER = 1 << 20
#: ioctl of Linux that makes a file share another's blocks (btrfs, XFS, bcachefs): ioctl_ficlone(2).
_FICLONE = 0x40049409
#: What says "not on this system or between these files" rather than "the disk is full".
_UNSUPPORTED = {errno.ENOSYS, errno.EXDEV, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM, errno.EBADF}


def clone_file(source: int, target: int) -> bool:
    """Make the empty file `target` share all blocks of `source`; False where that cannot be."""
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except (ImportError, OSError):
        return False
    return True


def copy_range(source: int, target: int, offset: int, size: int) -> None:
    """Append `size` bytes at `offset` of `source` to `target` at its position.

    Raises OSError where writing fails, and WheelError where the source ends too early.
    """
    end = offset + size
    while offset < end and hasattr(os, "copy_file_range"):
        try:
            copied = os.copy_file_range(source, target, min(_SLICE, end - offset), offset)
        except OSError as error:
            if error.errno in _UNSUPPORTED:
                break
            raise
        if copied == 0:
            break
        offset += copied
    while offset < end:
        data = _read_at(source, offset, min(_BUFFER, end - offset))
        if not data:
            raise WheelError("the wheel became shorter while it was copied")
        offset += len(data)
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]


def _read_at(descriptor: int, offset: int, size: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, offset)
    os.lseek(descriptor, offset, os.SEEK_SET)  # Windows
    return os.read(descriptor, size)
