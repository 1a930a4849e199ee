"""From the bytes of files to reports on them. Pure: what to read is handed in."""

from __future__ import annotations

from collections.abc import Iterable

from variantbuild.audit.decode import decode
from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.binary.devicecode import is_device_file, read_device_code
from variantbuild.binary.elf import Data, Elf, ElfError, parse_elf
from variantbuild.binary.formats import Format, foreign_machine, recognize
from variantbuild.isa.recorded import parse_switch_line


def audit_members(
    members: Iterable[tuple[str, Data]], *, name: str, platforms: tuple[str, ...] = ()
) -> AuditReport:
    """Report on every file with machine code among `members`, pairs of path and content.

    `name` and `platforms` (the tags the wheel carries) are passed through to the report. Files
    that cannot be read are reported with their fault, not raised.
    """
    reports = [audit_file(path, data) for path, data in members]
    return AuditReport(
        name=name,
        platforms=platforms,
        files=tuple(each for each in reports if each is not None),
    )


def audit_file(path: str, data: Data, jobs: int = 1) -> FileReport | None:
    """Report on one file, in `jobs` processes; None where it holds no machine code."""
    form = recognize(data)
    if form is None:
        return _device_file(path, data) if is_device_file(data) else None
    if form != "elf":
        return _foreign(path, data, form)
    try:
        elf = parse_elf(data)
    except ElfError as error:
        return FileReport(path=path, format="elf", machine="", kind="", fault=error.message)
    return _elf_report(path, data, elf, jobs)


def family(elf: Elf) -> str:
    """Return archspec's family name for the machine of an ELF file."""
    if elf.machine == "ppc64" and elf.little_endian:
        return "ppc64le"
    return "riscv64" if elf.machine == "riscv" and elf.bits == 64 else elf.machine


def _elf_report(path: str, data: Data, elf: Elf, jobs: int) -> FileReport:
    machine = family(elf)
    code, unseen = decode(data, elf, jobs)
    lines = [parse_switch_line(line, machine) for line in elf.switches]
    return FileReport(
        path=path,
        format="elf",
        machine=machine,
        kind=elf.kind,
        isa_note=elf.isa_needed,
        switches=tuple(dict.fromkeys(line for line in lines if line is not None)),
        needed=elf.needed,
        glibc_floor=elf.glibc_floor,
        code=code,
        device=read_device_code(data, elf) or None,
        unseen=unseen,
    )


def _device_file(path: str, data: Data) -> FileReport:
    device = read_device_code(data, None)
    machine = "cuda" if device.cuda else "amdgpu"
    return FileReport(path=path, format="device", machine=machine, kind="", device=device)


def _foreign(path: str, data: Data, form: Format) -> FileReport:
    words = {"mach-o": "Mach-O files", "pe": "PE files", "ar": "static libraries"}
    return FileReport(
        path=path,
        format=form,
        machine=foreign_machine(data, form),
        kind="",
        unseen=f"{words[form]} are not audited",
    )
