"""Staging directories: leftovers of a killed build are removed, those in use are kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from variantbuild.errors import WheelError
from variantbuild.host.durable import remove_staging
from variantbuild.host.staging import publish, publish_copy, staging_directory


def age(directory: Path) -> None:
    os.utime(directory, (1, 1))


def test_removed_at_the_end_and_after_an_error(tmp_path: Path) -> None:
    with staging_directory(tmp_path) as directory:
        (directory / "half.whl").touch()
        assert directory.parent == tmp_path
    with pytest.raises(RuntimeError), staging_directory(tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_leftovers_are_removed_and_what_is_in_use_stays(tmp_path: Path) -> None:
    dead = tmp_path / ".variantbuild-dead"
    dead.mkdir()
    (dead / "lock").touch()
    age(dead)
    foreign = tmp_path / ".variantbuild-without-a-lock"
    foreign.mkdir()
    (foreign / "file").touch()
    age(foreign)
    unborn = tmp_path / ".variantbuild-died-before-its-lock"
    unborn.mkdir()
    age(unborn)
    half = tmp_path / ".variantbuild-1-0.tmp"
    half.touch()
    age(half)
    with staging_directory(tmp_path) as busy:
        age(busy)
        with staging_directory(tmp_path):
            assert not dead.exists()
            assert not unborn.exists()
            assert not half.exists()
            assert busy.exists()
            assert foreign.exists()


def test_publish_replaces_whole_files(tmp_path: Path) -> None:
    old = tmp_path / "a.whl"
    old.write_text("old")
    with staging_directory(tmp_path) as directory:
        (directory / "a.whl").write_text("new")
        assert publish(directory / "a.whl", tmp_path) == old
    assert old.read_text() == "new"
    other = tmp_path / "other"
    other.mkdir()
    assert publish_copy(old, other).read_text() == "new"
    assert old.exists()


def test_missing_directory(tmp_path: Path) -> None:
    with (
        pytest.raises(WheelError, match="does not exist"),
        staging_directory(tmp_path / "nowhere"),
    ):
        pass


def test_a_kill_during_removal_leaves_the_lock(tmp_path: Path) -> None:
    directory = tmp_path / ".variantbuild-x"
    (directory / "entry").mkdir(parents=True)
    for name in ("a", "lock", "z", "entry/file"):
        (directory / name).touch()
    (directory / "link").symlink_to(tmp_path)
    removed: list[str] = []
    real = os.unlink

    def note(path: str | Path, **kwargs: int) -> None:
        removed.append(Path(path).name)
        real(path, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "unlink", note)
        patch.setattr(Path, "unlink", note)  # Python 3.10 took its own reference at import
        remove_staging(directory)
    assert removed[-1] == "lock"
    assert sorted(removed) == ["a", "file", "link", "lock", "z"]
    assert list(tmp_path.iterdir()) == []
