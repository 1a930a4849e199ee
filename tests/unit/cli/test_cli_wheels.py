"""The commands stamp, unstamp, patch and verify: output, exit codes, schemas, no laundering."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from answers import answer
from variantbuild.cli import main
from wheels.forge import Draft, Write, metadata


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stamp", "WHEEL", "--target", "v9"], "v9"),
        (["stamp", "WHEEL", "--target", "v1"], "gets no stamp"),
        (["unstamp", "WHEEL"], "has no stamp"),
        (["patch", "WHEEL", "--remove-requires", "x"], "does not require"),
        (["patch", "WHEEL"], "nothing to patch"),
        (["patch", "WHEEL", "--add-requires", "x"], "would be replaced"),
        (["patch", "nowhere-1.0-py3-none-any.whl", "--local", "x"], "does not exist"),
        (["verify", "nowhere-1.0-py3-none-any.whl"], "does not exist"),
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
    directories = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    uv = shutil.which("uv", path=directories)
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
