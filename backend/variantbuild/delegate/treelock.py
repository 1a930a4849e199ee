"""One build at a time in a source tree: delegates write into it and expect to be alone there.

Two builds that share `build` or `*.egg-info` fail at times (seen with setuptools 84: one removes a
file of the other), as when two machines install from one checkout in a shared home directory.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from variantbuild.messages import Reporter

#: The trees locked by this build and by the builds that started it, which it must not wait for.
_HOLDS = "_VARIANTBUILD_TREES"


@contextlib.contextmanager
def take_turn(tree: Path, env: MutableMapping[str, str], reporter: Reporter) -> Iterator[None]:
    """Wait until no other build runs in the directory `tree`, and make others wait.

    The lock is recorded in `env`, so that a build started by this one does not wait for it. It is
    an advisory lock on the directory itself, which leaves nothing behind; where the file system or
    the operating system has none for directories (NFS, Windows), nothing waits.
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
            _wait(descriptor, tree, reporter)
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


def _wait(descriptor: int, tree: Path, reporter: Reporter) -> None:
    try:
        import fcntl
    except ImportError:
        return
    with contextlib.suppress(OSError):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reporter.note(f"another build is running in {tree}; waiting for it to finish")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
