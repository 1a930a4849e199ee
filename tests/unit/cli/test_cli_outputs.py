"""Output directories: commands that refuse their input leave none behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.cli import main
from wheels.forge import Draft, Write

MISSING = "nowhere-1.0-py3-none-any.whl"
REFUSED = {
    "repair, missing": ("repair", MISSING, "-w", "OUT"),
    "repair, unsound": ("repair", "UNSOUND", "-w", "OUT"),
    "repair, one of two": ("repair", MISSING, "UNSOUND", "-w", "OUT"),
    "stamp, missing": ("stamp", MISSING, "--target", "v3", "-o", "OUT"),
    "stamp, no machine code": ("stamp", "WHEEL", "--target", "v3", "-o", "OUT"),
    "stamp, unknown CPU": ("stamp", "WHEEL", "--target", "v9", "-o", "OUT"),
    "unstamp, no stamp": ("unstamp", "WHEEL", "-o", "OUT"),
    "patch, missing": ("patch", MISSING, "--local", "x", "-o", "OUT"),
    "patch, unsound": ("patch", "UNSOUND", "--local", "x", "-o", "OUT"),
    "patch, nothing to do": ("patch", "WHEEL", "-o", "OUT"),
    "bundle, missing": ("bundle", MISSING, "-o", "OUT"),
    "bundle, one level": ("bundle", "WHEEL", "-o", "OUT"),
    "build, missing": ("build", "nowhere", "-o", "OUT"),
    "build, unknown CPU": ("build", "TREE", "--target", "v9", "-o", "OUT"),
    "build, wrong setting": ("build", "TREE", "-C", "variantbuild.audit=perhaps", "-o", "OUT"),
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("out", ["new", "new/below/../deep"])
def test_no_directory_is_left_of_a_refusal(
    words: tuple[str, ...], out: str, write: Write, tmp_path: Path
) -> None:
    unsound = Draft(version="2.0")
    unsound.rows(lambda rows: rows.pop(0))
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "pyproject.toml").write_text("[project]\nname = 'demo'\nversion = '1.0'\n")
    named = {
        "WHEEL": str(write(Draft())),
        "UNSOUND": str(write(unsound)),
        "TREE": str(tree),
        "OUT": str(tmp_path / out),
    }
    assert main([named.get(word, word) for word in words]) != 0
    assert not (tmp_path / "new").exists()


def test_a_directory_that_was_there_stays(tmp_path: Path) -> None:
    assert main(["repair", MISSING, "-w", str(tmp_path)]) == 2
    assert tmp_path.is_dir()


def test_a_directory_with_one_good_wheel_stays(write: Write, tmp_path: Path) -> None:
    out = tmp_path / "new" / "deep"
    good = str(write(Draft()))
    assert main(["patch", MISSING, good, "--local", "x", "-o", str(out)]) == 2
    assert len(list(out.iterdir())) == 1


def test_a_file_in_the_way_is_one_sentence(
    write: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    out = str(tmp_path / "file" / "deep")
    for words in (["repair", MISSING, "-w", out], ["patch", str(write(Draft())), "-o", out]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert f"output directory {out} cannot be created: Not a directory" in said
