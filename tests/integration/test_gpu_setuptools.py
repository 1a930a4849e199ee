"""Device code through setuptools: one source for nvcc and hipcc, checked in the wheel."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from devices import (
    build_here,
    build_wheel,
    cuobjdump_names,
    device_names,
    only_wheel,
    rocm_label,
    without_cuda,
)
from workshop import SOURCES, Environment

needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH")
needs_hipcc = pytest.mark.skipif(shutil.which("hipcc") is None, reason="hipcc is not on PATH")

WANTED = {"sm_80", "sm_90a", "sm_120", "compute_120"}


@pytest.mark.cuda
@pytest.mark.isolated
@needs_nvcc
def test_a_cuda_wheel_through_pip(
    setuptools_gpu: Path, environment: Environment, cuobjdump: Path
) -> None:
    done = build_wheel(environment, setuptools_gpu, "v3.cu13").ok()
    wheel = only_wheel(setuptools_gpu)
    assert wheel.name.startswith("setuptools_gpu-1.0+cu13.v3-")
    assert wheel.name.endswith(".linux_x86_64_v3_cu13.whl")
    assert device_names(wheel) == cuobjdump_names(cuobjdump, wheel, setuptools_gpu) == WANTED
    assert "-Xcompiler=-march=x86-64-v3" in done.output
    assert "-lineinfo" in done.output
    environment.pip("install", "--no-deps", wheel).ok()
    assert environment.ask("setuptools_gpu.device_count() >= 0", "setuptools_gpu") == "True"


@pytest.mark.rocm
@pytest.mark.isolated
@needs_hipcc
def test_a_rocm_wheel_from_the_same_source(setuptools_gpu: Path, environment: Environment) -> None:
    label = rocm_label()
    build_wheel(environment, setuptools_gpu, f"v3.{label}.fc39").ok()
    wheel = only_wheel(setuptools_gpu)
    assert wheel.name.startswith(f"setuptools_gpu-1.0+fc39.{label}.v3-")
    assert wheel.name.endswith(f"linux_x86_64_v3_fc39_{label.replace('.', '_')}.whl")
    assert {name.partition(":")[0] for name in device_names(wheel)} == {"gfx90a", "gfx1030"}
    environment.pip("install", "--no-deps", wheel).ok()
    assert environment.ask("setuptools_gpu.device_count() >= 0", "setuptools_gpu") == "True"


@pytest.mark.cuda
@pytest.mark.isolated
def test_a_cuda_wheel_with_the_compiler_from_pypi(
    setuptools_gpu: Path, environment: Environment, nvidia_wheels: Path
) -> None:
    """Without nvcc on PATH and with the machine's toolkits excluded, pip installs the compiler."""
    done = build_wheel(
        environment,
        setuptools_gpu,
        "cu130.v2",
        "-Cvariantbuild.cuda.toolkit=pypi",
        **without_cuda(environment, nvidia_wheels),
    ).ok()
    wheel = only_wheel(setuptools_gpu)
    assert wheel.name.startswith("setuptools_gpu-1.0+cu130.v2-")
    assert device_names(wheel) == WANTED
    assert "/cuda/bin/nvcc" in done.output


@pytest.mark.compile
@pytest.mark.isolated
def test_releases_that_pypi_has_not_are_refused(
    setuptools_gpu: Path, environment: Environment
) -> None:
    done = build_wheel(environment, setuptools_gpu, "cu12.v2", "-Cvariantbuild.cuda.toolkit=pypi")
    assert done.code != 0
    assert "CUDA 12 is not on PyPI" in done.output
    assert "Traceback" not in done.output


@pytest.mark.compile
def test_a_target_without_an_accelerator_builds_none(setuptools_gpu: Path) -> None:
    build_here(setuptools_gpu, "v2").ok()
    assert "cu" not in only_wheel(setuptools_gpu).name.partition("-")[2].replace(
        "setuptools_gpu", ""
    )
    assert device_names(only_wheel(setuptools_gpu)) == set()


