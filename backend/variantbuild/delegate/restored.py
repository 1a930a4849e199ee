"""Puts back what a backend changes in this process: its hooks run in the process of ours."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Mapping, MutableMapping


@contextlib.contextmanager
def restored_process(
    env: MutableMapping[str, str], changes: Mapping[str, str], umask: int
) -> Iterator[None]:
    """Set the variables of `changes` in `env`, and the umask; afterwards restore the process.

    Restored are the environment, the current directory, the umask, `sys.argv`, `sys.path`, the
    standard streams, the filters of warnings, and the signal handlers.
    """
    before = dict(env)
    directory = os.getcwd()  # noqa: PTH109 - for chdir, which takes it as it is
    argv, arguments = sys.argv, list(sys.argv)
    path, entries = sys.path, list(sys.path)
    streams = {name: getattr(sys, name) for name in ("stdin", "stdout", "stderr")}
    handlers = _handlers()
    env.update(changes)
    mask = os.umask(umask)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        os.umask(mask)
        _restore_environment(env, before)
        with contextlib.suppress(OSError):  # the directory was removed
            os.chdir(directory)
        sys.argv, sys.argv[:] = argv, arguments
        sys.path, sys.path[:] = path, entries
        vars(sys).update(streams)
        _restore_handlers(handlers)


def _restore_environment(env: MutableMapping[str, str], before: Mapping[str, str]) -> None:
    for name in [name for name in env if name not in before]:
        del env[name]
    env.update({name: value for name, value in before.items() if env.get(name) != value})


def _handlers() -> dict[int, object]:
    """Return the handler of each signal that has one which Python knows."""
    found: dict[int, object] = {}
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if handler is not None:  # None: installed by C code
            found[int(number)] = handler
    return found


def _restore_handlers(handlers: Mapping[int, object]) -> None:
    for number, handler in handlers.items():
        if signal.getsignal(number) is not handler and (
            callable(handler) or isinstance(handler, int)
        ):
            # Only the main thread may, and not for SIGKILL and SIGSTOP.
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, handler)
