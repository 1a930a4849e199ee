"""Everything outside of the source that a build finds is part of the key."""

from __future__ import annotations

import os
import sys
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from variantbuild.buildcache import installed, surroundings
from variantbuild.buildcache.installed import visible_distributions
from variantbuild.buildcache.surroundings import describe_searched, describe_system
from variantbuild.errors import WheelError

_TREE = Path("/nonexistent/tree")


def written(path: Path, text: str = "1") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def changes_with(file: Path, env: dict[str, str]) -> bool:
    """Return whether the description changes with the contents of `file`, and only with them."""
    written(file, "1")
    first = describe_searched(env, _TREE)
    status = file.stat()
    written(file, "2")
    # As after `cp -p` and in unpacked archives: size and time are the same.
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    second = describe_searched(env, _TREE)
    written(file, "1")
    return first != second and describe_searched(env, _TREE) == first


@pytest.mark.parametrize(
    ("variable", "value", "file"),
    [
        ("CPATH", "{}/a:{}/b", "b/x.h"),
        ("CPATH", "{}/a", "a/deep/er/x.h"),
        ("CPATH", ":{}/a:", "a/x.h"),
        ("C_INCLUDE_PATH", "{}", "x.h"),
        ("CPLUS_INCLUDE_PATH", "{}", "x.hpp"),
        ("OBJC_INCLUDE_PATH", "{}", "x.h"),
        ("LIBRARY_PATH", "{}/lib", "lib/libx.a"),
        ("LIBRARY_PATH", "{}/lib", "lib/libx.so"),
        ("COMPILER_PATH", "{}", "cc1"),
        ("GCC_EXEC_PREFIX", "{}/gcc", "gcc/specs"),
        ("PKG_CONFIG_PATH", "{}/pc", "pc/x.pc"),
        ("PKG_CONFIG_LIBDIR", "{}/pc", "pc/x.pc"),
        ("CMAKE_PREFIX_PATH", "/none;{}", "include/x.h"),
        ("CMAKE_PREFIX_PATH", "{}", "lib/cmake/x/xConfig.cmake"),
        ("OPENBLAS_ROOT", "{}", "lib/libopenblas.a"),
        ("CFLAGS", "-O2 -I{}/inc", "inc/x.h"),
        ("CFLAGS", "-O2 -I {}/inc", "inc/x.h"),
        ("CXXFLAGS", "-isystem {}/inc", "inc/x.h"),
        ("CPPFLAGS", "'-I{}/in c'", "in c/x.h"),
        ("LDFLAGS", "-L{}/lib -lx", "lib/libx.a"),
        ("LDFLAGS", "-Wl,-L{}/lib", "lib/libx.a"),
        ("LDFLAGS", "{}/libx.a", "libx.a"),
        ("CFLAGS", "-B{}/bin", "bin/as"),
        ("CFLAGS", "--sysroot={}/root", "root/usr/include/x.h"),
        ("CFLAGS", "-include {}/x.h", "x.h"),
        ("CFLAGS", "-specs={}/x.specs", "x.specs"),
        ("CFLAGS", "@{}/flags", "flags"),
        ("CC", "gcc -I{}/inc", "inc/x.h"),
        ("NVCC_APPEND_FLAGS", "-I{}/inc", "inc/x.h"),
        ("CMAKE_TOOLCHAIN_FILE", "{}/toolchain.cmake", "toolchain.cmake"),
        ("CMAKE_ARGS", "-DCMAKE_TOOLCHAIN_FILE={}/t.cmake", "t.cmake"),
        ("DIST_EXTRA_CONFIG", "{}/extra.cfg", "extra.cfg"),
        ("A_PROJECTS_OWN", "{}/file", "file"),
        ("HOME", "{}", ".pydistutils.cfg"),
        ("PYTHONPATH", "{}", "module.py"),
    ],
)
def test_contents_count(tmp_path: Path, variable: str, value: str, file: str) -> None:
    env = {variable: value.replace("{}", str(tmp_path))}
    assert changes_with(tmp_path / file, env)


def test_headers_behind_pkg_config_count(tmp_path: Path) -> None:
    text = (
        "prefix=${pcfiledir}/../..\nincludedir = ${prefix}/include\nlibdir=${prefix}/lib\n"
        "Name: x\nVersion: 1\nCflags: -I${includedir}/x -I" + str(tmp_path) + "/other\n"
        "Libs: -L" + str(tmp_path) + "/static -lx\n"
    )
    written(tmp_path / "lib" / "pkgconfig" / "x.pc", text)
    env = {"PKG_CONFIG_PATH": str(tmp_path / "lib" / "pkgconfig")}
    for name in ("include/x.h", "lib/libx.a", "other/y.h", "static/libx.a"):
        assert changes_with(tmp_path / name, env), name


def test_a_new_header_counts(tmp_path: Path) -> None:
    env = {"CPATH": str(tmp_path)}
    first = describe_searched(env, _TREE)
    written(tmp_path / "new.h")
    assert describe_searched(env, _TREE) != first


@pytest.mark.parametrize("variable", ["PYTHONPATH", "CMAKE_MODULE_PATH"])
@pytest.mark.parametrize("directory", ["", "package", "package/inner"])
def test_bytecode_does_not_count(tmp_path: Path, variable: str, directory: str) -> None:
    """Builds write it for the modules that they import."""
    written(tmp_path / directory / "module.py")
    env = {variable: str(tmp_path)}
    first = describe_searched(env, _TREE)
    written(tmp_path / directory / "__pycache__" / "module.cpython-311.pyc")
    assert describe_searched(env, _TREE) == first
    assert changes_with(tmp_path / directory / "sourceless.pyc", env)


