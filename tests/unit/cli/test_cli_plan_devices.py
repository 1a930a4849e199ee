"""`plan` for device code: architectures, flags, variables, and requirements from PyPI."""

from __future__ import annotations

import sysconfig
from pathlib import Path
from typing import TypedDict, cast

import pytest

from answers import answer
from variantbuild.cli import main

pytestmark = [
    pytest.mark.usefixtures("fake_compilers"),
    pytest.mark.skipif(
        sysconfig.get_platform() != "linux-x86_64", reason="targets of this test are for x86-64"
    ),
]


class Accelerator(TypedDict):
    label: str
    toolkit: str
    requirements: list[str]
    architectures: str
    switches: list[str]
    host_compiler: dict[str, str | int]
    variables: dict[str, str]
    settings: dict[str, str]


@pytest.fixture
def tree(setuptools_gpu: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project for CUDA and ROCm, and an environment without settings."""
    for name in ("CUDA_HOME", "CUDA_PATH", "CUDACXX", "CUDAHOSTCXX", "NVCC_CCBIN", "MAX_JOBS"):
        monkeypatch.delenv(name, raising=False)
    return setuptools_gpu


def plan(capsys: pytest.CaptureFixture[str], tree: Path, target: str, *words: str) -> Accelerator:
    """Return the plan's part on accelerators, checked against the schema."""
    assert main(["plan", str(tree), "--target", target, "--json", *words]) == 0
    return cast("Accelerator", answer(capsys, "plan")["accelerator"])


PYPI = ("-C", "variantbuild.cuda.toolkit=pypi")


def test_what_pypi_would_bring(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = plan(capsys, tree, "cu131.v3", *PYPI)
    assert found["label"] == "cu131"
    assert found["requirements"][0] == "nvidia-cuda-nvcc==13.1.*"
    assert len(found["requirements"]) == 5
    assert found["toolkit"] == "<build>/cuda"
    assert found["variables"]["CUDACXX"] == "<build>/cuda/bin/nvcc"
    assert found["variables"]["PATH"] == "<build>/cuda/bin:$PATH"
    assert found["architectures"] == "sm_80, sm_90a, sm_120, compute_120"
    assert "-gencode=arch=compute_90a,code=sm_90a" in found["switches"]
    assert "-Xcompiler=-march=x86-64-v3" in found["switches"]
    assert found["variables"]["TORCH_CUDA_ARCH_LIST"] == "8.0;9.0a;12.0+PTX"
    assert found["variables"]["CUDAARCHS"] == "80-real;90a-real;120-real;120-virtual"
    assert found["host_compiler"]["family"] == "gcc"
    assert not [name for name in found["variables"] if name.startswith("_")]


def test_the_users_own_variables_are_counted(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_JOBS", "7")
    monkeypatch.setenv("CUDAFLAGS", "-lineinfo")
    variables = plan(capsys, tree, "cu13.v2", *PYPI)["variables"]
    assert variables["CUDAFLAGS"].startswith("-lineinfo -Xcompiler=")
    assert "MAX_JOBS" not in variables


def test_cmake_gets_a_definition(example_project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (*PYPI, "-C", "variantbuild.cuda.architectures=90")
    assert plan(capsys, example_project, "cu13.v2", *words)["settings"] == {
        "cmake.define.CMAKE_CUDA_ARCHITECTURES": "90-real;90-virtual"
    }


def test_for_people(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(tree), "--target", "cu13.v2", *PYPI]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split("  ")[0]: line for line in lines}
    assert "nvidia-cuda-nvcc==13.5.*, nvidia-nvvm==13.5.*" in rows["requirements"]
    assert "sm_80, sm_90a, sm_120, compute_120" in rows["device code"]
    # The architectures and their reason are told once.
    assert sum("sm_90a" in line for line in lines) == 1
    assert rows["variant"].endswith("(target 'cu13.v2' (the config-setting variantbuild.target))")
    assert "nvcc's own choice" in rows["host compiler"]
    assert "  CUDA_HOME=<build>/cuda" in lines


def test_a_release_that_pypi_has_not(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(tree), "--target", "cu12.v2", *PYPI]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "CUDA 12 is not on PyPI" in captured.err
