"""What makes a written file durable: locks, syncing, and the sentence for a failed write."""

from __future__ import annotations

import os
from pathlib import Path

from variantbuild.errors import WheelError

#: Seconds after which a temporary file whose lock is free counts as left behind by a dead process.
STALE_AGE = 600.0


def write_error(path: Path, error: OSError) -> WheelError:
    """Return the sentence for a failed write of `path`."""
    hint = {
        "ENOSPC": "free some space, or choose another output folder",
        "EACCES": "choose a folder that you may write to",
        "EROFS": "choose a folder that you may write to",
        "EFBIG": "raise the limit on file sizes (ulimit -f)",
    }.get(_errno_name(error))
    reason = error.strerror or str(error)
    return WheelError(f"{str(path)!r} cannot be written: {reason}", hint=hint)


def _errno_name(error: OSError) -> str:
    import errno

    return errno.errorcode.get(error.errno or 0, "")


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to the disk, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lock(descriptor: int) -> bool:
    """Take the file's lock without waiting; return False where another process holds it."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: the file's age has to do.
        return True
    return True
