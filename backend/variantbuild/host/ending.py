"""Ends on a signal without leaving files or processes behind.

SIGTERM and SIGHUP become an exception, so that staging and temporary directories are removed on the
way out. Processes that we started are found by a variable in their environment, which those that
left the process group (setsid) or lost their parent inherit as well.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from types import FrameType

from variantbuild.host.deathwatch import DeathWatch

#: Lists the runs that a process belongs to, one word each.
VARIABLE = "_VARIANTBUILD_RUN"
_PROC = Path("/proc")
#: How often processes are searched for: those that are killed may have started others meanwhile.
_ROUNDS = 20
#: Seconds that they have to end by themselves.
_GRACE = 0.5
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

    They are asked first, for a short time: compilers remove their temporary files then. Only Linux
    shows the environment of a process; elsewhere this has no effect.
    """
    deadline = time.monotonic() + _GRACE
    asked: set[int] = set()
    while (found := _others(mark)) and time.monotonic() < deadline:
        _signal(found - asked, signal.SIGTERM)
        asked |= found
        time.sleep(0.02)
    for _ in range(_ROUNDS):
        if not (found := _others(mark)):
            return
        _signal(found, signal.SIGKILL)
        time.sleep(0.01)


def _others(mark: str) -> set[int]:
    """Return the marked processes; look again if there are none.

    Between fork and the end of exec a process does not show its environment yet.
    """
    for pause in (0, 0.02):
        time.sleep(pause)
        if found := {pid for pid in _marked(mark) if pid != os.getpid()}:
            return found
    return set()


def _signal(processes: set[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


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
    main thread receives signals. SIGINT stays a KeyboardInterrupt, but the processes are killed.
    """
    before = env.get(VARIABLE)
    mark = mark_run(env)
    received: list[int] = []
    handled = _install(received)
    _WATCHES.append(watch := DeathWatch(mark))
    try:
        yield
    finally:
        # Whatever the backend made of the exception: distutils exits with 1, others go on.
        if received:
            kill_marked(mark)
        watch.end()
        _WATCHES.remove(watch)
        for number, handler in handled.items():
            signal.signal(number, handler)
        if before is None:
            env.pop(VARIABLE, None)
        else:
            env[VARIABLE] = before
        if received and received[0] != signal.SIGINT:
            os.kill(os.getpid(), received[0])
            raise SystemExit(128 + received[0])  # where the signal is blocked


@contextlib.contextmanager
def deferred_signals() -> Iterator[None]:
    """Hold back the handlers of SIGINT, SIGTERM and SIGHUP, and call them at the end.

    For the start of a process: an exception in the middle of it would leave a process that nobody
    knows. Handlers, not a mask, which the new process would inherit. What is forked in between
    calls none: the signal was for its parent.
    """
    owner = os.getpid()
    held: list[tuple[int, FrameType | None]] = []
    before: dict[int, Callable[[int, FrameType | None], object]] = {}
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            handler = None if number is None else signal.getsignal(number)
            if number is not None and callable(handler):
                before[number] = handler
                signal.signal(number, lambda *received: held.append(received))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if held and os.getpid() == owner:
        number, frame = held[0]
        before[number](number, frame)


def _install(received: list[int]) -> dict[int, Callable[[int, FrameType | None], object] | int]:
    """Handle the signals that nobody else handles, and return what to restore afterwards."""

    def end(number: int, _: FrameType | None) -> None:
        received.append(number)
        for each in handled:  # a second one would interrupt the cleaning up
            signal.signal(each, signal.SIG_IGN)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise EndedBySignalError(number)

    handled: dict[int, Callable[[int, FrameType | None], object] | int] = {}
    for name, usual in (
        ("SIGINT", signal.default_int_handler),
        ("SIGTERM", signal.SIG_DFL),
        ("SIGHUP", signal.SIG_DFL),
    ):
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) is not usual:
            continue
        with contextlib.suppress(ValueError):  # not the main thread
            signal.signal(number, end)
            handled[number] = usual
    return handled
