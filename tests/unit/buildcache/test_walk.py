"""The files below a directory: what os.walk finds, sorted, with links to directories."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from variantbuild.buildcache.walk import is_directory, walk


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A directory with everything that a directory may contain."""
    tree = tmp_path / "tree"
    for name in ("b/deep/er/z.h", "b/a.h", "a/x.h", "a.h", "c", "skipped/y.h"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    (tree / "empty").mkdir()
    (tree / "link").symlink_to("b")
    (tree / "linked.h").symlink_to("a.h")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "itself").symlink_to("itself")
    (tree / "up").symlink_to("..")
    os.mkfifo(tree / "pipe")
    return tree


def by_os_walk(tree: Path) -> list[str]:
    return [
        str(Path(place, name))
        for place, directories, names in os.walk(tree)
        for name in (*names, *(each for each in directories if Path(place, each).is_symlink()))
    ]


def test_everything_is_found_once(tree: Path) -> None:
    found = [entry.path for entry in walk(tree)]
    assert sorted(found) == sorted(by_os_walk(tree))
    assert len(found) == 12


def test_files_of_a_directory_come_before_those_below_it(tree: Path) -> None:
    top = [entry.path[len(f"{tree}/") :] for entry in walk(tree) if not entry.is_symlink()]
    assert top == ["a.h", "c", "pipe", "a/x.h", "b/a.h", "b/deep/er/z.h", "skipped/y.h"]


def test_a_directory_may_be_left_out(tree: Path) -> None:
    names = {entry.name for entry in walk(tree, lambda entry: entry.name not in ("b", "link"))}
    assert names.isdisjoint({"z.h", "link", "b"})
    assert {"x.h", "y.h", "up"} <= names


def test_links(tree: Path) -> None:
    entries = {entry.name: entry for entry in walk(tree)}
    links = [name for name, entry in entries.items() if is_directory(entry)]
    assert sorted(links) == ["link", "up"]


def test_what_is_missing_or_no_directory_is_empty(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert [*walk(tmp_path / "missing"), *walk(tmp_path / "file")] == []
