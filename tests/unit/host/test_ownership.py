"""Files that another user may have changed, and homes of other users."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from variantbuild.host.ownership import distrust, distrust_new, make_private

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
_as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give files away"
)
_NOBODY = 65534


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a directory of this user that contains `settings/config.toml`."""
    with tempfile.TemporaryDirectory() as outside:
        path = Path(outside, "home")
        (path / "settings").mkdir(parents=True)
        (path / "settings" / "config.toml").touch(mode=0o644)
        for each in (path, path / "settings"):
            each.chmod(0o755)
        yield path


def test_own_files_are_trusted(home: Path) -> None:
    assert distrust(home / "settings" / "config.toml") is None


@pytest.mark.parametrize("mode", [0o666, 0o646, 0o777, 0o602])
def test_a_file_that_others_can_write(home: Path, mode: int) -> None:
    file = home / "settings" / "config.toml"
    file.chmod(mode)
    assert distrust(file) == f"other users can write to {file}"


@pytest.mark.parametrize("part", ["settings", "."])
def test_a_directory_that_others_can_write(home: Path, part: str) -> None:
    """They can replace the file."""
    (home / part).chmod(0o777)
    assert distrust(home / "settings" / "config.toml") == f"other users can write to {home / part}"


def test_a_directory_with_the_sticky_bit(home: Path) -> None:
    home.chmod(0o1777)
    assert distrust(home / "settings" / "config.toml") is None


def test_a_group_of_several(home: Path) -> None:
    file = home / "settings" / "config.toml"
    file.chmod(0o664)
    if os.geteuid() == 0:
        assert distrust(file) is None  # the group root
        os.chown(file, 0, _NOBODY)
        assert distrust(file) is not None


@_as_root
@pytest.mark.parametrize("part", ["settings/config.toml", "settings", "."])
def test_what_belongs_to_another_user(home: Path, part: str) -> None:
    os.chown(home / part, _NOBODY, _NOBODY)
    found = distrust(home / "settings" / "config.toml")
    assert found is not None
    assert found.startswith(f"{home / part} belongs to ")


@_as_root
def test_a_link_of_another_user(home: Path) -> None:
    link = home / "link.toml"
    link.symlink_to(home / "settings" / "config.toml")
    assert distrust(link) is None
    os.lchown(link, _NOBODY, _NOBODY)
    assert distrust(link) is not None


@_as_root
def test_a_link_to_a_file_of_another_user(home: Path) -> None:
    target = home / "theirs.toml"
    target.touch()
    os.chown(target, _NOBODY, _NOBODY)
    (home / "link.toml").symlink_to(target)
    assert distrust(home / "link.toml") == distrust(target)


@_as_root
def test_nothing_is_created_in_the_home_of_another_user(home: Path) -> None:
    new = home / ".cache" / "variantbuild" / "wheels"
    assert distrust_new(new) is None
    os.chown(home, _NOBODY, _NOBODY)
    found = distrust_new(new)
    assert found is not None
    assert found.startswith(f"{home} belongs to ")


def test_new_directories_are_private_under_any_umask(home: Path) -> None:
    umask = os.umask(0)
    try:
        make_private(home / "a" / "b" / "c")
    finally:
        os.umask(umask)
    assert distrust(home / "a" / "b" / "c") is None
    assert (home / "a").stat().st_mode & 0o777 == 0o700
