"""Runs functions in processes forked from this one, a few at a time.

Each has the state of this process, and whatever it changes in it is lost with it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from variantbuild.errors import VariantBuildError
from variantbuild.host.ending import deferred_signals
from variantbuild.values import dataclass

_INTERVAL = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A function to run in a process of its own, called `name` in messages: `the build for v3`.

    What it and its programs write to standard output and error goes to the file `log`, if there is
    one; it flushes what it wrote itself. `report` is a file for the error that it raises.
    """

    name: str
    run: Callable[[], None]
    report: Path
    log: Path | None = None


def run_tasks(tasks: Sequence[Task], at_once: int, ended: Callable[[Task], None]) -> None:
    """Run `tasks` in order, at most `at_once` at a time; `ended` is called as each ends.

    Raises the VariantBuildError of the first task that fails, or one that names it. The others, and
    the programs that they started, are then killed.
    """
    waiting = list(tasks)
    running: dict[int, Task] = {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                task = waiting.pop(0)
                _fork(task, running)
            pid, status = _wait(running)
            task = running.pop(pid)
            ended(task)
            if status:
                raise _error(task, os.waitstatus_to_exitcode(status))
    finally:
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def _fork(task: Task, running: dict[int, Task]) -> None:
    """Run `task` in a new process, which is added to `running` before a signal can end this one."""
    with deferred_signals():
        pid = os.fork()
        if pid:
            running[pid] = task
    if pid == 0:
        _work(task)
    with contextlib.suppress(OSError):  # the child may have been faster, or have ended
        os.setpgid(pid, pid)


def _work(task: Task) -> NoReturn:
    """Run `task` and end this process; nothing that its parent is to clean up runs here."""
    status = 1
    try:
        os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        if task.log is not None:
            log = os.open(task.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(log, 1)
            os.dup2(log, 2)
        task.run()
        status = 0
    except VariantBuildError as error:
        task.report.write_bytes(pickle.dumps(error))
    except SystemExit as stop:
        if isinstance(stop.code, str):
            os.write(2, f"{stop.code}\n".encode(errors="replace"))
        status = 1 if stop.code else 0
    except BaseException:  # noqa: BLE001 - reported here, as nothing is above this in the process
        import traceback

        os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        os._exit(status)


def _wait(running: dict[int, Task]) -> tuple[int, int]:
    """Wait for one of the processes; other children of this process are not ours to wait for."""
    while True:
        for pid in running:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return found, status
        time.sleep(_INTERVAL)


def _error(task: Task, code: int) -> VariantBuildError:
    with contextlib.suppress(FileNotFoundError):
        error = pickle.loads(task.report.read_bytes())
        assert isinstance(error, VariantBuildError)
        return error
    if code < 0:
        return VariantBuildError(f"{task.name} was killed by signal {-code}")
    return VariantBuildError(f"{task.name} failed", hint="see its output above")
