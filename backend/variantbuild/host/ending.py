"""Ends on a signal without leaving files or processes behind.

SIGTERM and SIGHUP become an exception, so that staging and temporary directories are removed on the
way out. Processes that we started are found by a variable in their environment, which those that
left the process group (setsid) or lost their parent inherit as well.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from types import FrameType

from variantbuild.host.deathwatch import DeathWatch

#: Lists the runs that a process belongs to, one word each.
VARIABLE = "_VARIANTBUILD_RUN"
_PROC = Path("/proc")
#: How often processes are searched for: those that are killed may have started others meanwhile.
_ROUNDS = 20
#: One for each `clean_ending` that is active; the outermost covers the others.
_WATCHES: list[DeathWatch] = []


class EndedBySignalError(BaseException):
    """A signal that asks this process to end; no `except Exception` stops it."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by signal {number}")
        self.number = number


def mark_run(env: MutableMapping[str, str]) -> str:
    """Mark `env`, that of the processes to start, and return the mark."""
    mark = f"{os.getpid()}.{time.monotonic_ns()}"
    env[VARIABLE] = f"{env.get(VARIABLE, '')} {mark}".strip()
    return mark


def kill_marked(mark: str) -> None:
    """Kill every process of this user whose environment has `mark`, except this one.

    Only Linux shows the environment of a process; elsewhere this has no effect.
    """
    for _ in range(_ROUNDS):
        found = [pid for pid in _marked(mark) if pid != os.getpid()]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def _marked(mark: str) -> Iterator[int]:
    wanted = mark.encode()
    for path in _PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for line in (path / "environ").read_bytes().split(b"\0"):
                name, _, value = line.partition(b"=")
                if name == VARIABLE.encode() and wanted in value.split():
                    yield int(path.name)


def watch_processes() -> None:
    """From now on, kill what `clean_ending` would kill also if this process is killed itself.

    Called before the first program is started: a hook that starts none needs no watch.
    """
    if _WATCHES:
        _WATCHES[0].start()


@contextlib.contextmanager
def clean_ending(env: MutableMapping[str, str]) -> Iterator[None]:
    """Clean up on SIGTERM and SIGHUP, kill what was started with `env`, and then end by the signal.

    A signal that is ignored (nohup) or has a handler is left alone, and so are threads: only the
    main thread receives signals. On KeyboardInterrupt the processes are killed as well.
    """
    before = env.get(VARIABLE)
    mark = mark_run(env)
    handled = _install()
    _WATCHES.append(watch := DeathWatch(mark))
    try:
        yield
    except EndedBySignalError as ended:
        kill_marked(mark)
        signal.signal(ended.number, signal.SIG_DFL)
        os.kill(os.getpid(), ended.number)
        raise SystemExit(128 + ended.number) from None  # where the signal is blocked
    except KeyboardInterrupt:
        kill_marked(mark)
        raise
    finally:
        watch.end()
        _WATCHES.remove(watch)
        for number in handled:
            signal.signal(number, signal.SIG_DFL)
        if before is None:
            env.pop(VARIABLE, None)
        else:
            env[VARIABLE] = before


def _install() -> list[int]:
    handled: list[int] = []
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) is not signal.SIG_DFL:
            continue
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(number, _end)
            handled.append(number)
    return handled


def _end(number: int, _: FrameType | None) -> None:
    for name in ("SIGTERM", "SIGHUP"):  # a second one would interrupt the cleaning up
        if (each := getattr(signal, name, None)) is not None:
            signal.signal(each, signal.SIG_IGN)
    raise EndedBySignalError(number)
