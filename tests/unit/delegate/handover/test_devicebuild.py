"""What each build system gets for device code, and which settings stay the user's."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from devices import CUDA, ROCM
from variantbuild.delegate.handover import Delegation, Handover
from variantbuild.delegate.handover.devicebuild import complete_device_build, hand_device_build
from variantbuild.plan.device.build import DeviceBuild, preview_device_build

CUDA_FLAGS = "-Xcompiler=-march=x86-64-v3 '-Xcompiler=-Wl\\,-z\\,now' -lineinfo"


def handed(
    build: DeviceBuild,
    backend: str = "setuptools.build_meta",
    env: dict[str, str] | None = None,
    before: Handover | None = None,
) -> tuple[dict[str, str], dict[str, object]]:
    """Return the variables and the settings after hand-over."""
    delegation = Delegation(
        backend=backend,
        version="",
        source=Path("/src"),
        staging=Path("/private"),
        env={"PATH": "/usr/bin", **(env or {})},
        config_settings={},
    )
    changes = hand_device_build(build, before or Handover(), delegation)
    return dict(changes.env), dict(changes.config_settings)


def test_cuda_variables() -> None:
    variables, settings = handed(CUDA)
    assert variables == {
        "CUDACXX": "/opt/cuda/bin/nvcc",
        "CUDA_HOME": "/opt/cuda",
        "CUDA_PATH": "/opt/cuda",
        "CUDAToolkit_ROOT": "/opt/cuda",
        "CUDAARCHS": "80-real;90a-real;80-virtual",
        "CUDAFLAGS": CUDA_FLAGS,
        "TORCH_CUDA_ARCH_LIST": "8.0+PTX;9.0a",
        "PATH": "/opt/cuda/bin:/usr/bin",
        "_VARIANTBUILD_CUDA_FLAGS": CUDA_FLAGS,
        "_VARIANTBUILD_ARCHITECTURES": "80-real;90a-real;80-virtual",
        "CMAKE_BUILD_PARALLEL_LEVEL": "3",
        "MAX_JOBS": "3",
    }
    assert settings == {}


def test_the_users_own_definitions_get_the_planned_architectures() -> None:
    cmake = "scikit_build_core.build"
    planned = "80-real;90a-real;80-virtual"
    variables, _ = handed(CUDA, cmake, {"CMAKE_ARGS": "-DA=b -DCMAKE_CUDA_ARCHITECTURES=80"})
    assert variables["CMAKE_ARGS"] == f"-DA=b '-DCMAKE_CUDA_ARCHITECTURES={planned}'"
    given = (
        ("skbuild.cmake.define.CMAKE_CUDA_ARCHITECTURES", "80"),
        ("cmake.args", ["-DCMAKE_CUDA_ARCHITECTURES=80", "-DB=80"]),
    )
    variables, settings = handed(CUDA, cmake, before=Handover(config_settings=given))
    assert "CMAKE_ARGS" not in variables
    assert settings == {
        "skbuild.cmake.define.CMAKE_CUDA_ARCHITECTURES": planned,
        "cmake.args": [f"-DCMAKE_CUDA_ARCHITECTURES={planned}", "-DB=80"],
    }
    off = (("cmake.define.CMAKE_CUDA_ARCHITECTURES", "OFF"),)
    assert handed(CUDA, cmake, before=Handover(config_settings=off))[1] == dict(off)


def test_rocm_variables() -> None:
    variables, _ = handed(ROCM)
    assert variables == {
        "HIP_PLATFORM": "amd",
        "ROCM_PATH": "/opt/rocm",
        "ROCM_HOME": "/opt/rocm",
        "HIP_PATH": "/opt/rocm",
        "HIPFLAGS": "-Xarch_host -march=x86-64-v3",
        "PYTORCH_ROCM_ARCH": "gfx1030;gfx90a:xnack-",
        "HCC_AMDGPU_TARGET": "gfx1030,gfx90a:xnack-",
        "PATH": "/opt/rocm/bin:/usr/bin",
        "HIPCXX": "/opt/rocm/llvm/bin/clang++",
        "_VARIANTBUILD_HIP_FLAGS": "-Xarch_host -march=x86-64-v3",
        "_VARIANTBUILD_ARCHITECTURES": "gfx1030;gfx90a:xnack-",
        "CMAKE_BUILD_PARALLEL_LEVEL": "2",
        "MAX_JOBS": "2",
    }


def test_debians_rocm_is_on_path_anyway() -> None:
    usr = dataclasses.replace(ROCM, toolkit=dataclasses.replace(ROCM.toolkit, root="/usr", clang=""))  # fmt: skip # noqa: E501
    variables, _ = handed(usr)
    assert "PATH" not in variables
    assert "HIPCXX" not in variables


@pytest.mark.parametrize("build", [CUDA, ROCM])
def test_the_users_flags_come_first(build: DeviceBuild) -> None:
    name = "CUDAFLAGS" if build is CUDA else "HIPFLAGS"
    variables, _ = handed(build, env={name: "-mine"})
    assert variables[name].startswith("-mine -X")


@pytest.mark.parametrize("name", ["MAX_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL"])
def test_one_limit_of_the_users_is_the_users_word(name: str) -> None:
    variables, _ = handed(CUDA, env={name: "9"})
    assert {"MAX_JOBS", "CMAKE_BUILD_PARALLEL_LEVEL"} & variables.keys() == set()


def test_another_host_compiler_is_named_to_nvcc_and_cmake() -> None:
    build = dataclasses.replace(CUDA, host_compiler="/usr/bin/g++-12")
    variables, _ = handed(build)
    assert variables["CUDAHOSTCXX"] == variables["NVCC_CCBIN"] == "/usr/bin/g++-12"
    variables, _ = handed(build, "mesonpy")
    assert variables["CUFLAGS"].endswith(" -ccbin=/usr/bin/g++-12")


def test_scikit_build_core_gets_definitions() -> None:
    assert handed(CUDA, "scikit_build_core.build")[1] == {
        "cmake.define.CMAKE_CUDA_ARCHITECTURES": "80-real;90a-real;80-virtual"
    }
    value = "gfx1030;gfx90a:xnack-"
    assert handed(ROCM, "scikit_build_core.build")[1] == {
        "cmake.define.CMAKE_HIP_ARCHITECTURES": value,
        "cmake.define.GPU_TARGETS": value,
        "cmake.define.AMDGPU_TARGETS": value,
    }


def test_meson_gets_names_of_its_own() -> None:
    variables, settings = handed(CUDA, "mesonpy", {"CUFLAGS": "-mine"})
    assert settings == {}
    assert variables["NVCC"] == "/opt/cuda/bin/nvcc"
    assert variables["CUFLAGS"] == (
        "-mine -gencode=arch=compute_80,code=sm_80 -gencode=arch=compute_90a,code=sm_90a "
        f"-gencode=arch=compute_80,code=compute_80 {CUDA_FLAGS} "
        "-forward-unknown-to-host-compiler"
    )
    assert "NVCC" not in handed(CUDA)[0]
    assert "CUFLAGS" not in handed(ROCM, "mesonpy")[0]


def test_what_was_handed_over_before_stays() -> None:
    before = Handover(env=(("CFLAGS", "-O1"), ("PATH", "/first")))
    variables, _ = handed(CUDA, before=before)
    assert variables["CFLAGS"] == "-O1"
    assert variables["PATH"] == "/opt/cuda/bin:/first"


def test_wheels_are_completed_in_the_staging_directory(tmp_path: Path) -> None:
    root = tmp_path / "nvidia" / "cu13"
    for part in ("bin", "lib", "include"):
        (root / part).mkdir(parents=True)
    (root / "lib" / "libcudart.so.13").touch()
    assert complete_device_build(None, tmp_path) is None
    assert complete_device_build(CUDA, tmp_path) is CUDA
    wheels = dataclasses.replace(
        CUDA, toolkit=dataclasses.replace(CUDA.toolkit, origin="pypi", root=str(root))
    )
    home = tmp_path / "private" / "cuda"
    done = complete_device_build(wheels, tmp_path / "private")
    assert done is not None
    assert done.toolkit.compiler == str(home / "bin" / "nvcc")
    assert (done.toolkit.root, done.toolkit.libraries) == (str(home), str(home / "lib"))
    assert done.toolkit.include == str(home / "include")
    assert (home / "lib64" / "libcudart.so").exists()
    assert done.architectures is CUDA.architectures


def test_a_preview_names_the_staging_directory_only_for_wheels() -> None:
    assert preview_device_build(CUDA) is CUDA
    wheels = dataclasses.replace(CUDA, toolkit=dataclasses.replace(CUDA.toolkit, origin="pypi"))
    assert preview_device_build(wheels).toolkit.libraries == "<build>/cuda/lib"
