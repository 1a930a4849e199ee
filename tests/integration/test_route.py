"""The flags reach every compilation of real build systems, and no build uses another's objects."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from variantbuild.audit import audit_wheel
from wheelhouse import share_once
from workshop import Done, copy_project, run

pytestmark = pytest.mark.compile

_BUILD = """
import importlib, json, sys
backend, wheels, settings = sys.argv[1:]
print(importlib.import_module(backend).build_wheel(wheels, json.loads(settings)))
"""
_DELEGATES = {
    "hatch": "hatchling.build",
    "pdm": "pdm.backend",
    "poetry": "poetry.core.masonry.api",
    "subprocess": "poetry.core.masonry.api",
    "setuptools": "setuptools.build_meta",
    "in-tree": "late_backend",
    "cmake-subprocess": "scikit_build_core.build",
    "meson-subprocess": "mesonpy",
}

Project = Callable[[str], Path]


class Build(Protocol):
    """Build a tree as a wheel with config-settings `variantbuild.KEY`; `backend` may be plain."""

    def __call__(
        self,
        tree: Path,
        settings: Mapping[str, str],
        *,
        backend: str = ...,
        env: Mapping[str, str] | None = ...,
    ) -> Done: ...


@pytest.fixture(scope="session")
def backends(tmp_path_factory: pytest.TempPathFactory, uv_program: Path) -> Path:
    """A directory with the delegates of the projects, installed once."""
    call = (uv_program, "pip", "install", "-q", "--compile-bytecode", "--python", sys.executable)
    names = (
        "poetry-core",
        "pdm-backend",
        "hatchling",
        "maturin",
        "cffi",
        "meson-python",
        "scikit-build",
        "scikit-build-core",
        "enscons",
        "setuptools",
        "cmake",
        "ninja",
    )

    def install(directory: Path) -> None:
        subprocess.run([*call, "--target", directory, *names], check=True)

    return share_once(tmp_path_factory, "route-backends", install)


@pytest.fixture
def build(backends: Path, tmp_path: Path) -> Build:
    """Build a tree as a wheel with config-settings `variantbuild.KEY`; `backend` may be plain."""

    def build_tree(
        tree: Path,
        settings: Mapping[str, str],
        *,
        backend: str = "variantbuild",
        env: Mapping[str, str] | None = None,
    ) -> Done:
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        for old in out.iterdir():
            old.unlink()
        given = {f"variantbuild.{key}": value for key, value in settings.items()}
        own = os.environ.get("PYTHONPATH", "")  # the working tree, if it is not the installed copy
        path = os.pathsep.join(filter(None, (str(backends), own, str(tree / "tools"))))
        clean = {k: v for k, v in os.environ.items() if not k.endswith("FLAGS")}
        clean |= {"PYTHONPATH": path, "PATH": f"{backends / 'bin'}:{os.environ['PATH']}"}
        words = (sys.executable, "-c", _BUILD, backend, str(out), json.dumps(given))
        return run(*words, cwd=tree, env={**clean, **(env or {})})

    return build_tree


def built(done: Done, tmp_path: Path) -> Path:
    done.ok()
    return tmp_path / "out" / done.stdout.strip().splitlines()[-1]


def options(wheel: Path) -> list[str]:
    """The command lines that gcc or clang recorded in the modules of `wheel`."""
    lines = []
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                found = re.findall(rb"[ -~]*-march=[ -~]*", archive.read(name))
                lines += [each.decode() for each in found]
    return lines


def macros(wheel: Path, tmp_path: Path) -> tuple[int, int]:
    """Whether the module was optimised, and compiled with NDEBUG."""
    place = tmp_path / "unpacked" / wheel.name
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    code = "import demo._m as m; print(*m.flags())"
    said = run(sys.executable, "-c", code, cwd=place, env=dict(os.environ)).ok().stdout.split()
    return int(said[0]), int(said[1])


class Plain(Protocol):
    """Return `macros` of a project that its own backend builds, with `flags` in CFLAGS."""

    def __call__(self, name: str, flags: str | None = None) -> tuple[int, int]: ...


@pytest.fixture
def plain(build: Build, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Plain:
    """Build each project without ours once a session."""

    def build_plain(name: str, flags: str | None = None) -> tuple[int, int]:
        def make(directory: Path) -> None:
            env = {} if flags is None else {"CFLAGS": flags}
            tree = copy_project(f"route-{name}", tmp_path / "alone")
            wheel = built(build(tree, {}, backend=_DELEGATES[name], env=env), tmp_path)
            (directory / "macros.json").write_text(json.dumps(macros(wheel, directory)))

        key = "-".join(re.findall(r"\w+", f"{name} {'' if flags is None else flags}"))
        directory = share_once(tmp_path_factory, f"plain-{key}", make)
        optimised, without_asserts = json.loads((directory / "macros.json").read_bytes())
        return optimised, without_asserts

    return build_plain


_SETTINGS = ({"cpu": "v1"}, {"cpu": "v3"}, {"cpu": "none", "flags.c": "-g1"})


@pytest.mark.parametrize("settings", _SETTINGS, ids=lambda each: each["cpu"])
@pytest.mark.parametrize("name", sorted(_DELEGATES))
def test_setuptools_compiles_with_its_own_flags_and_ours(
    name: str,
    settings: dict[str, str],
    project: Project,
    build: Build,
    plain: Plain,
    tmp_path: Path,
) -> None:
    wheel = built(build(project(f"route-{name}"), settings), tmp_path)
    assert macros(wheel, tmp_path) == (1, 1)
    if settings["cpu"] == "v3":
        assert options(wheel)
        assert all("-march=x86-64-v3" in line for line in options(wheel))
    assert plain(name) == (1, 1)


@pytest.mark.parametrize("flags", ["-g", "-O1 -march=x86-64-v2"])
@pytest.mark.parametrize("name", sorted(_DELEGATES.keys() - {"setuptools"}))
def test_cflags_of_the_user_keep_their_meaning(
    name: str, flags: str, project: Project, build: Build, plain: Plain, tmp_path: Path
) -> None:
    tree = project(f"route-{name}")
    wheel = built(build(tree, {"cpu": "v3"}, env={"CFLAGS": flags}), tmp_path)
    assert all(line.rindex("-march=x86-64-v3") > line.rfind("v2") for line in options(wheel))
    found = macros(wheel, tmp_path)
    assert found == plain(name, flags)


CMAKE = {
    "args": ('cmake.args = ["-DCMAKE_C_FLAGS=-O3"]', {}),
    "table with env": ('cmake.define.CMAKE_C_FLAGS = {env = "MYFLAGS", default = "-O3"}', {}),
    "list": ('cmake.define.CMAKE_C_FLAGS = ["-O3"]', {}),
    "overrides": (
        '[[tool.scikit-build.overrides]]\nif.platform-system = "linux"\n'
        'cmake.define.CMAKE_C_FLAGS = "-O3"',
        {},
    ),
    "toolchain": (
        'cmake.args = ["-DCMAKE_TOOLCHAIN_FILE=tc.cmake"]',
        {"tc.cmake": 'set(CMAKE_C_COMPILER gcc)\nset(CMAKE_C_FLAGS "-O3" CACHE STRING "" FORCE)\n'},
    ),
    "preset": (
        'cmake.args = ["--preset=own"]',
        {
            "CMakePresets.json": '{"version": 3, "configurePresets": [{"name": "own", '
            '"cacheVariables": {"CMAKE_C_FLAGS": "-O3"}, "generator": "Ninja", '
            '"binaryDir": "${sourceDir}/b"}]}'
        },
    ),
    "include": (
        'cmake.args = ["-DCMAKE_PROJECT_INCLUDE=inc.cmake"]',
        {"inc.cmake": 'set(CMAKE_C_FLAGS "-O1")\nset(CMAKE_C_COMPILER_LAUNCHER env -u CFLAGS)\n'},
    ),
    "set": ("", {"CMakeLists.txt": 'set(CMAKE_C_FLAGS "-O3")'}),
    "release": ("", {"CMakeLists.txt": 'set(CMAKE_C_FLAGS "")\nset(CMAKE_C_FLAGS_RELEASE "-O3")'}),
}


@pytest.mark.parametrize("case", CMAKE)
def test_cmake_flags_of_the_project_are_added_to_ours(
    case: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-cmake")
    lines, files = CMAKE[case]
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"{lines}\n")
    for name, text in files.items():
        before = (tree / name).read_text(encoding="utf-8") if (tree / name).exists() else ""
        text = before.replace("find_package", f"{text}\nfind_package") if before else text
        (tree / name).write_text(text, encoding="utf-8")
    wheel = built(build(tree, {"cpu": "v3"}), tmp_path)
    assert all("-march=x86-64-v3" in line for line in options(wheel))
    assert macros(wheel, tmp_path)[0] == 1


@pytest.mark.parametrize(
    "text",
    [
        "[built-in options]\nc_args = ['-O3', '-fno-math-errno']\n",
        "[binaries]\nc = 'gcc'\n[built-in options]\nc_args = ['-O3']\n",
        "[binaries]\nc = ['gcc', '-pipe']\n[properties]\nc_args = ['-O3']\n",
        "[binaries]\nc = '/usr/bin/clang'\n[built-in options]\nc_args = ['-O1']\n",
    ],
    ids=["options", "binaries", "properties", "path"],
)
def test_meson_native_file_does_not_discard_the_flags(
    text: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-meson")
    (tree / "n.ini").write_text(text, encoding="utf-8")
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f'[tool.meson-python.args]\nsetup = ["--native-file={tree}/n.ini"]\n')
    assert all(
        "-march=x86-64-v3" in line for line in options(built(build(tree, {"cpu": "v3"}), tmp_path))
    )


@pytest.mark.parametrize("compiler", ["gcc", "cc", "clang"])
def test_makefile_with_compiler_and_flags_of_its_own(
    compiler: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-make")
    makefile = tree / "Makefile"
    makefile.write_text(makefile.read_text(encoding="utf-8").replace("gcc", compiler, 1))
    wheel = built(build(tree, {"cpu": "v3"}), tmp_path)
    assert all("-march=x86-64-v3" in line for line in options(wheel))
    assert [file.isa_note for file in audit_wheel(wheel).files] == ["v3"]


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("gcc-99", "CC = gcc-99"),
        ("gcc-99", "VERSION = 99\nCC = gcc-$(VERSION)"),
        ("x86_64-own-linux-gnu-gcc", "CC = x86_64-own-linux-gnu-gcc"),
        ("cc", ""),
    ],
    # Without the names, which would count as mentions in PYTEST_CURRENT_TEST.
    ids=["version", "computed", "triple", "default"],
)
def test_makefile_with_another_compiler_than_the_interpreters(
    program: str, line: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-make")
    makefile = tree / "Makefile"
    makefile.write_text(makefile.read_text(encoding="utf-8").replace("CC = gcc", line))
    other = tmp_path / "bin" / program
    other.parent.mkdir()
    text = f'#!/bin/sh\necho "$*" >>{other}.calls\nexec {shutil.which("gcc")} "$@"\n'
    other.write_text(text, encoding="utf-8")
    other.chmod(0o755)
    done = build(tree, {"cpu": "v3"}, env={"PATH": f"{other.parent}:{os.environ['PATH']}"})
    wheel = built(done, tmp_path)
    calls = Path(f"{other}.calls").read_text(encoding="utf-8").splitlines()
    assert all("-march=x86-64-v3" in call for call in calls if "_m.c" in call)
    assert options(wheel)
    assert all("-march=x86-64-v3" in line for line in options(wheel))


ABSOLUTE = {
    "make": ("make", "Makefile", "CC = gcc", "CC = /usr/bin/gcc"),
    "variable": ("make", "Makefile", "CC = gcc", "T = /usr\nCC = $(T)/bin/gcc"),
    "ccache": ("make", "Makefile", "CC = gcc", "CC = ccache /usr/bin/gcc"),
    "clang": ("make", "Makefile", "CC = gcc", "CC = /usr/bin/clang"),
    "ninja": ("ninja", "build.ninja", "cc = gcc", "cc = /usr/bin/gcc"),
    "scons": ("scons", "SConstruct", "env.Append(", 'env.Replace(CC="/usr/bin/gcc")\nenv.Append('),
    "toolchain": (
        "cmake",
        "CMakeLists.txt",
        "project(",
        'set(CMAKE_C_COMPILER /usr/bin/gcc)\nset(CMAKE_C_FLAGS "-O3" CACHE STRING "" FORCE)\n'
        "project(",
    ),
    "setup": (
        "setuptools",
        "setup.py",
        "from setuptools",
        'import os\nos.environ.update(CC="/usr/bin/gcc", CFLAGS="-O1")\nfrom setuptools',
    ),
}


@pytest.mark.parametrize("case", ABSOLUTE)
def test_compiler_that_the_project_calls_by_its_path(
    case: str, project: Project, build: Build, tmp_path: Path
) -> None:
    name, file, before, after = ABSOLUTE[case]
    if case == "ccache" and shutil.which("ccache") is None:
        pytest.skip("ccache is not installed")
    tree = project(f"route-{name}")
    text = (tree / file).read_text(encoding="utf-8")
    (tree / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    env = {"CCACHE_DIR": str(tmp_path / "ccache")}
    for settings in ({"cpu": "v3"}, {"cpu": "v2", "fp-contract": "off"}):
        wheel = built(build(tree, settings, env=env), tmp_path)
        assert options(wheel)
        for line in options(wheel):
            assert f"-march=x86-64-{settings['cpu']}" in line
            assert ("-ffp-contract=off" in line) is ("fp-contract" in settings)
        if case != "clang":  # its linker options cannot depend on -shared
            assert [each.isa_note for each in audit_wheel(wheel).files] == [settings["cpu"]]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_users_flags_come_last_for_a_compiler_called_by_its_path(
    compiler: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-make")
    makefile = tree / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    text = text.replace("CC = gcc", f"CC = {shutil.which(compiler)} -O3", 1)
    makefile.write_text(text, encoding="utf-8")
    settings = {"cpu": "v3", "flags.c": "-O1;-ffp-contract=off"}
    for line in options(built(build(tree, settings), tmp_path)):
        assert re.findall(r"-O\d", line)[-1] == "-O1"
        assert "-march=x86-64-v3" in line
        assert "-ffp-contract=off" in line


def test_flags_of_one_language_for_a_clang_called_by_its_path(
    project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-make")
    (tree / "other.cpp").write_text("", encoding="utf-8")
    makefile = tree / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    makefile.write_text(text.replace("CC = gcc", "CC = /usr/bin/clang"), encoding="utf-8")
    done = build(tree, {"cpu": "v3", "flags.c": "-O1"})
    assert "Makefile calls /usr/bin/clang without the PATH of the build" in done.stderr
    assert "and not -O1; set flags.c and flags.cxx to the same" in done.stderr
    assert all("-march=x86-64-v3" in line for line in options(built(done, tmp_path)))
    users = {"flags.c": "-O1", "flags.cxx": "-O1"}
    done = build(tree, {"cpu": "v3", **users})
    assert "without the PATH" not in done.stderr
    assert all("-O1" in line for line in options(built(done, tmp_path)))


@pytest.mark.parametrize(
    "line",
    ["", 'env["ENV"] = {"PATH": "/usr/bin:/bin"}', "env = env.Clone(ENV=__import__('os').environ)"],
    ids=["default", "path", "environ"],
)
def test_scons_gets_the_path_of_the_build(
    line: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-scons")
    script = tree / "SConstruct"
    text = script.read_text(encoding="utf-8")
    script.write_text(text.replace("env.Append(", f"{line}\nenv.Append("), encoding="utf-8")
    own = tree / "site_scons"
    own.mkdir()
    (own / "site_init.py").write_text("OWN = 1\nprint('own site directory')\n", encoding="utf-8")
    with script.open("a", encoding="utf-8") as file:
        file.write("assert OWN\n")
    done = build(tree, {"cpu": "v3"})
    wheel = built(done, tmp_path)
    assert "own site directory" in done.stdout
    assert options(wheel)
    assert all("-march=x86-64-v3" in line for line in options(wheel))
    assert [each.isa_note for each in audit_wheel(wheel).files] == ["v3"]


@pytest.mark.parametrize(
    "command",
    [
        "env gcc",
        "env X=1 gcc -m64",
        "nice gcc",
        "ccache /usr/bin/gcc",
        "PYTHON SCRIPT gcc",
        "'DIRECTORY/my tools/gcc' -DX='a b'",
        "DIRECTORY/x86_64-conda-linux-gnu-cc",
    ],
)
def test_compiler_behind_other_programs(
    command: str, project: Project, build: Build, tmp_path: Path
) -> None:
    if "ccache" in command and shutil.which("ccache") is None:
        pytest.skip("ccache is not installed")
    script = tmp_path / "compile.py"
    script.write_text("import os, sys\nos.execvp(sys.argv[1], sys.argv[1:])\n", encoding="utf-8")
    for name in ("my tools/gcc", "x86_64-conda-linux-gnu-cc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).symlink_to("/usr/bin/gcc")
    for word, value in (
        ("PYTHON", sys.executable),
        ("SCRIPT", str(script)),
        ("DIRECTORY", str(tmp_path)),
    ):
        command = command.replace(word, value)
    tree, env = project("route-setuptools"), {"CC": command, "CCACHE_DIR": str(tmp_path / "cache")}
    wheel = built(build(tree, {"cpu": "v3"}, env=env), tmp_path)
    assert all("-march=x86-64-v3" in line for line in options(wheel))
    assert macros(wheel, tmp_path) == (1, 1)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("Makefile", "export PATH := {path}"),
        ("build_ext.py", "import os; os.environ['PATH'] = '{path}'"),
    ],
)
def test_build_with_a_path_of_its_own(
    file: str, line: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-make")
    text = (tree / file).read_text(encoding="utf-8")
    first = line.format(path=os.environ["PATH"])
    (tree / file).write_text(f"{first}\n{text}", encoding="utf-8")
    wheel = built(build(tree, {"cpu": "v3"}), tmp_path)
    assert options(wheel)
    assert all("-march=x86-64-v3" in line for line in options(wheel))
    assert [file.isa_note for file in audit_wheel(wheel).files] == ["v3"]


def test_compiler_script_of_the_project(project: Project, build: Build, tmp_path: Path) -> None:
    tree = project("route-make")
    script = tree / "tools" / "compile"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shutil.which("gcc")} "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    makefile = tree / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    makefile.write_text(text.replace("CC = gcc", "CC = tools/compile"), encoding="utf-8")
    wheel = built(build(tree, {"cpu": "v3"}), tmp_path)
    assert options(wheel)
    assert all("-march=x86-64-v3" in line for line in options(wheel))


@pytest.mark.parametrize("compiler", ["gcc", "/usr/bin/gcc"])
def test_build_without_any_environment_is_named(
    compiler: str, project: Project, build: Build
) -> None:
    tree = project("route-make")
    makefile = tree / "Makefile"
    text = makefile.read_text(encoding="utf-8").replace("CC = gcc", f"CC = {compiler}")
    makefile.write_text(text, encoding="utf-8")
    script = tree / "build_ext.py"
    text = script.read_text(encoding="utf-8")
    line = f'clean = {{"PATH": "{os.environ["PATH"]}"}}'
    text = text.replace("subprocess.run(", f"{line}\nsubprocess.run(").replace(
        "check=True", "check=True, env=clean"
    )
    script.write_text(text, encoding="utf-8")
    done = build(tree, {"cpu": "v3"})
    assert done.code == 1
    assert "build_ext.py sets PATH ('clean = {" in done.stderr


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_own_cpu_is_replaced_for_a_compiler_called_by_its_path(
    compiler: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-make")
    makefile = tree / "Makefile"
    text = makefile.read_text(encoding="utf-8")
    own = f"CC = {shutil.which(compiler)} -march=native"
    makefile.write_text(text.replace("CC = gcc", own), encoding="utf-8")
    done = build(tree, {"cpu": "v2", "override-march": "true"})
    wheel = built(done, tmp_path)
    assert options(wheel)
    for line in options(wheel):
        assert set(re.findall(r"-march=[\w-]+", line)) == {"-march=x86-64-v2"}
    if compiler == "gcc":
        assert "-march=native of the project replaced" in done.stderr


STALE = (
    "hatch",
    "poetry",
    "pdm",
    "subprocess",
    "in-tree",
    "make",
    "cmake-setup",
    "scikit-build",
    "setuptools",
    "cmake-subprocess",
    "meson-subprocess",
)


@pytest.mark.parametrize("name", STALE)
def test_no_build_uses_the_objects_of_another(
    name: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project(f"route-{name}")
    env = {"SETUPTOOLS_USE_DISTUTILS": "stdlib"} if name == "setuptools" else {}
    lines = []
    for settings in ({"cpu": "v3"}, {"cpu": "v2"}, {"cpu": "v2", "fp-contract": "off"}):
        lines.append(" ".join(options(built(build(tree, settings, env=env), tmp_path))))
    first, second, third = lines
    assert "-march=x86-64-v3" in first
    assert "-march=x86-64-v2" in second
    assert "-march=x86-64-v3" not in second
    assert "-ffp-contract=off" not in second
    assert "-ffp-contract=off" in third


@pytest.mark.parametrize(
    ("name", "backend"), [("scons", "enscons.api"), ("ninja", "poetry.core.masonry.api")]
)
def test_no_build_uses_what_one_without_variantbuild_left(
    name: str, backend: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project(f"route-{name}")
    assert not options(built(build(tree, {}, backend=backend), tmp_path))
    line = " ".join(options(built(build(tree, {"cpu": "v3"}), tmp_path)))
    assert "-march=x86-64-v3" in line


def cargo_runs() -> bool:
    """Return whether there is a cargo that runs: rustup's needs a toolchain of this user."""
    path = shutil.which("cargo")
    return path is not None and subprocess.run([path, "-V"], capture_output=True).returncode == 0


