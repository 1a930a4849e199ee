"""Worker processes, forked from this one, for large inputs."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

#: Seconds between two looks at the parent.
_INTERVAL = 1.0


def can_fork() -> bool:
    """Return whether this process may fork workers.

    Forking a process with threads may deadlock, and warns since Python 3.12.
    """
    tasks = Path("/proc/self/task")
    return tasks.is_dir() and len(list(tasks.iterdir())) == 1


def forked_pool(jobs: int) -> ProcessPoolExecutor:
    """Return an executor with `jobs` workers that inherit the memory of this process."""
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    context = multiprocessing.get_context("fork")
    return ProcessPoolExecutor(jobs, context, _end_with, (os.getpid(),))


def _end_with(parent: int) -> None:
    """Let this worker end when `parent` does, even by SIGKILL: it would wait for work for ever."""

    def wait() -> None:
        while os.getppid() == parent:
            time.sleep(_INTERVAL)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
