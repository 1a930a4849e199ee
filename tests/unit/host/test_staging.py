"""Private folders: what is left of a killed build goes, what is in use stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from variantbuild.errors import WheelError
from variantbuild.host.staging import private_folder, publish, publish_copy


def age(folder: Path) -> None:
    os.utime(folder, (1, 1))


def test_removed_at_the_end_and_after_an_error(tmp_path: Path) -> None:
    with private_folder(tmp_path) as folder:
        (folder / "half.whl").touch()
        assert folder.parent == tmp_path
    with pytest.raises(RuntimeError), private_folder(tmp_path):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_left_over_folders_go_and_those_in_use_stay(tmp_path: Path) -> None:
    dead = tmp_path / ".variantbuild-dead"
    dead.mkdir()
    (dead / "lock").touch()
    age(dead)
    foreign = tmp_path / ".variantbuild-without-a-lock"
    foreign.mkdir()
    age(foreign)
    with private_folder(tmp_path) as busy:
        age(busy)
        with private_folder(tmp_path):
            assert not dead.exists()
            assert busy.exists()
            assert foreign.exists()


def test_publish_replaces_whole_files(tmp_path: Path) -> None:
    old = tmp_path / "a.whl"
    old.write_text("old")
    with private_folder(tmp_path) as folder:
        (folder / "a.whl").write_text("new")
        assert publish(folder / "a.whl", tmp_path) == old
    assert old.read_text() == "new"
    other = tmp_path / "other"
    other.mkdir()
    assert publish_copy(old, other).read_text() == "new"
    assert old.exists()


def test_missing_folder(tmp_path: Path) -> None:
    with (
        pytest.raises(WheelError, match="does not exist"),
        private_folder(tmp_path / "nowhere"),
    ):
        pass
