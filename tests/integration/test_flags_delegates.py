"""v4 through real delegates: modules get the ISA note, programs of the build run.

The ISA note must not be in programs that are compiled and run during the build. If the machine has
AVX-512, `qemu-x86_64 -cpu Haswell` represents a CPU below that level.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, cast

import pytest

from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.delegate.handover import Delegation, Handover, hand_over
from variantbuild.host.local import LocalHost
from variantbuild.plan.flags import resolve_flags
from variantbuild.plan.flags.trial import try_flags
from variantbuild.probe.compiler import probe_compiler
from variantbuild.probe.facts import Compiler, Found, Language
from variantbuild.types import ConfigSettings, TOMLValue
from variantbuild.variant import Variant
from workshop import Done, copy_project, run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

pytestmark = pytest.mark.compile

BUILD_NAME = "variantbuild-v4-test"
_DT_FLAGS, _DF_BIND_NOW = 30, 8
_BUILD = """
import importlib, json, sys
backend, wheels, settings = sys.argv[1:]
print(importlib.import_module(backend).build_wheel(wheels, json.loads(settings)))
"""


class Install(Protocol):
    """Install requirements into their own directory, once a session."""

    def __call__(self, *requirements: str) -> Path: ...


@dataclass(frozen=True)
class Built:
    """A finished build: its command, where it ran, and the modules of its wheel, unpacked."""

    done: Done
    env: Mapping[str, str]
    source: Path
    modules: Path
    handover: Handover

    def notes(self) -> dict[str, str | None]:
        """The ISA note of each shared object in the wheel."""
        found = sorted(self.modules.rglob("*.so"))
        return {p.name.partition(".")[0]: parse_elf(p.read_bytes()).isa_needed for p in found}

    def programs(self) -> list[Path]:
        """Every program that the build linked and left in its build directory."""
        files = [p for p in (self.source / "build").rglob("*") if p.is_file()]
        return [p for p in files if _runs(p.read_bytes())]


def _runs(data: bytes) -> bool:
    try:
        return parse_elf(data).kind == "executable"
    except ElfError:
        return False


@pytest.fixture(scope="session")
def install(tmp_path_factory: pytest.TempPathFactory, uv_program: Path) -> Install:
    """Return a function that installs requirements into their own directory, once."""
    root = tmp_path_factory.mktemp("backends")

    def install(*requirements: str) -> Path:
        directory = root / "-".join(requirements).replace("=", "")
        if not directory.exists():
            call = ["pip", "install", "-q", "--python", sys.executable, "--target", str(directory)]
            subprocess.run([str(uv_program), *call, *requirements], check=True)
        return directory

    return install


def find_compilers(*languages: Language, env: Mapping[str, str]) -> dict[Language, Compiler]:
    found: dict[Language, Compiler] = {}
    for language in languages:
        fact = probe_compiler(LocalHost(env=env), language)
        if not isinstance(fact, Found):
            pytest.skip(f"no {language} compiler: {fact}")
        found[language] = fact.value
    return found


def clean_env(directory: Path, **more: str) -> dict[str, str]:
    """The environment of a build: the packages of `directory`, this PATH, nothing of the user's."""
    path = os.pathsep.join((str(directory / "bin"), os.environ["PATH"]))
    return {"PATH": path, "PYTHONPATH": str(directory), "HOME": str(directory), **more}


def tool_table(source: Path) -> Mapping[str, TOMLValue]:
    """The tool table of a project's pyproject.toml, as the hooks pass it."""
    with (source / "pyproject.toml").open("rb") as file:
        table = cast("Mapping[str, Mapping[str, TOMLValue]]", tomllib.load(file))
    return table.get("tool", {})


