"""Overrides in real builds: flags, requirements (in the metadata too) and CMake variables."""

from __future__ import annotations

import json
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

from workshop import Environment, MakeEnvironment

pytestmark = pytest.mark.compile

OVERRIDES = """
[[tool.variantbuild.overrides]]
if.cpu = "v2"
flags.c = ["-DUSER_DEFINE=5"]
dependencies = ["packaging>=20", "absent-one; python_version < '3'"]
"""


@pytest.fixture
def ready(make_environment: MakeEnvironment) -> Environment:
    return make_environment("venv", "3.11", "variantbuild", "setuptools", "build")


def requires(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name)).get_all("Requires-Dist", [])


def test_flags_and_requirements_by_every_hook(ready: Environment, setuptools_c: Path) -> None:
    with (setuptools_c / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(OVERRIDES)
    # With a plain version prepare passes the delegate's metadata on; with a local one it builds.
    for naming in ("never", "always"):
        ready.env.update(VARIANTBUILD_CPU="v2", VARIANTBUILD_LOCAL_VERSION=naming)
        ready.pip("install", "--no-build-isolation", "--force-reinstall", setuptools_c).ok()
        assert ready.compiled_for("whatami") == {"level": "v2", "optimized": 1, "user": 5}
        asked = ready.ask("importlib.metadata.requires('whatami')", "importlib.metadata")
        assert "packaging>=20" in asked
        assert "absent-one" in asked
    ready.pip("check").ok()
    out = setuptools_c / "out"
    ready.env.pop("VARIANTBUILD_CPU")
    command = ("-m", "variantbuild", "build", "--no-isolation", "-o", out, setuptools_c)
    ready.run(ready.python, *command, "--target", "v2", "--target", "v3").ok()
    listed = {wheel.name.split("-")[1]: requires(wheel) for wheel in out.glob("*.whl")}
    assert len(listed["1.0+v2"]) == 2
    assert listed["1.0+v3"] == []
    # Modules for v3 were left in setuptools_c by the previous build: they do not count.
    ready.pip("install", "--no-build-isolation", "-e", setuptools_c, VARIANTBUILD_CPU="v2").ok()
    assert "packaging>=20" in ready.ask(
        "importlib.metadata.requires('whatami')", "importlib.metadata"
    )


def test_plan_shows_what_holds(ready: Environment, setuptools_c: Path) -> None:
    with (setuptools_c / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(OVERRIDES)
    command = ("-m", "variantbuild", "plan", setuptools_c, "--json", "--target")
    shown = json.loads(ready.run(ready.python, *command, "v2").ok().stdout)
    assert shown["overrides"] == ["table 1 of overrides in pyproject.toml"]
    assert "-DUSER_DEFINE=5" in shown["flags"]["c"]
    shown = json.loads(ready.run(ready.python, *command, "v3").ok().stdout)
    assert shown["overrides"] == []


def test_cmake_variables(make_environment: MakeEnvironment, flags_cmake: Path) -> None:
    ready = make_environment(
        "cmake", "3.11", "variantbuild", "scikit-build-core", "cmake", "ninja", "build"
    )
    text = (flags_cmake / "pyproject.toml").read_text(encoding="utf-8")
    text = text.replace("scikit_build_core.build", "variantbuild")
    text += "\n[[tool.variantbuild.overrides]]\nif.cpu = 'v2'\ncmake.define.SEEN = true\n"
    (flags_cmake / "pyproject.toml").write_text(text, encoding="utf-8")
    with (flags_cmake / "CMakeLists.txt").open("a", encoding="utf-8") as stream:
        stream.write('message(STATUS "seen: <${SEEN}>")\n')
    command = ("-m", "variantbuild", "build", "--no-isolation", flags_cmake, "-v", "--target")
    bin_path = f"{ready.directory / 'bin'}:{ready.env['PATH']}"
    shown = ready.run(ready.python, *command, "v2", PATH=bin_path)
    assert "seen: <ON>" in shown.ok().output
    shown = ready.run(ready.python, *command, "v1", PATH=bin_path)
    assert "seen: <>" in shown.ok().output


def test_cmake_variables_for_another_delegate(ready: Environment, setuptools_c: Path) -> None:
    with (setuptools_c / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("[[tool.variantbuild.overrides]]\nif.cpu = 'v2'\ncmake.define.A = '1'\n")
    done = ready.run(ready.python, "-m", "variantbuild", "plan", setuptools_c, "--target", "v2")
    assert done.code == 2
    assert "cmake.define A in overrides cannot reach the delegate 'setuptools" in done.stderr
