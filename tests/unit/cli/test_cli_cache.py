"""`variantbuild cache --tree`: what builds leave in a source tree, and nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from schemas import answers_of
from variantbuild.buildcache.refused import refused_store, tree_store
from variantbuild.cli import main
from variantbuild.delegate.handover.builddir import is_build_name, name_build

OURS = ("variantbuild-v3-0123456789", "variantbuild-fc39.cu12.v3-0123456789-abcdef")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source tree with build directories of ours and others."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "tree"
    for name in (*OURS, "variantbuild-notes", "lib.linux-x86_64", "variantbuild-v3-012345678z"):
        (source / "build" / name / "temp").mkdir(parents=True)
        (source / "build" / name / "temp" / "m.o").write_bytes(b"1234")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (source / "build" / "variantbuild-v2-0123456789").symlink_to(outside)
    (source / "build" / OURS[0] / "link").symlink_to(outside)
    (source / "build" / "variantbuild-v4-0123456789").write_text("a file")
    return source


def names(tree: Path) -> set[str]:
    return {path.name for path in (tree / "build").iterdir()}


def test_names_of_build_directories_are_recognised() -> None:
    for label in ("v3", "v4+avx512_bf16", "cu12.v3", "", "neoverse_v2"):
        assert is_build_name(name_build(label, "plan"))
        assert is_build_name(f"{name_build(label, 'plan')}-abcdef")
        assert is_build_name(f"cp311-{name_build(label, 'plan')}")


def test_exactly_ours_are_removed(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = names(tree)
    assert main(["cache", "info", "--tree", str(tree)]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in OURS)
    assert "variantbuild-notes" not in said
    assert names(tree) == before
    assert main(["cache", "clear", "--tree", str(tree)]) == 0
    assert names(tree) == before - set(OURS)
    assert (tree.parent / "outside" / "precious").exists()


def test_a_build_that_is_a_link_is_left_alone(tree: Path) -> None:
    other = tree.parent / "other"
    other.mkdir()
    (other / "build").symlink_to(tree / "build")
    before = names(tree)
    assert main(["cache", "clear", "--tree", str(other)]) == 0
    assert names(tree) == before


def test_an_empty_build_directory_goes_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "tree" / "build" / OURS[0]).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "tree")
    assert main(["cache", "clear", "--tree"]) == 0
    assert list(Path.cwd().iterdir()) == []


def test_a_tree_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cache", "clear", "--tree", str(tmp_path / "none")]) == 2
    assert "is not a directory" in capsys.readouterr().err


def test_refused_wheels_are_shown_and_removed(
    tree: Path, wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = refused_store(os.environ)
    assert home is not None
    home.store("one", wheel, {}, more={"tree": str(tree)})
    home.store("two", wheel, {}, more={"tree": "/elsewhere"})
    tree_store(tree).store("three", wheel, {}, more={"tree": str(tree)})
    assert main(["cache", "info", "--tree", str(tree), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    answers_of("cache").validate(answer)
    assert {each["key"] for each in answer["entries"]} == {"one", "three"}
    assert len(answer["builds"]) == 2
    assert main(["cache", "clear", "--tree", str(tree)]) == 0
    assert [entry.key for entry in home.entries()] == ["two"]
    assert not tree_store(tree).directory.exists()
    assert main(["cache", "info"]) == 0
    assert f"two/{wheel.name}" in capsys.readouterr().out
    assert main(["cache", "clear"]) == 0
    assert home.entries() == []