@pytest.mark.skipif(not cargo_runs(), reason="no cargo runs here")
@pytest.mark.parametrize("place", ["deep", "outside"])
def test_crates_are_compiled_for_each_variant(
    place: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-maturin")
    if place == "outside":
        inner = tree / "python-project"
        inner.mkdir()
        for name in ("pyproject.toml", "python"):
            (tree / name).rename(inner / name)
        tree = inner
        pyproject = tree / "pyproject.toml"
        text = pyproject.read_text(encoding="utf-8")
        pyproject.write_text(text.replace('"core/', '"../core/'), encoding="utf-8")
    for settings in ({"cpu": "v3"}, {"cpu": "v2"}, {"cpu": "v2", "fp-contract": "off"}):
        wheel = built(build(tree, settings), tmp_path)
        # Those of C, which the build script compiles; rustc records nothing.
        assert options(wheel)
        for line in options(wheel):
            assert f"-march=x86-64-{settings['cpu']}" in line
            assert ("-ffp-contract=off" in line) is ("fp-contract" in settings)
        assert [each.isa_note for each in audit_wheel(wheel).files] == [settings["cpu"]]


def test_tree_of_a_copied_build_is_left_as_it_was(
    project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-poetry")
    before = sorted(tree.rglob("*"))
    first = built(build(tree, {"cpu": "v3"}), tmp_path).read_bytes()
    assert built(build(tree, {"cpu": "v3"}), tmp_path).read_bytes() == first
    assert sorted(tree.rglob("*")) == before


@pytest.mark.parametrize("compiler", ["/usr/bin/gcc", "clang", "/usr/bin/clang"])
def test_copied_builds_give_the_same_bytes(
    compiler: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-make")
    makefile = tree / "Makefile"
    text = makefile.read_text(encoding="utf-8").replace("CC = gcc", f"CC = {compiler}")
    makefile.write_text(text.replace("-O2", "-O2 -g -Werror"), encoding="utf-8")
    first, second = (built(build(tree, {"cpu": "v3"}), tmp_path).read_bytes() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("word", ["-march=native", "-mtune=native"])
def test_own_cpu_of_the_project_is_replaced_where_the_user_asks(
    word: str, project: Project, build: Build, tmp_path: Path
) -> None:
    tree = project("route-setuptools")
    setup = tree / "setup.py"
    text = setup.read_text(encoding="utf-8")
    setup.write_text(text.replace('"src/_m.c"]', f'"src/_m.c"], extra_compile_args=["{word}"]'))
    done = build(tree, {"cpu": "v1", "override-march": "true"})
    line = " ".join(options(built(done, tmp_path)))
    assert word not in line
    assert re.search(r"-march=x86-64(?!-v)", line)
    assert f"override-march: {word} of the project replaced by the flags of v1" in done.stderr
    wheel = built(build(tree, {"cpu": "v3", "override-march": "true"}), tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        (record,) = (name for name in archive.namelist() if name.endswith("variantbuild.cdx.json"))
        document = archive.read(record).decode()
    assert re.search(rf'"variantbuild:declared:replaced",\s+"value": "{word}"', document)
