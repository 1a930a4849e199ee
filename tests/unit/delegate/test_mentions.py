"""The compilers that a project names, in its build files and in values."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.delegate.mentions import find_mentions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CC = gcc", {"gcc"}),
        ("CC=gcc-11 -pipe", {"gcc-11"}),
        ("CC ?= gcc-4.8", {"gcc-4.8"}),
        ('CC = "clang-15"', {"clang-15"}),
        ("CC = gcc-$(VERSION)", {"gcc-*"}),
        ('cc = f"gcc-{version}"', {"gcc-*"}),
        ('cc = "gcc-" + version', {"gcc-*"}),
        ("CXX := x86_64-linux-gnu-g++-12", {"x86_64-linux-gnu-g++-12"}),
        ("set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)", {"aarch64-linux-gnu-gcc"}),
        ("c = ['ccache', 'gcc']", {"gcc"}),
        ("CC=/opt/bin/gcc", {"gcc"}),
        ("-DCMAKE_C_COMPILER=gcc", {"gcc"}),
        ("$(CROSS)gcc", {"gcc"}),
        ("AR = gcc-ar", set()),
        ("gcc_flags = mygcc + gccgo", set()),
        ("cc.sh and g", set()),
    ],
)
def test_compiler_is_found_as_it_is_called(text: str, found: set[str], tmp_path: Path) -> None:
    names = ("gcc", "g++", "clang")
    (tmp_path / "Makefile").write_text(text, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("clang", encoding="utf-8")
    assert find_mentions(names, tmp_path, ()) == found
    (tmp_path / "Makefile").unlink()
    assert find_mentions(names, tmp_path, (text,)) == found
