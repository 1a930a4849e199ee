"""The actual compiler calls in every kind of setuptools since 64.

72.2 began to read CXXFLAGS, 75.7 to let CFLAGS replace the interpreter's -O3 -DNDEBUG, 66 to read
DIST_EXTRA_CONFIG. The proof is the compile line that setuptools prints.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from variantbuild.delegate.handover import hand_over
from variantbuild.delegate.handover.delegation import Delegation
from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Compiler, Language
from workshop import run

pytestmark = pytest.mark.compile

NAME = "variantbuild-v3-test"
VERSIONS = ("64.0.0", "65.0.0", "66.0.0", "72.1.0", "72.2.0", "75.6.0", "75.7.0", "")
GCC: dict[Language, Compiler] = {
    "c": Compiler(language="c", family="gcc", version="12.2.0", command=("/usr/bin/gcc",)),
    "cxx": Compiler(language="cxx", family="gcc", version="12.2.0", command=("/usr/bin/g++",)),
}
FLAGS = Flags(languages=("c", "cxx"), c=("-march=x86-64-v3",), cxx=("-march=x86-64-v3",))
_BUILD = """
import sys, json, logging
from setuptools import build_meta
hook, wheels, settings = sys.argv[1:]
print(getattr(build_meta, hook)(wheels, json.loads(settings)))
"""


@pytest.fixture(scope="session")
def setuptools_directories(tmp_path_factory: pytest.TempPathFactory, uv_program: Path) -> Path:
    """Return a directory with one subdirectory for each version of setuptools, and wheel."""
    root = tmp_path_factory.mktemp("setuptools")
    for version in VERSIONS:
        asked = f"setuptools=={version}" if version else "setuptools"
        # wheel 0.45 is the last release with the bdist_wheel for setuptools before 70.1.
        call = [uv_program, "pip", "install", "-q", "--no-deps", "--target", root / f"v{version}"]
        subprocess.run(list(map(str, [*call, asked, "wheel==0.45.1"])), check=True)
    return root


@pytest.fixture(params=VERSIONS, ids=lambda version: version or "newest")
def version(request: pytest.FixtureRequest) -> str:
    chosen = str(request.param)
    if chosen in ("64.0.0", "65.0.0", "66.0.0") and sys.version_info >= (3, 12):
        pytest.skip(f"setuptools {chosen} does not run on Python 3.12 and newer")
    return chosen


def build(
    source: Path, packages: Path, version: str, hook: str = "build_wheel", **users: str
) -> str:
    """Build with the handed-over flags and return all that setuptools printed."""
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(packages),
        "HOME": str(source),
        "PYTHONWARNINGS": "ignore",
        **users,
    }
    variables = sysconfig.get_config_vars()
    handover = hand_over(
        FLAGS,
        Delegation(
            backend="setuptools.build_meta",
            version=version,
            source=source,
            staging=source,
            env=env,
            config_settings={},
            interpreter={k: v for k, v in variables.items() if isinstance(v, str)},
        ),
        compilers=GCC,
        build_name=NAME,
    )
    for path, text in handover.files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    settings = json.dumps(dict(handover.config_settings))
    command = (sys.executable, "-S", "-c", _BUILD, hook, str(source / "dist"), settings)
    return run(*command, cwd=source, env={**env, **dict(handover.env)}).ok().output


def compile_line(output: str, name: str) -> list[str]:
    """Return the words of the one line that compiles `name`."""
    (line,) = (
        line for line in output.splitlines() if f" -c {name} " in line and not line.startswith("[")
    )
    return shlex.split(line)


def test_every_setuptools_gets_all_flags(
    flags_setuptools: Path, version: str, setuptools_directories: Path
) -> None:
    output = build(
        flags_setuptools,
        setuptools_directories / f"v{version}",
        version,
        CFLAGS="-DOF_THE_USER=1 -O2",
        CPPFLAGS="-DOF_CPPFLAGS",
    )
    for name in ("module.c", "modulexx.cpp"):
        words = compile_line(output, name)
        for word in ("-O3", "-DNDEBUG", "-DOF_THE_USER=1", "-march=x86-64-v3", "-DOF_CPPFLAGS"):
            assert word in words, f"{word} is not in {words}"
        last = {word: len(words) - words[::-1].index(word) for word in words}
        # The interpreter's, then the user's, then ours: the last one counts for each compiler.
        assert last["-O3"] < last["-O2"] < last["-march=x86-64-v3"]
    assert_own_build_directory(flags_setuptools)


@pytest.mark.parametrize("version", ["72.1.0", "72.2.0", ""], indirect=True)
def test_cxxflags_of_the_user_reach_newer_versions(
    flags_setuptools: Path, version: str, setuptools_directories: Path
) -> None:
    directory = setuptools_directories / f"v{version}"
    output = build(flags_setuptools, directory, version, CFLAGS="-DFOR_C", CXXFLAGS="-DFOR_CXX")
    c, cxx = compile_line(output, "module.c"), compile_line(output, "modulexx.cpp")
    assert "-DFOR_C" in c
    assert "-DFOR_CXX" not in c
    assert ("-DFOR_C" if version == "72.1.0" else "-DFOR_CXX") in cxx
    assert {"-O3", "-DNDEBUG", "-march=x86-64-v3"} <= set(c) & set(cxx)


@pytest.mark.parametrize("version", ["64.0.0", "66.0.0", ""], indirect=True)
def test_editable_build(flags_setuptools: Path, version: str, setuptools_directories: Path) -> None:
    directory = setuptools_directories / f"v{version}"
    output = build(flags_setuptools, directory, version, hook="build_editable")
    for name in ("module.c", "modulexx.cpp"):
        assert {"-O3", "-DNDEBUG", "-march=x86-64-v3"} <= set(compile_line(output, name))
    assert len(list(flags_setuptools.glob("flagged_*.so"))) == 2


def assert_own_build_directory(source: Path) -> None:
    """Objects are written to the variant's own directory and nowhere else in the source tree."""
    objects = [p.relative_to(source) for p in source.rglob("*.o")]
    assert objects
    (directory,) = (source / "build").iterdir()
    assert directory.name.startswith(f"{NAME}-")
    assert all(p.parts[:2] == ("build", directory.name) for p in objects), objects
