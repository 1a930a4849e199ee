"""Reads the files with machine code in a wheel, in several processes if that is faster.

Each process has one member in memory at a time; nothing is unpacked to disk. A member that makes up
most of a wheel is read on its own, and its parts are decoded by several processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from variantbuild.audit.files import audit_file
from variantbuild.audit.report import FileReport
from variantbuild.host.pool import can_fork, forked_pool
from variantbuild.wheel import Member, Wheel, open_wheel
from variantbuild.wheel.machinecode import find_machine_code, read_machine_code

Progress = Callable[[int, int, str], None]
"""Called with the bytes done, the total bytes, and the member just finished."""

_WORTH_A_PROCESS = 8 << 20  # total bytes of machine code


def read_reports(wheel: Wheel, *, jobs: int, progress: Progress | None) -> tuple[FileReport, ...]:
    """Report on each file with machine code in `wheel`, in the archive's order.

    If there are several processes, each opens the wheel by its path. Raises UnsoundWheelError if a
    member is damaged.
    """
    members = [member for member, _ in find_machine_code(wheel)]
    total = sum(member.size for member in members)
    if jobs > 1 and total > _WORTH_A_PROCESS and can_fork():
        dominant = [each for each in members if each.size * jobs > total]
        others = [each for each in members if each not in dominant]
        found = chain(
            ((each, _report(wheel, each, jobs)) for each in dominant),
            _in_processes(wheel.path, others, jobs),
        )
    else:
        found = chain((member, _report(wheel, member)) for member in members)
    reports: dict[str, FileReport] = {}
    done = 0
    for member, report in found:
        done += member.size
        if progress is not None:
            progress(done, total, member.name)
        if report is not None:
            reports[member.name] = report
    return tuple(reports[member.name] for member in members if member.name in reports)


def _report(wheel: Wheel, member: Member, jobs: int = 1) -> FileReport | None:
    return audit_file(member.name, read_machine_code(wheel, member), jobs)


def _report_apart(path: Path, name: str) -> FileReport | None:
    with open_wheel(path) as wheel:
        return _report(wheel, wheel.member(name))


def _in_processes(
    path: Path, members: list[Member], jobs: int
) -> Iterator[tuple[Member, FileReport | None]]:
    from concurrent.futures import as_completed

    if not members:
        return
    largest_first = sorted(members, key=lambda member: -member.size)
    with forked_pool(jobs) as pool:
        running = {
            pool.submit(_report_apart, path, member.name): member for member in largest_first
        }
        for each in as_completed(running):
            yield running[each], each.result()
