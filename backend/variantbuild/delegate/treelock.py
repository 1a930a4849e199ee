"""One build at a time in a source tree: delegates write into it and expect to be alone there.

Two builds that share `build` or `*.egg-info` fail at times (seen with setuptools 84: one removes a
file of the other), as when two machines install from one checkout in a shared home directory.

Whoever can read the tree can lock it, so builds only wait for those who could build in it: its
owner, root and this user. The wait has a limit.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import NamedTuple

from variantbuild.errors import DelegateError
from variantbuild.host.durable import lock
from variantbuild.messages import Reporter
from variantbuild.values import dataclass

#: The trees locked by this build and by the builds that started it, which it must not wait for.
_HOLDS = "_VARIANTBUILD_TREES"
_INTERVAL = 0.2
_LOCKS = Path("/proc/locks")


class Patience(NamedTuple):
    """How long to wait for another build, in seconds.

    For one whose process is not visible, which may be that of another user in a container, only
    `unknown`. `locks` lists the processes that hold locks.
    """

    limit: float = 3600.0
    unknown: float = 60.0
    locks: Path = _LOCKS


PATIENCE = Patience()


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """A process that holds the lock of a tree, and the user whose process it is."""

    pid: int
    uid: int

    def __str__(self) -> str:
        from variantbuild.host.ownership import user_name

        try:
            words = Path(f"/proc/{self.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            words = []
        command = " ".join(ascii(word.decode("utf-8", "replace"))[1:-1] for word in words if word)
        shown = f", {command[:80]}" if command else ""
        return f"process {self.pid} of {user_name(self.uid)}{shown}"


@contextlib.contextmanager
def take_turn(
    tree: Path,
    env: MutableMapping[str, str],
    reporter: Reporter,
    patience: Patience = PATIENCE,
) -> Iterator[None]:
    """Wait until no other build runs in the directory `tree`, and make others wait.

    The lock is recorded in `env`, so that a build started by this one does not wait for it. It is
    an advisory lock on the directory itself, which leaves nothing behind; where the file system or
    the operating system has none for directories (NFS, Windows), nothing waits. Raises
    DelegateError if another build does not end.
    """
    try:
        descriptor = os.open(tree, os.O_RDONLY)
    except OSError:  # Windows cannot open directories
        yield
        return
    try:
        status = os.fstat(descriptor)
        name = f"{status.st_dev}:{status.st_ino}"
        before = env.get(_HOLDS)
        held = (before or "").split()
        if name not in held:
            _wait(descriptor, tree, reporter, patience)
        env[_HOLDS] = " ".join((*held, name))
        try:
            yield
        finally:
            if before is None:
                env.pop(_HOLDS, None)
            else:
                env[_HOLDS] = before
    finally:
        os.close(descriptor)


def _wait(descriptor: int, tree: Path, reporter: Reporter, patience: Patience) -> None:
    started = time.monotonic()
    told = False
    while not lock(descriptor):
        status = os.fstat(descriptor)
        holders = find_holders(status.st_ino, patience.locks)
        trusted = [each for each in holders if each.uid in (os.geteuid(), status.st_uid, 0)]
        if holders and not trusted:
            reporter.warning(
                f"{tree} is locked by {holders[0]}, who does not own it: the lock is ignored"
            )
            return
        holder = trusted[0] if trusted else None
        by = "a process that is not visible from here" if holder is None else str(holder)
        limit = patience.unknown if holder is None else patience.limit
        if time.monotonic() - started >= limit:
            raise DelegateError(
                f"{tree} has been locked by another build for {limit / 60:g} min: {by}",
                hint="end that build, or build in a copy of the tree",
            )
        if not told:
            reporter.note(f"another build is running in {tree} ({by}); waiting for it to finish")
            told = True
        time.sleep(_INTERVAL)


def find_holders(inode: int, locks: Path = _LOCKS) -> tuple[Holder, ...]:
    """Return the processes that hold a flock of `inode` by the list `locks`, if they are visible.

    Source: proc_locks(5). The device is not compared: that of a subvolume or an overlay differs
    from the one that stat gives.
    """
    try:
        lines = locks.read_text("ascii").splitlines()
    except OSError:
        return ()
    found: list[Holder] = []
    for line in lines:
        _, kind, *rest = [*line.split(), *[""] * 6]
        if kind != "FLOCK" or rest[3].rpartition(":")[2] != str(inode):
            continue
        with contextlib.suppress(OSError, ValueError):
            pid = int(rest[2])
            found.append(Holder(pid=pid, uid=Path(f"/proc/{pid}").stat().st_uid))
    return tuple(found)
