"""Every level that `audit` prints is a level that `audit --expect` accepts."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from audited import needs_decoder
from binaries.elves import command_lines, elf
from variantbuild.cli import main
from variantbuild.isa.architecture import Level, architecture

NUMBERS = {"x86_64": 62, "aarch64": 183}


@pytest.mark.parametrize(
    "level",
    [
        pytest.param(level, id=str(level), marks=needs_decoder if arch == "x86_64" else ())
        for arch in NUMBERS
        for level in architecture(arch).levels
    ],
)
def test_a_printed_level_is_expected_by_its_name(
    level: Level, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / f"m-1.0-cp311-cp311-linux_{level.arch}.whl"
    lines = command_lines(f"GNU C17 -march={level.spelled}")
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("m.so", elf(machine=NUMBERS[level.arch], sections=lines))
    assert main(["audit", "--expect", level.name, str(wheel)]) == 0
    assert f"runs on {level}: yes" in capsys.readouterr().out
    main(["audit", "--json", str(wheel)])
    [shown] = json.loads(capsys.readouterr().out)["wheels"]
    assert shown["files"][0]["machines"] == [level.arch]
    for printed in (shown["level"], shown["files"][0]["level"]):
        assert main(["audit", "--expect", printed, str(wheel)]) == 0
