"""The copy of a source tree that a build of an unknown kind gets."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from variantbuild.delegate.privatetree import copy_source
from variantbuild.errors import DelegateError


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    source = tmp_path / "work" / "demo"
    (source / "src").mkdir(parents=True)
    (tmp_path / "work" / "common.c").write_text("int shared;")
    (source / "src" / "a.c").write_text("int a;")
    return source


def copied(tree: Path, tmp_path: Path) -> Path:
    staging = tmp_path / ".variantbuild-x"
    staging.mkdir()
    return copy_source(tree, staging)


def test_files_keep_modes_times_and_links(tree: Path, tmp_path: Path) -> None:
    script = tree / "configure"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    os.utime(script, (1_500_000_000, 1_500_000_000))
    (tree / "inner").symlink_to("src/a.c")
    (tree / "outer").symlink_to("../common.c")
    copy = copied(tree, tmp_path)
    assert (copy / "configure").stat().st_mode & 0o777 == 0o755
    assert (copy / "configure").stat().st_mtime == 1_500_000_000
    assert (copy / "inner").readlink() == Path("src/a.c")
    assert (copy / "outer").read_text() == "int shared;"
    assert (copy / ".." / "common.c").read_text() == "int shared;"


@pytest.mark.parametrize(
    "name",
    [
        "venv/pyvenv.cfg",
        "_cmake/CMakeCache.txt",
        "_skbuild/x",
        "build/temp.linux/a.o",
        "t/CACHEDIR.TAG",
        "build/lib.linux/m.so",
        "build/variantbuild-v3-0/compilers/gcc",
        "src/__pycache__/a.pyc",
        ".sconsign.dblite",
        "src/.sconsign",
        ".sconf_temp/conftest_0.c",
        ".ninja_log",
        "out/.ninja_deps",
        ".lock-waf_linux_build",
        "out/c4che/_cache.py",
        ".xmake/linux/config",
    ],
)
def test_what_earlier_builds_left_is_not_copied(name: str, tree: Path, tmp_path: Path) -> None:
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).touch()
    copy = copied(tree, tmp_path)
    assert not (copy / name).exists()
    assert (copy / "src" / "a.c").exists()


def test_sources_below_a_directory_called_build_are_copied(tree: Path, tmp_path: Path) -> None:
    for name in ("build/gen.py", "build/library/x.c", "src/build/lib.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).touch()
    copy = copied(tree, tmp_path)
    assert (copy / "build" / "gen.py").exists()
    assert (copy / "build" / "library" / "x.c").exists()
    assert (copy / "src" / "build" / "lib.py").exists()


def test_compiled_file_is_older_than_its_source(tree: Path, tmp_path: Path) -> None:
    (tree / "src" / "a.o").touch()
    copy = copied(tree, tmp_path)
    assert (
        (copy / "src" / "a.o").stat().st_mtime
        < 400_000_000
        < (tree / "src" / "a.c").stat().st_mtime
    )


def test_object_that_a_checkout_would_not_have_is_left_out(tree: Path, tmp_path: Path) -> None:
    for name in ("src/a.o", "src/kept.o", "src/m.abi3.so"):
        (tree / name).touch()
    (tree / ".git").mkdir()
    (tree / ".git" / "index").write_bytes(b"DIRC\0\0\0\2" + b"\1" * 66 + b"src/kept.o\0")
    copy = copied(tree, tmp_path)
    assert sorted(each.name for each in (copy / "src").iterdir()) == ["a.c", "kept.o", "m.abi3.so"]


def test_project_within_a_repository_is_copied_with_it(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "work" / ".git").mkdir()
    copy = copied(tree, tmp_path)
    assert copy.name == "demo"
    assert (copy.parent / "common.c").is_file()
    assert not (copy.parent / "common.c").is_symlink()
    assert (copy.parent / ".git").is_symlink()


def test_copy_that_cannot_be_written_is_an_error(tree: Path, tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    staging.mkdir()
    (staging / "tree").touch()
    with pytest.raises(DelegateError, match="cannot be copied"):
        copy_source(tree, staging)
