"""The site directory that passes the environment of the build on to SCons."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from variantbuild.delegate.handover.wrapper import Wrapper
from variantbuild.delegate.scons import reach_scons
from variantbuild.errors import DelegateError

WRAPPER = Wrapper(name="gcc", command=("/usr/bin/gcc-13",), language="c", family="gcc")
FILES = [(Path("SConstruct"), "Environment()")]


def given(changes: dict[str, str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(changes["_VARIANTBUILD_SCONS"])
    return found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SConstruct", ""),
        ("sub/SConscript", ""),
        ("sconstruct", ""),
        ("build.py", 'subprocess.run(["scons", "-f", "all.txt"])'),
        ("pyproject.toml", 'requires = ["enscons"]'),
        ("Makefile", "all:\n\tpython -m SCons"),
    ],
)
def test_what_runs_scons(name: str, text: str, tmp_path: Path) -> None:
    changes = reach_scons({}, [(Path(name), text)], (WRAPPER,), tmp_path, {"COMPILER_PATH": "/p"})
    assert changes["SCONSFLAGS"] == f"--site-dir={tmp_path / 'scons'}"
    compile((tmp_path / "scons" / "site_init.py").read_text(encoding="utf-8"), "site_init", "exec")
    assert given(changes)["directory"] == str(tmp_path)
    assert given(changes)["variables"] == {"COMPILER_PATH": "/p"}
    assert given(changes)["users"] is None


def test_other_builds_are_left_alone(tmp_path: Path) -> None:
    files = [(Path("Makefile"), "CC = gcc"), (Path("setup.py"), "second = 1")]
    assert reach_scons({}, files, (WRAPPER,), tmp_path, {}) == {}
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "users"),
    [
        ("-j4", None),
        ("--site-dir=own -j4", "own"),
        ("--site-dir own -j4", "own"),
        ("--site-dir=own --no-site-dir", ""),
        ("--no-site-dir --site-dir=/a", "/a"),
    ],
)
def test_site_directory_of_the_user_is_kept(flags: str, users: str | None, tmp_path: Path) -> None:
    changes = reach_scons({"SCONSFLAGS": flags}, FILES, (WRAPPER,), tmp_path, {})
    assert changes["SCONSFLAGS"] == f"{flags} --site-dir={tmp_path / 'scons'}"
    assert given(changes)["users"] == users


def test_whitespace_in_the_path(tmp_path: Path) -> None:
    directory, cache = tmp_path / "my files", tmp_path / "cache"
    env = {"XDG_CACHE_HOME": str(cache)}
    changes = reach_scons(env, FILES, (WRAPPER,), directory, {})
    place = Path(changes["SCONSFLAGS"].removeprefix("--site-dir="))
    assert place.is_relative_to(cache)
    assert (place / "site_init.py").is_file()
    with pytest.raises(DelegateError, match="contains whitespace"):
        reach_scons({"XDG_CACHE_HOME": str(directory)}, FILES, (WRAPPER,), directory, {})


def test_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "scons").write_text("", encoding="utf-8")
    with pytest.raises(DelegateError, match="site directory for SCons cannot be written"):
        reach_scons({}, FILES, (WRAPPER,), tmp_path, {})
