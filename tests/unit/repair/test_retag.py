"""Names of repaired wheels: the generic tag never comes alone, nor without version and ISA note."""

from __future__ import annotations

from pathlib import Path

import pytest

from audited import decoded
from variantbuild.audit import AuditReport, FileReport
from variantbuild.repair.graft import render_command
from variantbuild.repair.retag import name_repaired, system_of, why_not_generic
from variantbuild.stamp.declared import Declared, declare
from variantbuild.variant import Variant

NEW = ("manylinux_2_28_x86_64",)
SPECIFIC = ("manylinux_2_28_x86_64_v3_cu12",)


def label(
    text: str = "cu12.v3", *, in_file: bool = True, platform: str = "linux_x86_64"
) -> Declared:
    """A wheel with the tags of a set, or of a hybrid (`in_file` is false)."""
    suffix = Variant.parse(text, "x86_64").platform_suffix if text else ""
    return declare(
        "demo.whl",
        version="1.0",
        file_platforms=[platform] * (in_file or not text) + [platform + suffix] * bool(text),
        wheel_platforms=[platform] + [platform + suffix] * bool(text),
    )


@pytest.mark.parametrize(
    ("in_file", "generic", "file", "wheel"),
    [
        (True, True, (*NEW, *SPECIFIC), (*NEW, *SPECIFIC)),
        (False, True, SPECIFIC, (*NEW, *SPECIFIC)),
        (True, False, SPECIFIC, SPECIFIC),
        (False, False, SPECIFIC, SPECIFIC),
    ],
)
def test_tags_of_a_variant(
    in_file: bool, generic: bool, file: tuple[str, ...], wheel: tuple[str, ...]
) -> None:
    stamp = name_repaired(label(in_file=in_file), NEW, generic=generic)
    assert (stamp.file_platforms, stamp.wheel_platforms) == (file, wheel)


def test_the_baseline_is_generic() -> None:
    stamp = name_repaired(label(""), NEW, generic=False)
    assert stamp.file_platforms == stamp.wheel_platforms == NEW


@pytest.mark.parametrize(
    ("platform", "system"),
    [
        ("linux_x86_64", "linux"),
        ("manylinux2014_x86_64", "linux"),
        ("musllinux_1_2_x86_64", "linux"),
        ("macosx_11_0_arm64", "macosx"),
        ("win_amd64", "win"),
        ("any", "any"),
    ],
)
def test_systems(platform: str, system: str) -> None:
    assert system_of(label("", platform=platform)) == system


def test_levels_are_compared_by_their_order() -> None:
    """armv9.0a does not include armv8.9a, although its name sorts after it."""
    arm = FileReport(
        path="m.so",
        format="elf",
        machines=("aarch64",),
        kind="shared",
        isa_note="armv9.0a",
        code=decoded("aarch64", "armv8.6a").files[0].code,
    )
    said = why_not_generic("1.0+x", AuditReport(name="w", platforms=(), files=(arm,)))
    assert said == "m.so needs armv8.6a and has no ISA note that says so"


def file(level: str | None, note: str | None = None, path: str = "m.so") -> FileReport:
    report = FileReport(path=path, format="elf", machines=("x86_64",), kind="shared", isa_note=note)
    assert report.level == note
    if level is None or note is not None:
        return report
    code = decoded("x86_64", level).files[0].code
    return FileReport(path=path, format="elf", machines=("x86_64",), kind="shared", code=code)


@pytest.mark.parametrize(
    ("version", "files", "reason"),
    [
        ("1.0+v3", (file("v3", "v3"),), None),
        ("1.0+v3", (file("v3", "v3"), file("v1", path="lib.so")), None),
        ("1.0", (file("v3", "v3"),), "no local part"),
        ("1.0+v3", (file("v3", "v3"), file("v3", path="lib.so")), "lib.so needs v3 and has no ISA"),
        ("1.0+v3", (file(None),), "m.so has no record"),
    ],
)
def test_when_the_generic_tag_may_stand(
    version: str, files: tuple[FileReport, ...], reason: str | None
) -> None:
    said = why_not_generic(version, AuditReport(name="w", platforms=(), files=files))
    assert (said is None) == (reason is None)
    assert reason is None or reason in str(said)


def test_command_lines_of_the_grafting_tools() -> None:
    wheel, out = Path("w.whl"), Path("out")
    assert render_command("linux", wheel, out, platform="manylinux_2_28_x86_64", exclude=["x"]) == [
        "repair", "-w", "out", "--disable-isa-ext-check", "--plat", "manylinux_2_28_x86_64",
        "--exclude", "x", "w.whl",
    ]  # fmt: skip
    assert "--disable-isa-ext-check" not in render_command("linux", wheel, out, isa_option=False)
    assert render_command("macosx", wheel, out) == ["-w", "out", "w.whl"]
    assert render_command("win", wheel, out) == ["repair", "-w", "out", "w.whl"]