def build(
    name: str,
    tmp_path: Path,
    packages: Path,
    *languages: Language,
    backend: str,
    version: str = "",
    cpu: str = "v4",
    config_settings: ConfigSettings | None = None,
    **env: str,
) -> Built:
    """Resolve, try and hand over the flags for `cpu`, and build a copy of project `name`."""
    source = copy_project(name, tmp_path)
    users = clean_env(packages, **env)
    compilers = find_compilers(*languages, env=users)
    directory = tmp_path / "private"
    directory.mkdir()
    flags = resolve_flags(Variant(arch="x86_64", cpu=cpu), compilers)
    trial = try_flags(LocalHost(env=users), flags, compilers, flags.languages)
    assert trial.error is None
    flags = replace(flags, isa_note=trial.isa_note)
    variables = sysconfig.get_config_vars()
    handover = hand_over(
        flags,
        Delegation(
            backend=backend,
            version=version,
            source=source,
            staging=directory,
            env=users,
            config_settings=config_settings or {},
            interpreter={k: v for k, v in variables.items() if isinstance(v, str)},
            tool=tool_table(source),
        ),
        compilers=compilers,
        build_name=BUILD_NAME,
    )
    for path, text in handover.files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    env = {**users, **dict(handover.env)}
    settings = json.dumps(dict(handover.config_settings))
    command = (sys.executable, "-S", "-c", _BUILD, backend, str(tmp_path), settings)
    done = run(*command, cwd=source, env=env).ok()
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "modules")
    return Built(done, env, source, tmp_path / "modules", handover)


def haswell(*command: str | Path) -> list[str | Path]:
    """Return `command` for a CPU without AVX-512: this one, or qemu's Haswell."""
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    if "avx512f" not in flags:
        return list(command)
    if (qemu := shutil.which("qemu-x86_64")) is None:
        pytest.skip("the processor has AVX-512, and there is no qemu-x86_64 to do without it")
    return [qemu, "-cpu", "Haswell", *command]


def assert_programs_run(built: Built, *expected: str) -> None:
    """No program has a note beyond the baseline, and each runs on a CPU below the level.

    (The start files of some C libraries mark every program with the baseline.)
    """
    programs = built.programs()
    assert set(expected) <= {p.name for p in programs}
    notes = {p.name: parse_elf(p.read_bytes()).isa_needed for p in programs}
    assert set(notes.values()) <= {None, "v1"}, notes
    for program in programs:
        done = run(*haswell(program), cwd=built.source, env={})
        # CMake's programs answer with their exit status; a signal is a failure.
        assert done.code >= 0, f"{program.name}: {done.output}"
        assert "CPU ISA level" not in done.output
        assert program.name != "generator" or "ANSWER 136" in done.stdout


def assert_refused(built: Built, module: str) -> None:
    """On a CPU below the level the loader raises ImportError, if it reads the note at all."""
    code = f"import {module}"
    done = run(
        *haswell(sys.executable, "-S", "-c", code),
        cwd=built.source,
        env={"PYTHONPATH": str(built.modules)},
    )
    assert done.code == 1, done.output
    assert "ImportError" in done.stderr
    assert "CPU ISA level is lower than required" in done.stderr


def test_setuptools_c_cxx_fortran(tmp_path: Path, install: Install) -> None:
    built = build(
        "flags-setuptools",
        tmp_path,
        install("setuptools", "wheel"),
        *("c", "cxx", "fortran"),
        backend="setuptools.build_meta",
        WITH_FORTRAN="1",
    )
    assert built.notes() == {"flagged_c": "v4", "flagged_cxx": "v4", "flagged_f": "v4"}
    assert_programs_run(built, "generator")
    for module in ("flagged_c", "flagged_cxx", "flagged_f"):
        assert_refused(built, module)
    (fortran,) = built.modules.glob("flagged_f*.so")
    lines = parse_elf(fortran.read_bytes()).command_lines
    assert any("Fortran" in line and "-march=x86-64-v4" in line for line in lines), lines


