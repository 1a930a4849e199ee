"""VariantBuild.cmake with the system's cmake and that of PyPI, on very small projects."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

import pytest

from variantbuild.binary.elf import parse_elf
from workshop import PACKAGES

pytestmark = pytest.mark.compile

MODULE_DIRECTORY = Path(__file__).resolve().parents[2] / "cmake"
#: How every project begins; tests add their lines.
HEAD = (PACKAGES / "cmake-module" / "CMakeLists.txt").read_text(encoding="utf-8")
V3 = (
    "-DVARIANTBUILD_LABEL=v3",
    "-DVARIANTBUILD_C_FLAGS=-DFOR_VARIANT=3",
    "-DVARIANTBUILD_MODULE_LINK_FLAGS=-Wl,-z,relro",
)


class CompileCommand(TypedDict):
    """An entry of CMake's compile_commands.json."""

    file: str
    command: str


@dataclass(frozen=True)
class Cmake:
    """A cmake program, a copy of the project cmake-module, and a directory for its builds."""

    program: str
    source: Path
    directory: Path

    def configure(
        self, lists: str, *definitions: str, **env: str
    ) -> subprocess.CompletedProcess[str]:
        """Configure the project with the given text as its CMakeLists.txt."""
        (self.source / "CMakeLists.txt").write_text(lists, encoding="utf-8")
        return self.run("-S", self.source, "-B", self.build, "-G", "Ninja", *definitions, **env)

    def run(self, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        clean = {
            name: value
            for name, value in os.environ.items()
            if name not in ("CFLAGS", "LDFLAGS") and "VARIANTBUILD" not in name
        }
        return subprocess.run(
            [
                self.program,
                *words,
                f"-DCMAKE_MODULE_PATH={MODULE_DIRECTORY}",
                "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
            ],
            env={**clean, **env},
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def build(self) -> Path:
        return self.directory / "build"

    def commands(self) -> dict[str, str]:
        """Return the compile line of each source file of the configured project."""
        text = (self.build / "compile_commands.json").read_text(encoding="utf-8")
        entries = cast("list[CompileCommand]", json.loads(text))
        return {Path(entry["file"]).name: entry["command"] for entry in entries}

    def link_lines(self) -> dict[str, str]:
        """Return the linker's flags of each target of the configured project."""
        flags: dict[str, str] = {}
        target = ""
        for line in (self.build / "build.ninja").read_text(encoding="utf-8").splitlines():
            if line.startswith("build "):
                target = Path(line.split(":")[0].split()[1]).name
            elif line.startswith("  LINK_FLAGS = "):
                flags[target] = line.partition("= ")[2]
        return flags


def system_cmake() -> str | None:
    """Return the cmake of the system."""
    own = Path(sys.executable).parent
    directories = [f for f in os.environ.get("PATH", "").split(os.pathsep) if Path(f) != own]
    return shutil.which("cmake", path=os.pathsep.join(directories))


def indexed_cmake() -> str | None:
    """Return the cmake from PyPI, as installed next to this Python."""
    if importlib.util.find_spec("cmake") is None:
        return None
    return shutil.which("cmake", path=str(Path(sys.executable).parent))


@pytest.fixture(params=[system_cmake, indexed_cmake], ids=["system", "index"])
def cmake(request: pytest.FixtureRequest, cmake_module: Path, tmp_path: Path) -> Cmake:
    """Each cmake there is, with a directory to work in."""
    program = request.param()
    if program is None:
        pytest.skip(f"{request.param.__name__}: none installed")
    return Cmake(program, cmake_module, tmp_path)


def test_flags_and_note_reach_one_target_alone(cmake: Cmake) -> None:
    lists = HEAD + (
        "add_library(core MODULE a.c)\nadd_library(fast MODULE b.c)\nvariantbuild_target(fast)\n"
    )
    done = cmake.configure(lists, *V3)

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    commands = cmake.commands()
    assert "-DFOR_VARIANT=3" in commands["b.c"]
    assert "-DFOR_VARIANT=3" not in commands["a.c"]
    links = cmake.link_lines()
    assert "-z,relro" in links["libfast.so"]
    assert "-z,relro" not in links.get("libcore.so", "")


@pytest.mark.parametrize(
    ("definition", "marked"),
    [
        ("add_library(it SHARED a.c)", True),
        ("add_library(it STATIC a.c)", False),
        ("add_executable(it a.c main.c)", False),
    ],
)
def test_only_shared_objects_are_marked(cmake: Cmake, definition: str, marked: bool) -> None:
    done = cmake.configure(f"{HEAD}{definition}\nvariantbuild_target(it)\n", *V3)

    assert done.returncode == 0, done.stderr
    assert "-DFOR_VARIANT=3" in cmake.commands()["a.c"]
    assert any("-z,relro" in line for line in cmake.link_lines().values()) is marked


def test_flags_that_come_in_pairs_stay_pairs(cmake: Cmake) -> None:
    flags = "-Xassembler --one -Xassembler --two -DTEXT='a b' -DMORE=2>1"
    done = cmake.configure(
        f"{HEAD}add_library(it SHARED a.c)\nvariantbuild_target(it)\n",
        "-DVARIANTBUILD_LABEL=v3",
        f"-DVARIANTBUILD_C_FLAGS={flags}",
    )

    assert done.returncode == 0, done.stderr
    command = cmake.commands()["a.c"]
    assert "-Xassembler --one -Xassembler --two" in command
    assert "TEXT=a b" in command
    assert "MORE=2>1" in command


def test_a_list_is_as_good_as_a_line(cmake: Cmake) -> None:
    lists = f"{HEAD}add_library(it SHARED a.c)\nvariantbuild_target(it)\n"
    done = cmake.configure(lists, "-DVARIANTBUILD_LABEL=v3", "-DVARIANTBUILD_C_FLAGS=-DA=1;-DB=2")

    assert done.returncode == 0, done.stderr
    assert "-DA=1 -DB=2" in cmake.commands()["a.c"]


SHOW = (
    HEAD
    + """\
foreach(name IN ITEMS HAS_VALUES LABEL CPU ACCELERATOR DISTRO C_FLAGS CXX_FLAGS MODULE_LINK_FLAGS)
  if(DEFINED VARIANTBUILD_${name})
    message(STATUS "${name}=<${VARIANTBUILD_${name}}>")
  endif()
endforeach()
"""
)
HANDED = {
    "_VARIANTBUILD_CMAKE": "1",
    "_VARIANTBUILD_LABEL": "fc39.cu12.v3",
    "_VARIANTBUILD_CPU": "v3",
    "_VARIANTBUILD_ACCELERATOR": "cu12",
    "_VARIANTBUILD_DISTRO": "fc39",
    "_VARIANTBUILD_C_FLAGS": "-march=x86-64-v3 -DX='1;2'",
    "_VARIANTBUILD_MODULE_LINK_FLAGS": "",
}


def shown(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert done.returncode == 0, done.stderr
    lines = (line.removeprefix("-- ") for line in done.stdout.splitlines() if line.endswith(">"))
    return {name: value[1:-1] for name, _, value in (line.partition("=") for line in lines)}


def test_values_of_the_environment_become_variables_and_stay(cmake: Cmake) -> None:
    expected = {
        "HAS_VALUES": "TRUE",
        "LABEL": "fc39.cu12.v3",
        "CPU": "v3",
        "ACCELERATOR": "cu12",
        "DISTRO": "fc39",
        "C_FLAGS": "-march=x86-64-v3 -DX='1;2'",
        "MODULE_LINK_FLAGS": "",
    }
    assert shown(cmake.configure(SHOW, **HANDED)) == expected
    # CMake reconfigures automatically, in an environment without them.
    assert shown(cmake.run(cmake.build)) == expected


def test_a_definition_beats_the_environment(cmake: Cmake) -> None:
    values = shown(cmake.configure(SHOW, "-DVARIANTBUILD_CPU=zen4", **HANDED))

    assert (values["CPU"], values["DISTRO"]) == ("zen4", "fc39")


def test_the_baseline_has_values_that_change_nothing(cmake: Cmake) -> None:
    lists = (
        f"{SHOW}variantbuild_targets_only()\nadd_library(it SHARED a.c)\nvariantbuild_target(it)\n"
    )
    values = shown(cmake.configure(lists, _VARIANTBUILD_CMAKE="1", _VARIANTBUILD_LABEL=""))

    assert values == {"HAS_VALUES": "TRUE", "LABEL": ""}


def test_without_values_including_is_harmless(cmake: Cmake) -> None:
    assert shown(cmake.configure(SHOW)) == {"HAS_VALUES": "FALSE"}


@pytest.mark.parametrize("command", ["variantbuild_target(it)", "variantbuild_targets_only()"])
def test_without_values_a_command_says_how_to_give_them(cmake: Cmake, command: str) -> None:
    done = cmake.configure(f"{HEAD}add_library(it SHARED a.c)\n{command}\n")

    assert done.returncode == 1
    message = " ".join(done.stderr.split())
    assert f"{command}: no variant was passed to CMake" in message
    assert "-DVARIANTBUILD_LABEL=v3 -DVARIANTBUILD_CXX_FLAGS=-march=x86-64-v3" in message


def test_a_language_without_flags_is_named(cmake: Cmake) -> None:
    lists = f"{HEAD}add_library(it SHARED a.c)\nvariantbuild_target(it)\n"
    done = cmake.configure(lists, "-DVARIANTBUILD_LABEL=v3", "-DVARIANTBUILD_CXX_FLAGS=-march=x")

    assert done.returncode == 1
    message = " ".join(done.stderr.split())
    assert "variantbuild_target(it): no C flags were passed, but a.c is a C source" in message
    assert cmake.configure(lists, "-DVARIANTBUILD_C_FLAGS=").returncode == 0


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ("variantbuild_target(nothing)", "variantbuild_target(nothing): the target does not exist"),
        (
            "add_library(it SHARED a.c)\nadd_library(my::it ALIAS it)\nvariantbuild_target(my::it)",
            "variantbuild_target(my::it): it is an alias; use it",
        ),
        (
            "add_library(it INTERFACE)\nvariantbuild_target(it)",
            "variantbuild_target(it): the target compiles no sources",
        ),
        (
            "add_library(it SHARED IMPORTED)\nvariantbuild_target(it)",
            "variantbuild_target(it): the target compiles no sources",
        ),
        (
            "add_library(it SHARED a.c)\nvariantbuild_target(it other)",
            "variantbuild_target(it other): it takes exactly one target",
        ),
    ],
)
def test_a_wrong_target_is_named(cmake: Cmake, lists: str, message: str) -> None:
    done = cmake.configure(f"{HEAD}{lists}\n", *V3)

    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())


