"""Wheels of which only the file was renamed to a local version, as flash-attention's are."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.cli import main
from variantbuild.wheel import open_wheel, verify_wheel
from wheels.bends import swapped
from wheels.forge import Draft, Write

NAME = "demo-1.0+cu12torch2.5cxx11abiFALSE-py3-none-linux_x86_64.whl"
PATCHED = "demo-1.0+cu12torch2.5cxx11abifalse-py3-none-linux_x86_64.whl"


@pytest.fixture
def renamed(write: Write) -> Path:
    return write(Draft()).rename(write(Draft()).with_name(NAME))


@pytest.mark.parametrize("command", [("verify",), ("stamp", "--target", "v3"), ("unstamp",)])
def test_the_refusal_names_both_versions_and_the_way_out(
    renamed: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert main([*command, str(renamed)]) in (1, 2)
    said = capsys.readouterr().err
    assert "'1.0+cu12torch2.5cxx11abiFALSE'" in said
    assert "has '1.0'" in said
    assert "variantbuild patch" in said


def test_patch_writes_the_version_into_the_wheel(renamed: Path, tmp_path: Path) -> None:
    assert main(["patch", "-o", str(tmp_path / "out"), str(renamed)]) == 0
    with open_wheel(tmp_path / "out" / PATCHED) as wheel:
        inventory = verify_wheel(wheel)
    assert inventory.version == "1.0+cu12torch2.5cxx11abifalse"
    assert inventory.dist_info == "demo-1.0+cu12torch2.5cxx11abifalse.dist-info"


def test_patch_takes_another_label(renamed: Path, tmp_path: Path) -> None:
    assert main(["patch", "--local", "mine", "-o", str(tmp_path / "out"), str(renamed)]) == 0
    (made,) = (tmp_path / "out").iterdir()
    assert made.name == "demo-1.0+mine-py3-none-linux_x86_64.whl"


def test_a_wheel_whose_metadata_was_edited_too(write: Write, tmp_path: Path) -> None:
    draft = Draft()
    swapped("Version: 1.0", "Version: 1.0+rocm6.4")(draft)
    path = write(draft)
    path = path.rename(path.with_name("demo-1.0+rocm6.4-py3-none-linux_x86_64.whl"))
    assert main(["patch", "-o", str(tmp_path / "out"), str(path)]) == 0
    with open_wheel(tmp_path / "out" / path.name) as wheel:
        assert verify_wheel(wheel).dist_info == "demo-1.0+rocm6.4.dist-info"


def test_audit_says_it(renamed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", str(renamed)])
    assert "`variantbuild patch` writes the file name's version" in capsys.readouterr().out
