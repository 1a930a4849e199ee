"""The package itself: its own wheel, its requirements, and its output on a terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from workshop import Environment


def test_own_wheel_is_pure_and_unstamped(wheelhouse: Path) -> None:
    """It is built with itself, in-tree."""
    (wheel,) = wheelhouse.glob("variantbuild-*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "+" not in wheel.name
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "variantbuild/cmake/VariantBuild.cmake" in names
    assert any(name.startswith("variantbuild/cmake/examples/") for name in names)
    assert "variantbuild/data/settings.schema.json" in names
    assert "variantbuild/cli/plan.schema.json" in names
    assert "variantbuild/py.typed" in names


@pytest.mark.isolated
def test_cmake_and_ninja_come_only_where_the_machine_lacks_them(
    example_project: Path, environment: Environment, tmp_path: Path
) -> None:
    environment.uv_pip("install", "-q", "variantbuild").ok()
    code = "import variantbuild as v; print(v.get_requires_for_build_wheel({}))"
    words = (environment.python, "-c", code)
    lacking = environment.run(*words, cwd=example_project, PATH=str(tmp_path)).ok().stdout
    assert "cmake" in lacking
    assert "ninja" in lacking
    path = environment.env["PATH"]
    if not (shutil.which("cmake", path=path) and shutil.which("ninja", path=path)):
        pytest.skip("cmake and ninja are not both installed on this machine")
    there = environment.run(*words, cwd=example_project).ok().stdout
    assert "cmake" not in there
    assert "ninja" not in there


def on_a_terminal(command: list[str], cwd: Path, env: Mapping[str, str]) -> str:
    """Run `command` with a pseudo-terminal for all its streams and return what it showed."""
    pid, master = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(command[0], command, dict(env))
    shown = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if select.select([master], [], [], 1)[0]:
            try:
                shown += os.read(master, 65536)
            except OSError:  # the other end is closed
                break
    os.close(master)
    os.waitpid(pid, 0)
    return shown.decode("utf-8", "replace")


def test_colour_on_a_terminal_only(setuptools_c: Path, environment: Environment) -> None:
    environment.uv_pip("install", "-q", "variantbuild").ok()
    program = str(environment.directory / "bin" / "variantbuild")
    env = {**environment.env, "TERM": "xterm", "VARIANTBUILD_CPU": "v2"}
    command = [program, "plan", str(setuptools_c)]
    assert "\x1b[1m" in on_a_terminal(command, setuptools_c, env)
    assert "\x1b[" not in on_a_terminal(command, setuptools_c, {**env, "NO_COLOR": "1"})
    assert "\x1b[" not in on_a_terminal(command, setuptools_c, {**env, "TERM": "dumb"})
    assert "\x1b[" not in environment.run(*command, TERM="xterm").ok().output


@pytest.mark.compile
def test_progress_on_a_terminal(setuptools_c: Path, environment: Environment) -> None:
    environment.uv_pip("install", "-q", "variantbuild[build]", "setuptools").ok()
    program = str(environment.directory / "bin" / "variantbuild")
    env = {**environment.env, "TERM": "xterm", "VARIANTBUILD_CPU": "v2"}
    shown = on_a_terminal([program, "build", "--no-isolation"], setuptools_c, env)
    assert "compiling" in shown
    assert "\r\x1b[2K" in shown
    assert "whatami-1.0+v2" in shown
