"""The example's kernel through scikit-build-core and pip, with isolation, from every compiler."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from devices import build_wheel, cuobjdump_names, device_names, only_wheel, rocm_label, without_cuda
from workshop import Environment

pytestmark = pytest.mark.isolated

WANTED = {"sm_80", "sm_90", "compute_90"}
LIST = "-Cvariantbuild.cuda.architectures=80;90"


@pytest.fixture
def example(example_project: Path) -> Path:
    return example_project


def check_installed(environment: Environment, wheel: Path) -> None:
    """Install the wheel and search with it: without a GPU the CPU gives the same results."""
    environment.pip("install", wheel).ok()
    assert environment.ask("vecsearch.compiled_for()", "vecsearch") == "v2"
    assert environment.ask("vecsearch.gpu_count() >= 0", "vecsearch") == "True"


@pytest.mark.cuda
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH")
def test_with_the_machines_nvcc(environment: Environment, example: Path, cuobjdump: Path) -> None:
    build_wheel(environment, example, "cu13.v2", LIST).ok()
    wheel = only_wheel(example)
    assert wheel.name.startswith("vecsearch-0.1.0+cu13.v2-")
    assert device_names(wheel) == cuobjdump_names(cuobjdump, wheel, example) == WANTED
    check_installed(environment, wheel)


@pytest.mark.cuda
def test_with_the_compiler_from_pypi(
    environment: Environment, example: Path, nvidia_wheels: Path, cuobjdump: Path
) -> None:
    """Without nvcc on PATH and with the machine's toolkits excluded, pip installs the compiler."""
    done = build_wheel(
        environment,
        example,
        "cu130.v2",
        LIST,
        "-Cvariantbuild.cuda.toolkit=pypi",
        **without_cuda(environment, nvidia_wheels),
    ).ok()
    wheel = only_wheel(example)
    assert wheel.name.startswith("vecsearch-0.1.0+cu130.v2-")
    assert "/cuda/bin/nvcc" in done.output
    assert device_names(wheel) == cuobjdump_names(cuobjdump, wheel, example) == WANTED
    check_installed(environment, wheel)


@pytest.mark.rocm
@pytest.mark.skipif(shutil.which("hipcc") is None, reason="hipcc is not on PATH")
def test_with_hipcc(environment: Environment, example: Path) -> None:
    label = rocm_label()
    build_wheel(
        environment, example, f"{label}.v2", "-Cvariantbuild.rocm.architectures=gfx90a;gfx1030"
    ).ok()
    wheel = only_wheel(example)
    assert wheel.name.startswith(f"vecsearch-0.1.0+{label}.v2-")
    assert {name.partition(":")[0] for name in device_names(wheel)} == {"gfx90a", "gfx1030"}
    check_installed(environment, wheel)
