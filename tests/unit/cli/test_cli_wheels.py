"""The commands stamp, unstamp, patch and verify: output, exit codes, schemas, no laundering."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import cast

import jsonschema
import pytest

from variantbuild.cli import main
from variantbuild.stamp.sbom import parse_provenance
from variantbuild.wheel import open_wheel, verify_wheel
from wheels.forge import Draft, metadata

Write = Callable[[Draft], Path]
GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(GCC is None, reason="gcc is not installed")
SOURCE = "int popcount(unsigned long x) { return __builtin_popcountl(x); }\n"


@pytest.fixture
def native(tmp_path: Path, write: Write) -> Callable[[str], Path]:
    """A wheel with one real shared object, compiled with -march as given, switches recorded."""

    def compile_wheel(march: str) -> Path:
        assert GCC is not None
        source = tmp_path / "core.c"
        source.write_text(SOURCE)
        output = tmp_path / "core.so"
        switches = ["-O2", f"-march={march}", "-frecord-gcc-switches", "-shared", "-fPIC"]
        subprocess.run([GCC, *switches, "-o", output, source], check=True)
        draft = Draft()
        draft.part("demo/core.so").data = output.read_bytes()
        return write(draft)

    return compile_wheel


class Answer(dict[str, object]):
    """A command's JSON."""

    @property
    def first(self) -> dict[str, object]:
        """What it says on the first wheel."""
        wheels = self["wheels"]
        assert isinstance(wheels, list)
        return cast("dict[str, object]", wheels[0])


def answer(capsys: pytest.CaptureFixture[str], command: str) -> Answer:
    """Return the JSON on standard output, checked against the command's schema."""
    payload = Answer(json.loads(capsys.readouterr().out))
    schema = json.loads(files("variantbuild.cli").joinpath(f"{command}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(dict(payload), schema)
    return payload


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
    assert len(list(out.iterdir())) == (code == 0)


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
    # The plain form shows in the version alone, and the same label is joined once.
    again = main(["stamp", str(stamped), "--target", "v3"])
    assert again == (0 if form == "plain" else 2)
    assert path.read_bytes() == before
    path.unlink()
    assert main(["unstamp", str(stamped)]) == 0
    with open_wheel(path) as wheel:
        assert verify_wheel(wheel).tags == {"py3-none-linux_x86_64"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stamp", "WHEEL", "--target", "v9"], "v9"),
        (["stamp", "WHEEL", "--target", "v1"], "gets no stamp"),
        (["unstamp", "WHEEL"], "carries no stamp"),
        (["patch", "WHEEL", "--remove-requires", "x"], "does not require"),
        (["patch", "WHEEL"], "nothing to patch"),
        (["patch", "WHEEL", "--add-requires", "x"], "would be replaced"),
        (["patch", "nowhere-1.0-py3-none-any.whl", "--local", "x"], "there is no file"),
        (["verify", "nowhere-1.0-py3-none-any.whl"], "there is no file"),
    ],
)
def test_mistakes_are_one_sentence_and_write_nothing(
    write: Write, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(Draft())
    before = path.read_bytes()
    assert main([str(path) if word == "WHEEL" else word for word in arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == before


@pytest.mark.parametrize("trust", [[], ["--trust-record"]])
def test_bad_wheel_is_not_laundered(
    write: Write, trust: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    draft = Draft()
    draft.rows(lambda rows: rows.pop(0))
    path = write(draft)
    assert main(["patch", str(path), "--local", "x", "--json", *trust]) == 2
    assert answer(capsys, "patch").first["output"] is None
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert main(["verify", str(path), "--json"]) == 1
    problem = answer(capsys, "verify").first["problem"]
    assert problem == {"member": "demo/__init__.py", "reason": "it is not listed in RECORD"}


def test_patch_in_place_takes_the_old_one_away(write: Write, tmp_path: Path) -> None:
    path = write(Draft())
    path.chmod(0o640)
    assert main(["patch", str(path), "--local", "stripe.2", "--in-place"]) == 0
    (new,) = path.parent.iterdir()
    assert new.name == "demo-1.0+stripe.2-py3-none-linux_x86_64.whl"
    assert new.stat().st_mode & 0o777 == 0o640
    link = tmp_path / new.name
    link.symlink_to(new)
    assert main(["patch", str(link), "--local", "b", "--in-place"]) == 2


def test_several_wheels_and_one_refused(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = write(Draft())
    bad = tmp_path / "bad-1.0-py3-none-any.whl"
    bad.write_bytes(b"no archive")
    assert main(["verify", str(good), str(bad)]) == 1
    shown = capsys.readouterr()
    assert "sound" in shown.out
    assert "refused" in shown.out
    assert bad.name in shown.err
    out = tmp_path / "out"
    assert main(["patch", str(bad), str(good), "--local", "x", "-o", str(out)]) == 2
    assert [path.name for path in out.iterdir()] == ["demo-1.0+x-py3-none-linux_x86_64.whl"]


def test_patched_wheel_installs_and_depends_on_what_it_says(write: Write, tmp_path: Path) -> None:
    folders = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    uv = shutil.which("uv", path=folders)
    if uv is None:
        pytest.skip("uv is not installed")
    house = tmp_path / "house"
    house.mkdir()
    dependency = Draft("dependency", "3.0", "py3-none-any")
    dependency.drop("demo/core.so")
    dependency.parts["dependency.py"] = dependency.parts.pop("demo/__init__.py")
    dependency.parts["dependency.py"].name = b"dependency.py"
    record = dependency.parts.pop(f"{dependency.dist_info}/RECORD")
    dependency.parts[f"{dependency.dist_info}/RECORD"] = record
    (house / dependency.file_name).write_bytes(dependency.build())
    draft = Draft(tag="py3-none-any")
    draft.drop("demo/core.so")
    draft.part("METADATA").data = metadata("demo", "1.0", "Requires-Dist: gone\n")
    path = write(draft)
    edits = ["--remove-requires", "gone", "--add-requires", "dependency>=3"]
    assert main(["patch", str(path), *edits, "--local", "p", "-o", str(house)]) == 0
    target = tmp_path / "target"
    argv = [uv, "pip", "install", "-q", "--offline", "--no-index", "--find-links", str(house)]
    subprocess.run([*argv, "--target", str(target), "demo==1.0+p"], check=True)
    assert (target / "dependency.py").is_file()
