"""Who can change a file: settings and caches of other users are not used.

Whoever can write a settings file chooses the compiler's flags, and so what runs as the user that
builds. `sudo` without -H, `su` and containers often have another user's home.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path


def distrust(path: Path) -> str | None:
    """Return why the file or directory `path` may have been changed by another user; None if not.

    It and every directory above it must belong to this user or to root, and no other user may have
    write permission. Directories with the sticky bit (/tmp) are safe, and so is a group that has
    the name of its only user. Raises OSError if `path` does not exist or cannot be looked at.
    """
    if not hasattr(os, "geteuid"):
        return None
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - without following links
    real = path.resolve(strict=True)
    for each in dict.fromkeys((absolute, real, *absolute.parents, *real.parents)):
        status = each.lstat()
        if status.st_uid not in (os.geteuid(), 0):
            if each not in (absolute, real) and _is_unmapped(status.st_uid):
                continue
            return f"{each} belongs to {user_name(status.st_uid)}"
        if stat.S_ISLNK(status.st_mode) or _is_private(status):
            continue
        if not (stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX):
            return f"other users can write to {each}"
    return None


def distrust_new(path: Path) -> str | None:
    """Return why nothing may be created at `path`, which may be missing; None if it may.

    The first directory above it that exists must belong to this user or to root: what root creates
    in the home of another user that user can neither change nor remove.
    """
    if not hasattr(os, "geteuid"):
        return None
    for each in (path, *path.parents):
        try:
            owner = each.stat().st_uid
        except (FileNotFoundError, NotADirectoryError):
            continue
        if owner not in (os.geteuid(), 0):
            return f"{each} belongs to {user_name(owner)}"
        return None
    return None


def make_private(directory: Path) -> None:
    """Create `directory` and those above it that are missing, for this user only.

    Raises OSError.
    """
    missing = [each for each in (directory, *directory.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def user_name(uid: int) -> str:
    """Return the name of a user for messages, `user 1000` if it has none."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return f"user {uid}"


def _is_private(status: os.stat_result) -> bool:
    """Return whether only the owner can write to a file."""
    if status.st_mode & stat.S_IWOTH:
        return False
    return not status.st_mode & stat.S_IWGRP or _is_private_group(status)


def _is_private_group(status: os.stat_result) -> bool:
    """Return whether the group of a file is its owner's own (umask 002 on Debian and Fedora)."""
    try:
        import grp
        import pwd

        owner, group = pwd.getpwuid(status.st_uid), grp.getgrgid(status.st_gid)
    except (ImportError, KeyError):
        return False
    return group.gr_name == owner.pw_name and set(group.gr_mem) <= {owner.pw_name}


def _is_unmapped(uid: int) -> bool:
    """Return whether `uid` stands for users outside of this user namespace: the host's root.

    Source: user_namespaces(7).
    """
    try:
        overflow = Path("/proc/sys/kernel/overflowuid").read_text("ascii")
        mapped = Path("/proc/self/uid_map").read_text("ascii").split()
    except OSError:
        return False
    return uid == int(overflow) and mapped != ["0", "0", "4294967295"]
