"""Projects that use scikit-build-core as a plugin of setuptools, and one that does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import variantbuild

pytestmark = pytest.mark.compile


def build(project: Path, wheels: Path) -> str:
    """Build a wheel in a separate process; return the output and the loaded modules."""
    wheels.mkdir()
    code = (
        f"import sys, variantbuild; variantbuild.build_wheel({str(wheels)!r})\n"
        "print('plugin loaded:', 'scikit_build_core.cmake' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(Path(variantbuild.__file__).parent.parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.skipif(shutil.which("cmake") is None, reason="cmake is not on PATH")
@pytest.mark.parametrize("name", ["plugin-keyword", "plugin-table"])
def test_cmake_builds_the_module(name: str, project: Callable[[str], Path], tmp_path: Path) -> None:
    output = build(project(name), tmp_path / "wheels")
    assert "plugin loaded: True" in output
    (wheel,) = (tmp_path / "wheels").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        modules = [each for each in archive.namelist() if each.startswith("plugged.")]
    assert len(modules) == 1, output


def test_a_project_without_it_is_built_without_it(setuptools_c: Path, tmp_path: Path) -> None:
    output = build(setuptools_c, tmp_path / "wheels")
    assert "plugin loaded: False" in output
    assert "building 'whatami' extension" in output
