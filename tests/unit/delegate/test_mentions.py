"""The compilers that a project names, in its build files and in values."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.delegate.drivers import LANGUAGES
from variantbuild.delegate.mentions import (
    Mention,
    OwnPath,
    find_absolute,
    find_mentions,
    find_own_path,
    read_build_files,
)


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
    assert find_mentions(names, read_build_files(tmp_path), ()) == found
    (tmp_path / "Makefile").unlink()
    assert find_mentions(names, read_build_files(tmp_path), (text,)) == found


@pytest.mark.parametrize(
    "name",
    [
        "GNUmakefile",
        "Makefile.linux",
        "makefile_gcc",
        "make.inc",
        "Make.rules.x86",
        "config.mak",
        "Makefile.am",
        "configure.ac",
        "build.ninja",
        "BUILD.gn",
        "binding.gyp",
        "BUILD",
        "sconstruct",
        "src/SConscript",
        "wscript_build",
        "Jamroot",
        "Rakefile",
        "xmake.lua",
        "app.pro",
        "build.zig",
        "toolchain.yaml",
        ".env",
    ],
)
def test_build_files_of_other_build_systems_are_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("cc = /opt/x/gcc", encoding="utf-8")
    assert list(find_absolute(LANGUAGES, read_build_files(tmp_path), {})) == [
        Mention("/opt/x/gcc", name)
    ]


@pytest.mark.parametrize(
    ("name", "text", "path"),
    [
        ("Makefile", "CC = /usr/bin/gcc\n", "/usr/bin/gcc"),
        ("Makefile", "CC := ccache /opt/x/bin/clang-15\n", "/opt/x/bin/clang-15"),
        ("lib/rules.mk", "CXX=/usr/bin/x86_64-linux-gnu-g++-12 -m64", None),
        ("cmake/tc.cmake", 'set(CMAKE_C_COMPILER "/usr/bin/cc")', "/usr/bin/cc"),
        ("CMakePresets.json", '{"CMAKE_CXX_COMPILER": "/usr/bin/c++"}', "/usr/bin/c++"),
        ("native.ini", "[binaries]\nc = ['/usr/bin/ccache', '/usr/bin/gcc']", "/usr/bin/gcc"),
        ("setup.py", "os.environ['CC'] = '/usr/bin/gcc-13'", "/usr/bin/gcc-13"),
        ("Makefile", "CC = gcc", None),
        ("Makefile", "AR = /usr/bin/gcc-ar", None),
        ("Makefile", "X = /usr/lib/gcc/x86_64", None),
        ("Makefile", "X = ../tools/bin/gcc", None),
        ("README.md", "/usr/bin/gcc", None),
        (".github/x.sh", "/usr/bin/gcc", None),
    ],
)
def test_absolute_path(name: str, text: str, path: str | None, tmp_path: Path) -> None:
    if path is None and "g++-12" in text:
        path = "/usr/bin/x86_64-linux-gnu-g++-12"
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    mentions = find_absolute(LANGUAGES, read_build_files(tmp_path), {})
    found = [(each.path, each.place) for each in mentions]
    assert found == ([] if path is None else [(path, name)])


def test_path_behind_a_variable(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("A=$(T)/bin/gcc\nB=${T}/clang\n", encoding="utf-8")
    assert list(find_absolute(LANGUAGES, read_build_files(tmp_path), {})) == [
        Mention("/bin/gcc", "Makefile", computed=True),
        Mention("/clang", "Makefile", computed=True),
    ]


def test_settings_come_first_and_have_their_names(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("CC = /usr/bin/gcc\n", encoding="utf-8")
    values = {"CMAKE_ARGS": "-DCMAKE_C_COMPILER=/opt/bin/gcc -G Ninja"}
    first, second = find_absolute(LANGUAGES, read_build_files(tmp_path), values)
    assert first == Mention("/opt/bin/gcc", "CMAKE_ARGS")
    assert second.place == "Makefile"


@pytest.mark.parametrize(
    "line",
    [
        "export PATH := /usr/bin:/bin",
        "PATH = /usr/bin",
        "PATH=/usr/bin:$PATH",
        "env PATH=/usr/bin make",
        "env -i make",
        'os.environ["PATH"] = "/usr/bin"',
        "run(['make'], env={'PATH': '/usr/bin'})",
        "run(['make'], env=dict(os.environ, PATH='/usr/bin'))",
        "set(ENV{PATH} /usr/bin)",
        'os.putenv("PATH", "/usr/bin")',
    ],
)
def test_line_that_sets_path(line: str, tmp_path: Path) -> None:
    (tmp_path / "build.py").write_text(f"first = 1\n  {line}\nlast = 2\n", encoding="utf-8")
    assert find_own_path(read_build_files(tmp_path)) == OwnPath("build.py", line)


@pytest.mark.parametrize(
    "line",
    [
        "CMAKE_PREFIX_PATH=/opt",
        "set(MODULE_PATH ${PATH})",
        'if os.environ["PATH"] == "":',
        "echo $PATH",
        'path = os.environ["PATH"]',
        "env = Environment(ENV=os.environ)",
    ],
)
def test_line_that_leaves_path_alone(line: str, tmp_path: Path) -> None:
    for name in ("build.py", "SConstruct", "CMakeLists.txt"):
        (tmp_path / name).write_text(f"{line}\n# environ\n", encoding="utf-8")
    assert find_own_path(read_build_files(tmp_path)) is None


def test_long_line_is_cut_and_scons_has_a_path_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "SConstruct"
    file.write_text("env = Environment()\n", encoding="utf-8")
    assert find_own_path(read_build_files(tmp_path)) == OwnPath("SConstruct", "")
    file.write_text(f"env = Environment(ENV={{'PATH': '{'x' * 90}'}})\n", encoding="utf-8")
    found = find_own_path(read_build_files(tmp_path))
    assert found is not None
    assert found.line.endswith("xxx…")
    assert len(found.line) == 61


@pytest.mark.parametrize(
    ("name", "text", "mode", "read"),
    [
        ("Makefile.linux", "CC=gcc", 0o644, True),
        ("wscript", "conf.load('gcc')", 0o644, True),
        ("tools/cc", "#!/bin/sh\nexec gcc", 0o755, True),
        ("tools/cc", "#!/bin/sh\nexec gcc", 0o644, False),
        ("tools/data", "gcc", 0o755, False),
        ("NEWS", "gcc", 0o644, False),
        ("NEWS.md", "#!gcc", 0o755, False),
    ],
)
def test_files_that_are_read(name: str, text: str, mode: int, read: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    assert find_mentions(("gcc",), read_build_files(tmp_path), ()) == ({"gcc"} if read else set())