def test_the_source_is_not_described_again(tmp_path: Path) -> None:
    written(tmp_path / "x.h")
    assert describe_searched({"CPATH": f"{tmp_path}:relative"}, tmp_path) == ""


def test_odd_variables(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "gone").symlink_to("nowhere")
    env = {"CFLAGS": "-I 'unmatched -I", "CPATH": f"{tmp_path}:/dev/null", "X": "/" + "a" * 5000}
    assert "gone missing" in describe_searched(env, _TREE)


def test_too_many_files_are_not_cached(tmp_path: Path) -> None:
    for name in "abcd":
        written(tmp_path / name)
    with pytest.raises(WheelError, match="contain over 3 files"):
        describe_searched({"CPATH": str(tmp_path)}, _TREE, most=3)
    assert describe_searched({"CPATH": str(tmp_path)}, _TREE, most=4)


def test_system_headers_and_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"system": [str(tmp_path / "include")]}
    monkeypatch.setattr(surroundings, "load_table", lambda _: table)
    versions = iter(["1.2.13", "1.2.13", "1.2.13", "1.3.1"])
    monkeypatch.setattr(surroundings, "_packages", lambda: [f"zlib1g-dev {next(versions)}"])
    header = written(tmp_path / "include" / "zlib.h")
    first = describe_system()
    assert describe_system() == first
    written(header, "longer")
    second = describe_system()
    assert len({first, second, describe_system()}) == 3


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (
            "Package: zlib1g-dev\nStatus: install ok installed\nVersion: 1:1.2\nMaintainer: x\n\n"
            "Package: a\nVersion: 2\n\n",
            ["", "Package: a Version: 2", "Package: zlib1g-dev Status: install ok installed "
             "Version: 1:1.2"],
        ),
        ("", [""]),
    ],
)  # fmt: skip
def test_the_database_of_packages(tmp_path: Path, text: str, fields: list[str]) -> None:
    database = written(tmp_path / "status", text)
    found = surroundings._fields(database, ("Package: ", "Version: ", "Status: "))
    assert sorted(found) == fields


def distribution(directory: Path, record: str, **files: str) -> Distribution:
    written(directory / "METADATA", "Metadata-Version: 2.1\nName: cython\nVersion: 3.0\n")
    written(directory / "RECORD", record)
    for name, text in files.items():
        written(directory / f"{name}.json", text)
    return Distribution.at(directory)


def versions(monkeypatch: pytest.MonkeyPatch, *found: Distribution) -> list[str]:
    monkeypatch.setattr(installed, "distributions", lambda: found)
    return [version for _, version in visible_distributions()]


_ROW = "cython/__init__.py,sha256=AAAA,7\n"


def test_build_requirements_count_by_their_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = {
        "first": _ROW,
        # In another environment, by another installer, compiled or not.
        "same": _ROW + "../../bin/cython,sha256=BBBB,200\ncython/__pycache__/__init__.pyc,,\n"
        "cython/__pycache__/shadow.pyc,,\n"
        "cython-3.0.dist-info/INSTALLER,sha256=CCCC,2\ncython-3.0.dist-info/RECORD,,\n",
        "edited": _ROW.replace("AAAA", "DDDD"),
        "more": _ROW + "cython/more.py,sha256=EEEE,1\n",
        "less": "",
    }
    found = versions(monkeypatch, *(distribution(tmp_path / k, v) for k, v in records.items()))
    first, same, *others = found
    assert first == same
    assert first.startswith("3.0 ")
    assert len({first, *others}) == 4


@pytest.mark.parametrize(
    ("file", "text", "name", "version"),
    [
        ("METADATA", "Name: a\nVersion: 1\n", "a", "1"),
        ("METADATA", "Version: 1\r\nName: a\r\n\r\nName: b\r\nVersion: 2\r\n", "a", "1"),
        ("METADATA", "name: a\nSummary: x\n  y\nVERSION: 1\n\n\nName: b\n", "a", "1"),
        ("METADATA", "Metadata-Version: 2.1\n\nName: b\nVersion: 2\n", "None", "None"),
        ("METADATA", "", "None", "None"),
        ("PKG-INFO", "Name: a\nVersion: 1\n", "a", "1"),
        ("other", "", "None", "None"),
    ],
)
def test_name_and_version_are_those_of_the_headers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str, name: str, version: str
) -> None:
    (tmp_path / file).write_text(text, "utf-8", newline="")
    each = Distribution.at(tmp_path)
    monkeypatch.setattr(installed, "distributions", lambda: [each])
    ((found, described),) = visible_distributions()
    assert (found, described.split()[0]) == (name, version)


def test_an_egg_info_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So distutils wrote it, and Debian does for some modules."""
    written(tmp_path / "a-1.egg-info", "Metadata-Version: 1.1\nName: a\nVersion: 1\n\nName: b\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    ((name, version),) = visible_distributions()
    assert (name, version.split()[0]) == ("a", "1")


def test_editable_requirements_count_by_their_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = written(tmp_path / "a tree" / "cython.py")
    url = (tmp_path / "a tree").as_uri()
    each = distribution(
        tmp_path / "x", _ROW, direct_url=f'{{"url": "{url}", "dir_info": {{"editable": true}}}}'
    )
    first = versions(monkeypatch, each)
    assert versions(monkeypatch, each) == first
    written(source, "changed")
    assert versions(monkeypatch, each) != first
    for text in ("", "[]", "{", '{"url": 1, "dir_info": {"editable": true}}'):
        assert versions(monkeypatch, distribution(tmp_path / "y", _ROW, direct_url=text))
