"""The architectures that users and projects give to their build system, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.config.project import load_project
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.plan.device.givenlists import (
    find_projects_list,
    find_users_list,
    split_architectures,
)
from variantbuild.types import ConfigSettings


def users_list(
    directory: Path,
    env: dict[str, str],
    settings: ConfigSettings | None = None,
    kind: AcceleratorKind = "cuda",
) -> tuple[str, str] | None:
    (directory / "pyproject.toml").write_text("", encoding="utf-8")
    project = load_project(directory, settings, {}, machine_files=())
    found = find_users_list(project, env, kind)
    return None if found is None else (" ".join(found.names), found.origin.partition("=")[0])


@pytest.mark.parametrize(
    ("env", "settings", "names", "place"),
    [
        ({"TORCH_CUDA_ARCH_LIST": "8.0 8.6+PTX"}, {}, "8.0 8.6+PTX", "TORCH_CUDA_ARCH_LIST"),
        ({"CUDAARCHS": "80-real;90"}, {}, "80-real 90", "CUDAARCHS"),
        ({"CUDAARCHS": "native"}, {}, "native", "CUDAARCHS"),
        ({"CUDAARCHS": "all"}, {}, "all", "CUDAARCHS"),
        (
            {"CMAKE_ARGS": "-G Ninja '-DCMAKE_CUDA_ARCHITECTURES:STRING=80;90'"},
            {},
            "80 90",
            "CMAKE_ARGS -DCMAKE_CUDA_ARCHITECTURES",
        ),
        (
            {"CMAKE_ARGS": "-D CMAKE_CUDA_ARCHITECTURES=75", "CUDAARCHS": "80"},
            {},
            "75",
            "CMAKE_ARGS -DCMAKE_CUDA_ARCHITECTURES",
        ),
        (
            {"SKBUILD_CMAKE_ARGS": "-DA=1;-DCMAKE_CUDA_ARCHITECTURES=80"},
            {},
            "80",
            "SKBUILD_CMAKE_ARGS -DCMAKE_CUDA_ARCHITECTURES",
        ),
        (
            {"SKBUILD_CMAKE_DEFINE": "A=1;CMAKE_CUDA_ARCHITECTURES=80;90;B=2"},
            {},
            "80 90",
            "SKBUILD_CMAKE_DEFINE CMAKE_CUDA_ARCHITECTURES",
        ),
        (
            {"CUDAARCHS": "80"},
            {"cmake.define.CMAKE_CUDA_ARCHITECTURES": "all-major"},
            "all-major",
            "the config-setting cmake.define.CMAKE_CUDA_ARCHITECTURES",
        ),
        (
            {},
            {"skbuild.cmake.args": ["-DCMAKE_CUDA_ARCHITECTURES=80"]},
            "80",
            "the config-setting skbuild.cmake.args -DCMAKE_CUDA_ARCHITECTURES",
        ),
    ],
)
def test_cuda_lists(
    tmp_path: Path, env: dict[str, str], settings: ConfigSettings, names: str, place: str
) -> None:
    assert users_list(tmp_path, env, settings) == (names, place)


@pytest.mark.parametrize(
    ("env", "settings", "names"),
    [
        ({"PYTORCH_ROCM_ARCH": "gfx90a;gfx942"}, {}, "gfx90a gfx942"),
        ({"HCC_AMDGPU_TARGET": "gfx90a,gfx1030"}, {}, "gfx90a gfx1030"),
        ({}, {"cmake.define.GPU_TARGETS": "gfx90a"}, "gfx90a"),
    ],
)
def test_rocm_lists(
    tmp_path: Path, env: dict[str, str], settings: ConfigSettings, names: str
) -> None:
    found = users_list(tmp_path, env, settings, "rocm")
    assert found is not None
    assert found[0] == names
    assert users_list(tmp_path, env, settings) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ampere", ("8.0", "8.6+PTX")),
        ("Ada;Hopper+PTX", ("8.9+PTX", "9.0+PTX")),
        ("80;;90;", ("80", "90")),
        ("All", ("all",)),
        ("OFF", ()),
        ("", ()),
        ("$ENV{ARCHS}", ()),
    ],
)
def test_notation(text: str, names: tuple[str, ...]) -> None:
    assert split_architectures(text) == names


@pytest.mark.parametrize(
    "text",
    [
        'cmake.define.CMAKE_CUDA_ARCHITECTURES = "80;90"',
        'cmake.define.CMAKE_CUDA_ARCHITECTURES = ["80", "90"]',
        'cmake.args = ["-DCMAKE_CUDA_ARCHITECTURES=80;90"]',
    ],
)
def test_projects_list(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.scikit-build]\n{text}\n", encoding="utf-8")
    found = find_projects_list(load_project(tmp_path, None, {}, machine_files=()), "cuda")
    assert found is not None
    assert found.names == ("80", "90")
    assert found.origin.startswith("[tool.scikit-build] cmake.")
