"""Read the files with machine code out of a wheel, on two processors where that pays.

One member is in memory at a time in each process; nothing is unpacked to disk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from variantbuild.audit.formats import recognize
from variantbuild.audit.gpu import is_device_file
from variantbuild.audit.members import audit_file
from variantbuild.audit.report import FileReport
from variantbuild.wheel import Member, Wheel, open_wheel

Progress = Callable[[int, int, str], None]
"""Called with the bytes done, the bytes in all, and the member just finished."""

_LARGEST = 4 << 30  # bytes of one member
_WORTH_A_PROCESS = 8 << 20  # bytes of machine code in all


def read_reports(path: Path, *, jobs: int, progress: Progress | None) -> tuple[FileReport, ...]:
    """Report on each file with machine code in the wheel at `path`, in the archive's order.

    Raises UnsoundWheelError where the archive is malformed.
    """
    with open_wheel(path) as wheel:
        members = list(_candidates(wheel))
        total = sum(member.size for member in members)
        if jobs > 1 and len(members) > 1 and total > _WORTH_A_PROCESS and _can_fork():
            found = _in_processes(path, members, jobs)
        else:
            found = ((member, _report(wheel, member)) for member in members)
        reports: dict[str, FileReport] = {}
        done = 0
        for member, report in found:
            done += member.size
            if progress is not None:
                progress(done, total, member.name)
            if report is not None:
                reports[member.name] = report
    return tuple(reports[member.name] for member in members if member.name in reports)


def _candidates(wheel: Wheel) -> Iterator[Member]:
    for member in wheel.members:
        if member.size and not member.name.endswith((".py", ".pyi", "/")):
            head = wheel.head(member, 4096)
            if recognize(head) is not None or is_device_file(head):
                yield member


def _report(wheel: Wheel, member: Member) -> FileReport | None:
    return audit_file(member.name, wheel.read(member, limit=_LARGEST))


def _report_apart(path: Path, name: str) -> FileReport | None:
    with open_wheel(path) as wheel:
        return _report(wheel, wheel.member(name))


def _in_processes(
    path: Path, members: list[Member], jobs: int
) -> Iterator[tuple[Member, FileReport | None]]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    largest_first = sorted(members, key=lambda member: -member.size)
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("fork")) as pool:
        running = {
            pool.submit(_report_apart, path, member.name): member for member in largest_first
        }
        for each in as_completed(running):
            yield running[each], each.result()


def _can_fork() -> bool:
    # Forking a process with threads may deadlock, and warns since Python 3.12.
    tasks = Path("/proc/self/task")
    return tasks.is_dir() and len(list(tasks.iterdir())) == 1
