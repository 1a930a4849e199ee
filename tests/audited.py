"""Reports on files made by hand, for tests of judgements."""

from __future__ import annotations

from binaries.elves import command_lines, elf, isa_note
from variantbuild.audit import AuditReport, audit_members
from variantbuild.audit.report import Code, FileReport
from variantbuild.binary.devicecode import CudaImage, DeviceCode
from variantbuild.isa.accelerators import Architectures

#: The bits of the ISA note, by level.
NOTES = {"v1": 1, "v2": 2, "v3": 4, "v4": 8}

PLAN = Architectures(kind="cuda", real=("80", "90a"), ptx=("80",))
#: The images that PLAN has.
ALL = (CudaImage(80, "", "sass"), CudaImage(90, "a", "sass"), CudaImage(80, "", "ptx"))


def report(
    *lines: str,
    note: str | None = None,
    machine: int = 62,
    platforms: tuple[str, ...] = ("linux_x86_64",),
) -> AuditReport:
    """Audit a wheel with one module that records `lines` and has the ISA note `note`."""
    data = elf(
        machine=machine,
        sections=command_lines(*lines) if lines else None,
        note=b"" if note is None else isa_note(NOTES[note]),
    )
    members = [("m.so", data), ("m.py", b"pass\n")]
    return audit_members(members, name="m-1-py3-none-x.whl", platforms=platforms)


def device_report(*images: CudaImage, rocm: tuple[str, ...] = ()) -> AuditReport:
    """Report on a wheel with one module without device code and one with `images`."""
    plain = FileReport(path="plain.so", format="elf", machines=("x86_64",), kind="shared")
    device = DeviceCode(cuda=images, rocm=rocm)
    with_code = FileReport(
        path="k.so", format="elf", machines=("x86_64",), kind="shared", device=device or None
    )
    return AuditReport(name="x.whl", platforms=(), files=(plain, with_code))


def decoded(arch: str, level: str) -> AuditReport:
    """Report on a wheel with one module whose instructions need `level`."""
    code = Code(
        decoder="made up",
        size=1,
        level=level,
        dispatched=level,
        guard=None,
        counts=(),
        extensions=(),
        functions=(),
    )
    file = FileReport(path="m.so", format="elf", machines=(arch,), kind="shared", code=code)
    return AuditReport(name="m-1-py3-none-x.whl", platforms=(), files=(file,))