@pytest.mark.parametrize("users", ["", "-DUSER=1", "-DFOR_VARIANT=30"])
@pytest.mark.parametrize("later", ["", "-DLATER=1"])
def test_targets_only_leaves_the_users_flags(cmake: Cmake, users: str, later: str) -> None:
    lists = HEAD + (
        "variantbuild_targets_only()\n"
        'message(STATUS "C=<${CMAKE_C_FLAGS}>")\n'
        'message(STATUS "MODULE=<${CMAKE_MODULE_LINKER_FLAGS}>")\n'
        "add_library(core MODULE a.c)\nadd_library(fast MODULE b.c)\nvariantbuild_target(fast)\n"
    )
    done = cmake.configure(
        lists,
        *V3,
        "-DCMAKE_MODULE_LINKER_FLAGS_INIT=-Wl,-z,relro",
        CFLAGS=f"{users} -DFOR_VARIANT=3 {later}",
        LDFLAGS="-Wl,-O1",
    )

    values = shown(done)
    assert values["C"].split() == f"{users} {later}".split()
    assert values["MODULE"] == "-Wl,-O1"
    commands = cmake.commands()
    assert "-DFOR_VARIANT=3 " not in commands["a.c"]
    assert "-DFOR_VARIANT=3 " in commands["b.c"]
    links = cmake.link_lines()
    assert "relro" not in links["libcore.so"]
    assert "relro" in links["libfast.so"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="levels are x86-64's")
