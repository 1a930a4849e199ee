"""Worker processes, forked from this one, for large inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor


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

    return ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"))