@pytest.mark.cuda
@needs_nvcc
def test_a_build_that_skips_cuda_is_refused(setuptools_gpu: Path) -> None:
    done = build_here(setuptools_gpu, "v2.cu13", SKIP_DEVICE_CODE="1")
    assert done.code != 0
    assert "not stamped as cu13.v2: it contains no device code" in done.output
    assert "skipped cuda, which was planned for sm_80, sm_90a, sm_120" in done.output
    assert "Traceback" not in done.output
    assert not list((setuptools_gpu / "dist").iterdir())


@pytest.mark.cuda
@needs_nvcc
def test_a_build_that_skips_cuda_may_come_out_without(setuptools_gpu: Path) -> None:
    done = build_here(
        setuptools_gpu, "v2.cu13", SKIP_DEVICE_CODE="1", VARIANTBUILD_AUDIT="downgrade"
    ).ok()
    # No instruction of the module is above v1, so it is not stamped as v2 either.
    note = "not stamped: the audit found code for the baseline instead of cu13.v2"
    assert done.output.count("instead of") == 1
    assert note in done.output
    wheel = only_wheel(setuptools_gpu)
    assert wheel.name.endswith("-linux_x86_64.whl")
    assert device_names(wheel) == set()


@pytest.mark.cuda
@needs_nvcc
def test_a_build_that_skips_cuda_keeps_the_cpu_that_its_code_is_for(setuptools_gpu: Path) -> None:
    source = setuptools_gpu / "src" / "module.cpp"
    source.write_text(source.read_text() + (SOURCES / "wide_loop.cpp").read_text())
    done = build_here(
        setuptools_gpu, "v3.cu13", SKIP_DEVICE_CODE="1", VARIANTBUILD_AUDIT="downgrade"
    ).ok()
    assert "stamped as v3 instead of cu13.v3, according to the audit" in done.output
    wheel = only_wheel(setuptools_gpu)
    assert wheel.name.endswith("_x86_64_v3.whl")
    assert device_names(wheel) == set()


@pytest.mark.cuda
@needs_nvcc
@pytest.mark.parametrize("policy", ["error", "downgrade"])
def test_an_architecture_that_was_not_planned_stops_the_stamp(
    setuptools_gpu: Path, policy: str
) -> None:
    done = build_here(
        setuptools_gpu,
        "v2.cu13",
        EXTRA_ARCHITECTURE="89",
        VARIANTBUILD_AUDIT=policy,
        VARIANTBUILD_CUDA_ARCHITECTURES="80",
    )
    assert done.code != 0
    assert "it contains device code for sm_89, which was not planned" in done.output
    assert not list((setuptools_gpu / "dist").iterdir())


@pytest.mark.cuda
@needs_nvcc
def test_a_missing_architecture_stops_the_stamp(cmake_gpu: Path) -> None:
    """The project's own CUDA_ARCHITECTURES override those that CMake was given."""
    done = build_here(cmake_gpu, "v2.cu13", VARIANTBUILD_CUDA_ARCHITECTURES="80;90")
    assert done.code != 0
    assert "it contains no device code for compute_90, sm_90" in done.output
    assert not list((cmake_gpu / "dist").iterdir())


