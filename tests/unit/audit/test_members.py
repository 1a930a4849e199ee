"""Stamp, audit, repair and the wheel engine see machine code in the same members of a wheel."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from binaries.elves import command_lines, elf, isa_note
from variantbuild.audit import audit_wheel, judge
from variantbuild.audit.linked import read_linked
from variantbuild.cli import main
from variantbuild.variant import Variant
from variantbuild.wheel import open_wheel, verify_wheel
from variantbuild.wheel.machinecode import LARGEST, find_machine_code, read_machine_code
from variantbuild.wheel.unsound import UnsoundWheelError
from wheels.forge import Draft, managed_dll

Write = Callable[[Draft], Path]

LAUNCHER = (
    (b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<H", 0x14C))
    + bytes(16)
    + b"\2\1"
    + bytes(200)
)

#: Members beside one module, and whether each is machine code.
MEMBERS: dict[str, tuple[bytes, bool]] = {
    "k.cubin": (elf(machine=190, flags=90 << 8), True),
    "k.hsaco": (b"__CLANG_OFFLOAD_BUNDLE__" + bytes(40), True),
    "gfx.hsaco": (elf(machine=224, flags=0x4C), True),
    "k.fatbin": (struct.pack("<IHHQ", 0xBA55ED50, 1, 16, 0), True),
    "lib.a": (b"!<arch>\n", True),
    "thin.a": (b"!<thin>\n", True),
    "launcher.exe": (LAUNCHER, True),
    "filter.bpf.o": (elf(machine=247), True),
    "libx.so": (b"INPUT(libx.so.1)", True),
    "elf.py": (elf(note=isa_note(4), sections=command_lines("-march=x86-64-v3")), True),
    "net.dll": (managed_dll(wide=True), False),
    "Main.class": (bytes.fromhex("cafebabe00000034") + bytes(50), False),
    "data.py": (b"x = 1\n", False),
}


def module() -> bytes:
    """Return a shared object that was compiled and marked for v3."""
    return elf(note=isa_note(4), sections=command_lines("GNU C17 -march=x86-64-v3"))


def draft_of(*names: str, tag: str = "py3-none-linux_x86_64", native: bool = True) -> Draft:
    draft = Draft(tag=tag)
    if native:
        draft.part("demo/core.so").data = module()
    else:
        draft.drop("demo/core.so")
    for name in names:
        draft.add(f"demo/{name}", MEMBERS[name][0])
    return draft


def test_all_see_the_same_members(write: Write) -> None:
    path = write(draft_of(*MEMBERS))
    expected = [
        "demo/core.so",
        *(f"demo/{name}" for name, (_, is_code) in MEMBERS.items() if is_code),
    ]
    with open_wheel(path) as wheel:
        assert [member.name for member, _ in find_machine_code(wheel)] == expected
        assert {file.path for file in read_linked(wheel)} == {"demo/core.so", "demo/elf.py"}
    assert [file.path for file in audit_wheel(path).files] == expected


@pytest.mark.parametrize("name", [name for name, (_, is_code) in MEMBERS.items() if is_code])
def test_what_is_stamped_passes_the_audit(
    name: str, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    path = write(draft_of(name))
    assert main(["stamp", str(path), "--target", "v3", "-o", str(out)]) == 0, (
        capsys.readouterr().err
    )
    (stamped,) = out.iterdir()
    with zipfile.ZipFile(stamped) as archive:
        (record,) = [each for each in archive.namelist() if each.endswith("variantbuild.cdx.json")]
        assert f"demo/{name}" in archive.read(record).decode()
    assert main(["audit", str(stamped)]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", MEMBERS)
def test_wheels_for_any_platform_hold_what_the_engine_and_the_audit_allow(
    name: str, write: Write
) -> None:
    path = write(draft_of(name, tag="py3-none-any", native=False))
    refused = name in ("lib.a", "thin.a", "libx.so", "elf.py")
    with open_wheel(path) as wheel:
        if refused:
            with pytest.raises(UnsoundWheelError, match="tagged for any platform"):
                verify_wheel(wheel)
        else:
            verify_wheel(wheel)
    rules = {each.rule for each in judge(audit_wheel(path), Variant(arch="x86_64")).errors}
    assert ("code-in-any" in rules) is refused


def test_launchers_and_programs_for_the_kernel_earn_no_stamp(write: Write) -> None:
    report = audit_wheel(write(draft_of("launcher.exe", "filter.bpf.o", native=False)))
    assert len(report.files) == 2
    assert not report.has_machine_code


def test_members_over_the_limit_are_refused(write: Write) -> None:
    with open_wheel(write(draft_of())) as wheel:
        member = wheel.member("demo/core.so")
        assert bytes(read_machine_code(wheel, member)) == module()
        with pytest.raises(UnsoundWheelError, match=f"and the limit is {LARGEST}"):
            read_machine_code(wheel, member._replace(size=LARGEST + 1))
        with pytest.raises(UnsoundWheelError, match="CRC-32 mismatch"):
            read_machine_code(wheel, member._replace(crc=member.crc ^ 1))
