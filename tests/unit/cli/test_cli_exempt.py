"""Code for another machine in wheels for any platform, and in wheels that are repaired."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from binaries.elves import command_lines, elf, isa_note
from variantbuild.cli import main
from wheels.forge import Draft, Write

ARM, HEXAGON, X86_64 = 40, 164, 62


@pytest.fixture
def draft() -> Draft:
    """A wheel for any platform with firmware."""
    made = Draft(tag="py3-none-any")
    made.drop("demo/core.so")
    made.add("demo/fw/boot.elf", elf(machine=ARM))
    made.add("demo/fw/skel.so", elf(machine=HEXAGON))
    made.add("demo/fw/libm.a", b"!<arch>\n")
    return made


EXCLUDE = ("--exclude", "*.elf", "--exclude", "demo/fw/*")


def recorded(wheel: Path) -> dict[str, str]:
    """Return the exempt files in the wheel's record, with their patterns."""
    with zipfile.ZipFile(wheel) as archive:
        names = [each for each in archive.namelist() if each.endswith("variantbuild.cdx.json")]
        properties = json.loads(archive.read(names[0]))["metadata"]["properties"]
    start = "variantbuild:audited:exempt:"
    return {
        each["name"].removeprefix(start): each["value"]
        for each in properties
        if each["name"].startswith(start)
    }


ALL = {
    "demo/fw/boot.elf": "*.elf",
    "demo/fw/skel.so": "demo/fw/*",
    "demo/fw/libm.a": "demo/fw/*",
}


@pytest.mark.parametrize("command", ["verify", "audit", "patch", "repair"])
def test_firmware_in_a_wheel_for_any_platform_is_refused_with_the_way_out(
    draft: Draft, command: str, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = {"patch": ["--local", "x", "-o", tmp_path / "o"], "repair": ["-w", tmp_path / "o"]}
    call = [command, str(write(draft)), *map(str, words.get(command, []))]
    assert main(call) != 0
    said = capsys.readouterr()
    assert "any" in said.out + said.err
    assert command == "audit" or "--exclude boot.elf" in said.err
    assert main([*call, *EXCLUDE]) == 0


@pytest.mark.parametrize(
    "words", [("patch", "--local", "x", "-o"), ("patch", "-o"), ("repair", "-w")]
)
def test_exempt_files_are_recorded_and_known_afterwards(
    draft: Draft, words: tuple[str, ...], write: Write, tmp_path: Path
) -> None:
    assert main([*words, str(tmp_path / "out"), *EXCLUDE, str(write(draft))]) == 0
    (made,) = (tmp_path / "out").iterdir()
    assert recorded(made) == ALL
    for command in ("verify", "audit"):
        assert main([command, str(made)]) == 0
    again = tmp_path / "again"
    assert main(["repair", "-w", str(again), str(made)]) == 0
    (copy,) = again.iterdir()
    assert copy.read_bytes() == made.read_bytes()


def test_the_record_exempts_the_files_that_it_names_alone(
    draft: Draft, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draft.add("demo/other.elf", elf(machine=ARM))
    words = ("--exclude", "boot.elf", "--exclude", "demo/fw/*")
    assert main(["patch", "-o", str(tmp_path / "out"), *words, str(write(draft))]) == 2
    assert "demo/other.elf" in capsys.readouterr().err


def test_an_unreadable_record_exempts_nothing(draft: Draft, write: Write) -> None:
    draft.add_info("sboms/variantbuild.cdx.json", b"{")
    assert main(["verify", str(write(draft))]) == 1


@pytest.mark.parametrize("unused", ["*.hex", "boot", "*/RECORD", "core.so"])
@pytest.mark.parametrize("command", ["audit", "verify", "patch"])
@pytest.mark.parametrize("kind", ["any", "linux"])
def test_a_pattern_without_effect_is_told(
    kind: str,
    command: str,
    unused: str,
    draft: Draft,
    stamped: Draft,
    write: Write,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    wheel = write(draft if kind == "any" else stamped)
    output = ("-o", str(tmp_path / "out")) if command == "patch" else ()
    assert main([command, *output, "--exclude", "*.elf", *EXCLUDE, str(wheel)]) == 0
    assert "--exclude" not in capsys.readouterr().err
    assert main([command, *output, *EXCLUDE, "--exclude", unused, str(wheel)]) == 0
    said = capsys.readouterr().err
    assert f"--exclude '{unused}' matches no file that is code for another machine" in said
    assert "*.elf" not in said


@pytest.fixture
def stamped() -> Draft:
    """A wheel for v3, whose generic tag its ISA note allows, with firmware."""
    made = Draft(version="1.0+v3", tag="py3-none-linux_x86_64")
    made.file_name = "demo-1.0+v3-py3-none-linux_x86_64.linux_x86_64_v3.whl"
    both = b"Wheel-Version: 1.0\nGenerator: forge\nRoot-Is-Purelib: false\n"
    made.part("WHEEL").data = b"".join(
        (both, *(b"Tag: py3-none-linux_x86_64%s\n" % each for each in (b"", b"_v3")))
    )
    lines = command_lines("GNU C17 -march=x86-64-v3")
    made.part("demo/core.so").data = elf(machine=X86_64, note=isa_note(4), sections=lines)
    made.add("demo/fw/boot.elf", elf(machine=ARM))
    return made


def test_repair_takes_firmware_for_data(
    stamped: Draft, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["repair", "--tag-only", "-w", str(tmp_path / "out"), str(write(stamped))]
    assert main(call) == 1
    assert "--exclude 'boot.elf'" in capsys.readouterr().err
    assert main([*call, "--exclude", "boot.elf"]) == 0
    (made,) = (tmp_path / "out").iterdir()
    assert made.name == ("demo-1.0+v3-py3-none-manylinux_2_5_x86_64.manylinux_2_5_x86_64_v3.whl")
    assert recorded(made) == {"demo/fw/boot.elf": "boot.elf"}
    # What the record names needs no option: the audit, and another repair.
    assert main(["audit", str(made)]) == 0
    assert main(["repair", "--tag-only", "-w", str(tmp_path / "again"), str(made)]) == 0


@pytest.mark.parametrize("policy", ["manylinux_2_28_aarch64", "manylinux2014_i686"])
def test_a_policy_for_another_machine_is_refused(
    stamped: Draft, policy: str, write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["-w", str(tmp_path / "out"), "--exclude", "boot.elf", "--tag-only"]
    assert main(["repair", *out, "--policy", policy, str(write(stamped))]) == 2
    assert f"names the machine {policy.rpartition('_')[2]}, and" in capsys.readouterr().err
    assert main(["repair", *out, "--policy", "manylinux_2_28_x86_64", str(write(stamped))]) == 0
