"""Projects that do not set `delegate`, built through pip: each is compiled by its own backend."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from devices import download_once
from workshop import Environment, MakeEnvironment

pytestmark = pytest.mark.compile

_BACKENDS = (
    "poetry-core",
    "pdm-backend",
    "hatchling",
    "tomlkit",
    "pathspec",
    "pluggy",
    "trove-classifiers",
)


@pytest.fixture
def stocked(
    make_environment: MakeEnvironment, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """An environment with ours and the backends of the projects."""
    backends = download_once(tmp_path_factory, "undeclared-backends", *_BACKENDS)
    environment = make_environment()
    found = environment.env["UV_FIND_LINKS"]
    needed = ("variantbuild", "meson-python", "ninja", "setuptools", *_BACKENDS)
    environment.uv_pip("install", "-q", *needed, UV_FIND_LINKS=f"{found},{backends}").ok()
    return environment


def wheel_of(environment: Environment, source: Path) -> tuple[Path, str]:
    """Build `source` for v2 without isolation; return the wheel and what was printed."""
    out = source.parent / "out"
    done = environment.pip(
        "wheel",
        "-v",
        "--no-build-isolation",
        "--no-deps",
        "-w",
        out,
        source,
        VARIANTBUILD_CPU="v2",
        PATH=f"{environment.python.parent}{os.pathsep}{environment.env['PATH']}",
    ).ok()
    (wheel,) = out.iterdir()
    return wheel, done.output


@pytest.mark.parametrize("backend", ["poetry", "pdm", "hatch", "meson"])
def test_compiled_by_its_own_backend(
    stocked: Environment, project: Callable[[str], Path], backend: str
) -> None:
    wheel, _ = wheel_of(stocked, project(f"undeclared-{backend}"))
    assert wheel.name.startswith("tiny-1.0+v2-cp")
    with zipfile.ZipFile(wheel) as archive:
        assert any(name.endswith(".so") for name in archive.namelist())


def test_a_backend_that_compiles_nothing_is_reported(
    stocked: Environment, undeclared_hatch: Path
) -> None:
    pyproject = undeclared_hatch / "pyproject.toml"
    text = pyproject.read_text(encoding="utf-8").partition("[tool.hatch.build.targets.wheel.hooks")
    pyproject.write_text(text[0], encoding="utf-8")
    wheel, output = wheel_of(stocked, undeclared_hatch)
    assert wheel.name == "tiny-1.0-py2.py3-none-any.whl"
    assert "the wheel contains no machine code, but the source tree contains tiny.c" in output
