"""Reports on files made by hand, for tests of judgements."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from binaries.elves import command_lines, elf, isa_note
from variantbuild.audit import AuditReport, audit_members
from variantbuild.audit.report import Code, Demand, FileReport, Path
from variantbuild.binary.devicecode import CudaImage, DeviceCode
from variantbuild.isa.accelerators import Architectures
from variantbuild.isa.architecture import architecture
from variantbuild.isa.processor import resolve_processor

HAS_DECODER = find_spec("iced_x86") is not None
#: For tests of verdicts that need instructions; without a decoder the verdict is open.
needs_decoder = pytest.mark.skipif(not HAS_DECODER, reason="the extra audit is not installed")

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


def demand(
    feature: str, level: str | None, *, certain: bool | None, given: frozenset[str] = frozenset()
) -> Demand:
    """Return a demand with a path that is certain or not; None is a use behind a dispatch check."""
    path = Path(
        feature=feature,
        root="PyInit_m",
        functions=("PyInit_m", "work"),
        at=0x1000,
        instruction="made up",
        given=given,
        certain=certain is True,
    )
    paths = () if certain is None else (path,)
    return Demand(feature=feature, level=level, count=1, paths=paths)


def code(*demands: Demand, guard: str | None = None, obscure: tuple[str, ...] = ()) -> Code:
    """Return the result of decoding a file with `demands`."""
    return Code(decoder="made up", size=1, guard=guard, demands=demands, obscure=obscure)


def decoded(arch: str, level: str) -> AuditReport:
    """Report on a wheel with one module whose instructions need `level`."""
    needed = level_features(arch, level)
    demands = [demand(feature, level, certain=True) for feature in sorted(needed)]
    file = FileReport(
        path="m.so", format="elf", machines=(arch,), kind="shared", code=code(*demands)
    )
    return AuditReport(name="m-1-py3-none-x.whl", platforms=(), files=(file,))


def level_features(arch: str, level: str) -> frozenset[str]:
    """Return the features that `level` adds to those that it includes."""
    has = resolve_processor(arch, level).has or frozenset()
    below = architecture(arch).level(level)
    assert below is not None
    lower = (resolve_processor(arch, name).has or frozenset() for name in below.below - {level})
    return has.difference(*lower)
