"""The commands stamp and unstamp on compiled modules."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from answers import answer
from variantbuild.cli import main
from variantbuild.stamp.sbom import parse_provenance
from variantbuild.wheel import open_wheel, verify_wheel
from wheels.forge import Draft, Write
from workshop import SOURCES

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(GCC is None, reason="gcc is not installed")


@pytest.fixture
def native(tmp_path: Path, write: Write) -> Callable[[str], Path]:
    """A wheel with one shared object, compiled with -march as given, flags recorded."""

    def compile_wheel(march: str) -> Path:
        assert GCC is not None
        output = tmp_path / "core.so"
        flags = ["-O2", f"-march={march}", "-frecord-gcc-switches", "-shared", "-fPIC"]
        subprocess.run([GCC, *flags, "-o", output, SOURCES / "popcount.c"], check=True)
        draft = Draft()
        draft.part("demo/core.so").data = output.read_bytes()
        return write(draft)

    return compile_wheel


@needs_gcc
@pytest.mark.compile
def test_stamp_and_unstamp_are_a_round_trip(
    native: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = native("x86-64-v3")
    out = tmp_path / "out"
    assert main(["stamp", str(path), "--target", "v3", "-o", str(out), "--json"]) == 0
    first = answer(capsys, "stamp").first
    assert first["project_version"] == "1.0+v3"
    assert first["tags"] == ["py3-none-linux_x86_64", "py3-none-linux_x86_64_v3"]
    stamped = Path(str(first["output"]))
    with zipfile.ZipFile(stamped) as archive:
        (record,) = [name for name in archive.namelist() if name.endswith("variantbuild.cdx.json")]
        said = parse_provenance(archive.read(record))
    assert said["variantbuild:declared:variant"] == "v3"
    assert "variantbuild:audited:level" in said
    assert main(["unstamp", str(stamped), "--json"]) == 0
    plain = Path(str(answer(capsys, "unstamp").first["output"]))
    assert plain.name == path.name
    with open_wheel(path) as old, open_wheel(plain) as new:
        assert [member.name for member in old.members] == [member.name for member in new.members]
        for member in old.members:
            twin = new.member(member.name)
            assert new.read(twin, limit=1 << 20) == old.read(member, limit=1 << 20)


@needs_gcc
@pytest.mark.compile
@pytest.mark.parametrize(
    ("march", "target", "code"),
    [("x86-64", "v3", 1), ("x86-64-v4", "v3", 1), ("x86-64-v3", "v3", 0)],
)
def test_nothing_is_stamped_without_evidence(
    native: Callable[[str], Path], tmp_path: Path, march: str, target: str, code: int
) -> None:
    path = native(march)
    out = tmp_path / "out"
    assert main(["stamp", str(path), "--target", target, "-o", str(out)]) == code
    assert len(list(out.glob("*"))) == (code == 0)


@needs_gcc
@pytest.mark.compile
@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("set", "demo-1.0+v3-py3-none-linux_x86_64.linux_x86_64_v3.whl"),
        ("specific", "demo-1.0+v3-py3-none-linux_x86_64_v3.whl"),
        ("hybrid", "demo-1.0+v3-py3-none-linux_x86_64_v3.whl"),
        ("plain", "demo-1.0+v3-py3-none-linux_x86_64.whl"),
    ],
)
def test_every_form_comes_back(
    native: Callable[[str], Path], form: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = native("x86-64-v3")
    before = path.read_bytes()
    assert main(["stamp", str(path), "--target", "v3", "--platform-tag", form]) == 0
    stamped = path.parent / name
    assert capsys.readouterr().out.splitlines() == [str(stamped)]
    # The plain form only changes the version, and the same label is appended once.
    again = main(["stamp", str(stamped), "--target", "v3"])
    assert again == (0 if form == "plain" else 2)
    assert path.read_bytes() == before
    path.unlink()
    assert main(["unstamp", str(stamped)]) == 0
    with open_wheel(path) as wheel:
        assert verify_wheel(wheel).tags == {"py3-none-linux_x86_64"}
