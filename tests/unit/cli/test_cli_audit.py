"""The command audit: exit codes, the table, and JSON by its schema."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from audited import HAS_DECODER, needs_decoder
from binaries.elves import command_lines, elf, isa_note
from schemas import answers_of
from variantbuild.cli import main


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel whose one module has v3 in its recorded flags and its ISA note."""
    path = tmp_path / "m-1.0+v3-cp311-cp311-linux_x86_64.whl"
    data = elf(note=isa_note(4), sections=command_lines("GNU C17 -march=x86-64-v3"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m.so", data)
        archive.writestr("m/data.py", "x = 1\n")
    return path


def test_declared_level_is_judged(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(wheel)]) == 0
    assert "declared v3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "code", "word"), [("v2", 1, "no"), pytest.param("v3", 0, "yes", marks=needs_decoder)]
)
def test_expect(
    wheel: Path, target: str, code: int, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--expect", target, str(wheel)]) == code
    assert f"runs on {target}: {word}" in capsys.readouterr().out


def test_json_follows_the_schema(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--json", str(wheel)]) == 0
    shown = json.loads(capsys.readouterr().out)
    answers_of("audit").validate(shown)
    assert shown["wheels"][0]["files"][0]["isa_note"] == "v3"


def test_wrong_use_is_one_sentence(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(wheel.with_name("none.whl"))]) == 2
    assert main(["audit", "--expect", "v9", str(wheel)]) == 2
    said = capsys.readouterr().err
    assert "none.whl" in said
    assert "v9" in said
    assert "Traceback" not in said


def test_own_record_is_compared(wheel: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = {
        "bomFormat": "CycloneDX",
        "metadata": {
            "properties": [{"name": "variantbuild:audited:file:m.so", "value": "x86_64; other"}]
        },
    }
    with zipfile.ZipFile(wheel, "a") as archive:
        name = "m-1.0+v3.dist-info/sboms/variantbuild.cdx.json"
        archive.writestr(name, json.dumps(record))
    assert main(["audit", str(wheel)]) == 1
    assert "own record" in capsys.readouterr().out


@pytest.mark.skipif(HAS_DECODER, reason="only without the extra audit")
def test_without_a_decoder_the_verdict_is_open(
    wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "--expect", "v3", str(wheel)]) == 3
    said = capsys.readouterr().out
    assert "runs on v3: cannot tell" in said
    assert "pip install variantbuild[audit]" in said


@needs_decoder
def test_without_a_label_needs_are_told_and_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m-1.0-cp311-cp311-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m.so", elf(note=isa_note(4)))
    assert main(["audit", str(path)]) == 0
    said = capsys.readouterr().out
    assert "warning: m.so needs v3 by its ISA note" in said
    assert main(["audit", "--expect", "v2", str(path)]) == 1
    assert main(["audit", "--expect", "v3", str(path)]) == 0


def test_files_of_other_systems_are_told_as_not_audited(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m-1.0-cp311-cp311-macosx_11_0_arm64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("m.so", b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01" + bytes(64))
        archive.writestr("m.pyd", b"MZ" + bytes(58) + b"\x40\0\0\0" + b"PE\0\0\x64\xaa" + bytes(20))
    main(["audit", "--json", str(path)])
    files_seen = json.loads(capsys.readouterr().out)["wheels"][0]["files"]
    assert {each["format"]: each["machine"] for each in files_seen} == {
        "mach-o": "aarch64",
        "pe": "aarch64",
    }
    assert all("not audited" in each["unseen"] for each in files_seen)
