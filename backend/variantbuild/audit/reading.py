"""Read the files with machine code out of a wheel, on two processors where that pays.

One member is in memory at a time in each process, once; nothing is unpacked to disk. A member that
is the greater part of a wheel is read by itself, and its parts are decoded by several processes.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from variantbuild.audit.files import audit_file
from variantbuild.audit.report import FileReport
from variantbuild.binary.devicecode import is_device_file
from variantbuild.binary.formats import recognize
from variantbuild.host.pool import can_fork, forked_pool
from variantbuild.wheel import Member, Wheel, open_wheel
from variantbuild.wheel.unsound import UnsoundWheelError

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
        if jobs > 1 and total > _WORTH_A_PROCESS and can_fork():
            dominant = [each for each in members if each.size * jobs > total]
            others = [each for each in members if each not in dominant]
            found = chain(
                ((each, _report(wheel, each, jobs)) for each in dominant),
                _in_processes(path, others, jobs),
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


def _candidates(wheel: Wheel) -> Iterator[Member]:
    for member in wheel.members:
        if member.size and not member.name.endswith((".py", ".pyi", "/")):
            head = wheel.head(member, 4096)
            if recognize(head) is not None or is_device_file(head):
                yield member


def _report(wheel: Wheel, member: Member, jobs: int = 1) -> FileReport | None:
    return audit_file(member.name, _contents(wheel, member), jobs)


def _contents(wheel: Wheel, member: Member) -> memoryview:
    """Return the contents of a member, crc checked, without ever holding them twice."""
    if member.size > _LARGEST:
        raise UnsoundWheelError(
            f"it has {member.size} bytes, over the limit of {_LARGEST}", member=member.name
        )
    data = bytearray(member.size)
    at = crc = 0
    for portion in wheel.stream(member):
        data[at : at + len(portion)] = portion
        at += len(portion)
        crc = zlib.crc32(portion, crc)
    if crc != member.crc:
        raise UnsoundWheelError("its contents do not have its crc", member=member.name)
    return memoryview(data).toreadonly()


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
