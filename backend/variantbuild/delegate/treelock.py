"""One build at a time in a source tree: delegates write into it, and most were made to be alone.

Two that share `build` or `*.egg-info` fail now and then (seen with setuptools 84: a file of the
one removed by the other), as when two machines install from one checkout in a shared home.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from variantbuild.messages import Reporter

#: The trees that this build and those which started it hold: they must not wait for themselves.
_HOLDS = "_VARIANTBUILD_TREES"


@contextlib.contextmanager
def take_turn(tree: Path, env: MutableMapping[str, str], reporter: Reporter) -> Iterator[None]:
    """Wait until no other build is at work in the folder `tree`, and keep others waiting.

    What this build starts in the same tree learns from `env` that it need not wait.

    The lock is the folder's own, so that nothing is left behind. It is advice: where the file
    system or the system knows none for folders (NFS, Windows), nobody waits.
    """
    try:
        descriptor = os.open(tree, os.O_RDONLY)
    except OSError:  # Windows opens no folders
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