def test_cmake_generator_and_check_c_source_runs(tmp_path: Path, install: Install) -> None:
    built = build(
        "flags-cmake",
        tmp_path,
        install("scikit-build-core", "cmake", "ninja"),
        *("c", "cxx"),
        backend="scikit_build_core.build",
        LDFLAGS="-Wl,-O1",
        CMAKE_ARGS="-DCMAKE_C_FLAGS=-DOF_THE_USER",
    )
    assert built.notes() == {"flagged_c": "v4", "libhelper": "v4"}
    (tree,) = (built.source / "build").glob(f"tree-{BUILD_NAME}-*")
    cache = (tree / "CMakeCache.txt").read_text("utf-8")
    (shared,) = re.findall("^CMAKE_SHARED_LINKER_FLAGS:[A-Z]+=(.*)", cache, re.M)
    assert shared.split() == ["-Wl,--as-needed", "-Wl,-z,x86-64-v4", "-Wl,-O1"]
    (c_flags,) = re.findall("^CMAKE_C_FLAGS:[A-Z]+=(.*)", cache, re.M)
    assert c_flags.startswith("-DOF_THE_USER -march=x86-64-v4")
    (programs,) = re.findall("^CMAKE_EXE_LINKER_FLAGS:[A-Z]+=(.*)", cache, re.M)
    assert programs == "-Wl,-O1"
    # --debug-trycompile keeps CMake's own test programs: they must run as well.
    assert_programs_run(built, "generator")
    assert any("cmTC" in p.name for p in built.programs())
    assert_refused(built, "flagged_c")


def test_meson_generator_and_compiler_run(tmp_path: Path, install: Install) -> None:
    built = build(
        "flags-meson",
        tmp_path,
        install("meson-python", "meson", "ninja"),
        "c",
        backend="mesonpy",
        config_settings={"build-dir": "build/tree"},
    )
    assert built.notes() == {"flagged_c": "v4"}
    assert_programs_run(built, "generator")
    assert_refused(built, "flagged_c")
    # Meson remembers LDFLAGS: a second build in the same directory still finds the specs file.
    shutil.rmtree(tmp_path / "private")
    run(*built.done.command, cwd=built.source, env=built.env).ok()


def test_the_same_bytes_in_another_directory(tmp_path: Path, install: Install) -> None:
    """The specs file has another path each time, which does not appear in the modules."""
    modules = []
    for directory in (tmp_path / "a", tmp_path / "another one"):
        directory.mkdir()
        built = build(
            "flags-setuptools",
            directory,
            install("setuptools", "wheel"),
            *("c", "cxx"),
            backend="setuptools.build_meta",
            CFLAGS="-g0",
        )
        modules.append({p.name: p.read_bytes() for p in built.modules.rglob("*.so")})
    assert modules[0] == modules[1]
    assert len(modules[0]) == 2


def test_specs_file_of_the_user_survives(tmp_path: Path, install: Install) -> None:
    users = tmp_path / "users.specs"
    users.write_text("*link:\n+ %{shared:-z now}\n", encoding="ascii")
    built = build(
        "flags-setuptools",
        tmp_path,
        install("setuptools", "wheel"),
        *("c", "cxx"),
        backend="setuptools.build_meta",
        LDFLAGS=f"-specs={users}",
    )
    assert built.notes() == {"flagged_c": "v4", "flagged_cxx": "v4"}
    for path in built.modules.rglob("*.so"):
        flags = dict(parse_elf(path.read_bytes()).dynamic)
        assert flags[_DT_FLAGS] & _DF_BIND_NOW


def test_clang_is_marked_by_setuptools_through_ldshared(tmp_path: Path, install: Install) -> None:
    if not (shutil.which("clang") and shutil.which("clang++")):
        pytest.skip("clang is not installed")
    built = build(
        "flags-setuptools",
        tmp_path,
        install("setuptools", "wheel"),
        *("c", "cxx"),
        backend="setuptools.build_meta",
        CC="clang",
        CXX="clang++",
    )
    assert built.notes() == {"flagged_c": "v4", "flagged_cxx": "v4"}
    assert_programs_run(built, "generator")


def test_clang_is_unprotected_with_meson(tmp_path: Path, install: Install) -> None:
    if not shutil.which("clang"):
        pytest.skip("clang is not installed")
    built = build(
        "flags-meson",
        tmp_path,
        install("meson-python", "meson", "ninja"),
        "c",
        backend="mesonpy",
        CC="clang",
    )
    assert built.notes() == {"flagged_c": None}
    assert built.handover.isa_note.unprotected is not None