def test_the_plain_example_protects_its_library_and_not_its_generator(cmake: Cmake) -> None:
    """A v4 library is built here on any x86-64 machine, since its generator runs on all."""
    done = cmake.run(
        "-S",
        MODULE_DIRECTORY / "examples" / "plain",
        "-B",
        cmake.build,
        "-DVARIANTBUILD_LABEL=v4",
        "-DVARIANTBUILD_C_FLAGS=-march=x86-64-v4",
        "-DVARIANTBUILD_MODULE_LINK_FLAGS=-Wl,-z,x86-64-v4",
    )
    assert done.returncode == 0, done.stderr
    assert "kernels are built for 'v4'" in done.stdout
    subprocess.run([cmake.program, "--build", cmake.build], check=True, capture_output=True)

    library = parse_elf((cmake.build / "libkernels.so").read_bytes())
    generator = parse_elf((cmake.build / "generate").read_bytes())
    assert library.isa_needed == "v4"
    assert generator.isa_needed in (None, "v1")


def test_the_plain_example_builds_without_the_module(tmp_path: Path) -> None:
    program = system_cmake() or indexed_cmake()
    if program is None:
        pytest.skip("no cmake installed")
    source = MODULE_DIRECTORY / "examples" / "plain"
    subprocess.run([program, "-S", source, "-B", tmp_path], check=True, capture_output=True)
    subprocess.run([program, "--build", tmp_path], check=True, capture_output=True)

    assert (tmp_path / "libkernels.so").exists()
