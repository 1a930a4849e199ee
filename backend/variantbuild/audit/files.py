"""Produces reports from the bytes of files. Pure: the contents are passed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from variantbuild.audit.decode import Undecoded, decode
from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.binary.devicecode import read_device_code
from variantbuild.binary.elf import Data, Elf, ElfError, parse_elf
from variantbuild.binary.formats import HEAD_LIMIT, Format, recognize
from variantbuild.isa.recorded import parse_recorded_flags

_UNSEEN: Mapping[Format, str] = {
    "mach-o": "Mach-O files are not audited",
    "pe": "PE files are not audited",
    "ar": "static libraries are not audited",
    "unknown": "its format is unknown",
}


def audit_members(
    members: Iterable[tuple[str, Data]], *, name: str, platforms: tuple[str, ...] = ()
) -> AuditReport:
    """Report on every file with machine code among `members`, pairs of path and content.

    `name` and `platforms` (from the tags of the wheel) are copied to the report. Files that cannot
    be read are reported with their fault, not raised.
    """
    reports = [audit_file(path, data) for path, data in members]
    return AuditReport(
        name=name,
        platforms=platforms,
        files=tuple(each for each in reports if each is not None),
    )


def audit_file(path: str, data: Data, jobs: int = 1) -> FileReport | None:
    """Report on one file, in `jobs` processes; None if it has no machine code."""
    found = recognize(path, bytes(data[0:HEAD_LIMIT]))
    if found is None:
        return None
    report = FileReport(path=path, format=found.format, role=found.role, machines=found.machines)
    if found.format == "device":
        return replace(report, device=read_device_code(data, None))
    if found.format != "elf":
        return replace(report, unseen=_UNSEEN[found.format])
    try:
        elf = parse_elf(data)
    except ElfError as error:
        return replace(report, fault=error.message)
    return _with_elf(report, data, elf, jobs)


def _with_elf(report: FileReport, data: Data, elf: Elf, jobs: int) -> FileReport:
    decoded = decode(data, elf, jobs)
    lines = [parse_recorded_flags(line, report.machine) for line in elf.command_lines]
    return replace(
        report,
        kind=elf.kind,
        isa_note=elf.isa_needed,
        recorded=tuple(dict.fromkeys(line for line in lines if line is not None)),
        needed=elf.needed,
        glibc_floor=elf.glibc_floor,
        code=None if isinstance(decoded, Undecoded) else decoded,
        device=read_device_code(data, elf) or None,
        unseen=decoded.reason if isinstance(decoded, Undecoded) else None,
    )