@pytest.mark.cuda
@needs_nvcc
def test_the_build_sees_what_it_may_look_at(setuptools_gpu: Path, tmp_path: Path) -> None:
    """PyTorch's extensions and others read variables; the user's own win."""
    seen = tmp_path / "variables.json"
    words = {"VARIANTBUILD_CUDA_ARCHITECTURES": "80;90a", "WRITE_VARIABLES": str(seen)}
    build_here(
        setuptools_gpu, "v2.cu13", SKIP_DEVICE_CODE="1", VARIANTBUILD_AUDIT="off", **words
    ).ok()
    found = json.loads(seen.read_text(encoding="utf-8"))
    assert found["TORCH_CUDA_ARCH_LIST"] == "8.0+PTX;9.0a"
    assert found["CUDAARCHS"] == "80-real;90a-real;80-virtual"
    assert 1 <= int(found["MAX_JOBS"]) == int(found["CMAKE_BUILD_PARALLEL_LEVEL"])
    assert Path(found["CUDACXX"]).name == "nvcc"
    assert Path(found["CUDA_HOME"], "include", "cuda.h").is_file()
    assert found["CUDA_HOME"] == found["CUDA_PATH"] == found["CUDAToolkit_ROOT"]
    # Behind the compiler wrappers.
    assert found["PATH"].split(os.pathsep)[1] == f"{found['CUDA_HOME']}/bin"
    assert "-Xcompiler=-march=x86-64-v2" in found["CUDAFLAGS"]
    build_here(
        setuptools_gpu,
        "v2.cu13",
        SKIP_DEVICE_CODE="1",
        VARIANTBUILD_AUDIT="off",
        MAX_JOBS="5",
        **words,
    ).ok()
    found = json.loads(seen.read_text(encoding="utf-8"))
    assert found["MAX_JOBS"] == "5"
    assert "CMAKE_BUILD_PARALLEL_LEVEL" not in found


@pytest.mark.rocm
@needs_hipcc
def test_a_rocm_build_sees_its_variables(setuptools_gpu: Path, tmp_path: Path) -> None:
    seen = tmp_path / "variables.json"
    words = {"VARIANTBUILD_ACCELERATORS": "rocm", "WRITE_VARIABLES": str(seen)}
    variables = {**words, "SKIP_DEVICE_CODE": "1", "VARIANTBUILD_AUDIT": "off"}
    build_here(setuptools_gpu, "", **variables).ok()
    found = json.loads(seen.read_text(encoding="utf-8"))
    assert found["PYTORCH_ROCM_ARCH"] == "gfx1030;gfx90a"
    assert found["HIP_PLATFORM"] == "amd"
    assert Path(found["ROCM_PATH"], "bin", "hipcc").exists()


@pytest.mark.cuda
@needs_nvcc
def test_meson_builds_device_code(meson_gpu: Path) -> None:
    """Meson has its own names, and links with nvcc, which does not read a specs file."""
    settings = {"CPU": "v3", "CUDA_LABEL": "minor", "CUDA_ARCHITECTURES": "80;90a"}
    build_here(
        meson_gpu, "", **{f"VARIANTBUILD_{key}": value for key, value in settings.items()}
    ).ok()
    wheel = only_wheel(meson_gpu)
    assert re.search(r"-linux_x86_64_v3_cu\d\d\d\.whl$", wheel.name)
    assert device_names(wheel) == {"sm_80", "sm_90a", "compute_80"}


@pytest.mark.cuda
@needs_nvcc
def test_editable_builds_are_held_against_the_plan(setuptools_gpu: Path) -> None:
    words = {"VARIANTBUILD_CUDA_ARCHITECTURES": "80"}
    build_here(setuptools_gpu, "v2.cu13", hook="build_editable", **words).ok()
    (module,) = setuptools_gpu.glob("src/setuptools_gpu*.so")
    # Nothing has changed, so nothing is rebuilt: the existing modules count.
    again = build_here(setuptools_gpu, "v2.cu13", hook="build_editable", **words).ok()
    assert "no device code" not in again.output
    module.unlink()
    done = build_here(
        setuptools_gpu, "v2.cu13", hook="build_editable", SKIP_DEVICE_CODE="1", **words
    )
    assert done.code == 1
    assert "what was built in place is not cu13.v2: it contains no device code" in done.stderr
    other = build_here(
        setuptools_gpu, "v2.cu13", hook="build_editable", EXTRA_ARCHITECTURE="89", **words
    )
    assert other.code == 1
    assert "it contains device code for sm_89, which was not planned" in other.stderr
