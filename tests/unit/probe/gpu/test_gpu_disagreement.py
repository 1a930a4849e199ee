"""Toolkits whose parts contradict each other, and variables that name missing files."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from hosts.recorded import RecordedHost
from variantbuild.host import Completed
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu.cuda import probe_cuda_toolkit
from variantbuild.probe.gpu.rocm import parse_gfx_version, probe_rocm_toolkit

LoadHost = Callable[[str], RecordedHost]
ROOT = "/usr/local/cuda-12.4"


def with_file(host: RecordedHost, path: str, text: str) -> RecordedHost:
    return dataclasses.replace(host, files={**host.files, path: text})


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        (f"{ROOT}/targets/x86_64-linux/include/cuda.h", "#define CUDA_VERSION 12080\n", "12.8"),
        (f"{ROOT}/include/cuda.h", "#define CUDA_VERSION 11080\n", "11.8"),
        (f"{ROOT}/version.json", '{"cuda": {"version": "12.8.1"}}', "12.8"),
        (f"{ROOT}/version.json", "{", "an unreadable version"),
        (f"{ROOT}/version.json", '{"cuda": []}', "an unreadable version"),
    ],
)
def test_a_part_of_another_release_makes_it_no_toolkit(
    path: str, text: str, says: str, gpu_host: LoadHost
) -> None:
    fact = probe_cuda_toolkit(with_file(gpu_host("cuda-12.4-no-driver"), path, text))
    assert fact == Failed(f"{ROOT}/bin/nvcc is CUDA 12.4, but {path} says {says}")


def test_a_link_to_another_toolkit_is_seen(gpu_host: LoadHost) -> None:
    """CUDA_HOME names 12.8, and the nvcc in it belongs to 12.4, as its headers show."""
    host = gpu_host("cuda-12.4-no-driver")
    root = "/opt/cuda-12.8"
    answers = {
        argv[1:]: done for argv, done in host.outputs.items() if argv[0] == f"{ROOT}/bin/nvcc"
    }
    host = host.with_program(f"{root}/bin/nvcc", answers)
    host = with_file(host, f"{root}/include/cuda.h", "#define CUDA_VERSION 12080\n")
    fact = probe_cuda_toolkit(host.with_env(CUDA_HOME=root))
    assert fact == Failed(f"{root}/bin/nvcc is CUDA 12.4, but {root}/include/cuda.h says 12.8")


def test_named_places_are_binding_and_must_agree(gpu_host: LoadHost) -> None:
    host = gpu_host("cuda-12.8-h100")
    both = host.with_env(CUDA_HOME=ROOT, CUDACXX="/usr/local/cuda-12.8/bin/nvcc")
    fact = probe_cuda_toolkit(both)
    assert isinstance(fact, Failed)
    assert fact.error == (
        "CUDACXX=/usr/local/cuda-12.8/bin/nvcc, /usr/local/cuda-12.8/bin/nvcc --version names "
        f"CUDA 12.8 and CUDA_HOME={ROOT}, {ROOT}/bin/nvcc --version names CUDA 12.4"
    )
    fact = probe_cuda_toolkit(host.with_env(CUDA_HOME=ROOT), wanted=(12, 8))
    assert isinstance(fact, Failed)
    assert "CUDA 12.8 was requested, but CUDA_HOME" in fact.error
    fact = probe_cuda_toolkit(host.with_env(CUDA_PATH="/nowhere"))
    assert fact == Failed("CUDA_PATH=/nowhere has no bin/nvcc")
    fact = probe_cuda_toolkit(host.with_env(CUDACXX="nvcc-12"))
    assert fact == Failed("CUDACXX=nvcc-12 is not on PATH")
    fact = probe_cuda_toolkit(host.with_env(CUDA_HOME="cuda-12.4"))
    assert fact == Failed("CUDA_HOME=cuda-12.4 has no bin/nvcc")


def test_the_choice_of_wheels_or_system_is_kept(gpu_host: LoadHost) -> None:
    host = gpu_host("cuda-12.8-h100")
    assert isinstance(probe_cuda_toolkit(host, choice="pypi"), Absent)
    directory = "/venv/lib/python3.12/site-packages"
    root = f"{directory}/nvidia/cu13"
    answers = {
        argv[1:]: done
        for argv, done in gpu_host("cuda-13.0-wrapper").outputs.items()
        if argv[0] == "/usr/local/bin/nvcc"
    }
    host = host.with_program(f"{root}/bin/nvcc", answers)
    fact = probe_cuda_toolkit(host, choice="pypi", python_path=[directory])
    assert isinstance(fact, Found)
    assert fact.value.origin == "pypi"
    fact = probe_cuda_toolkit(host, python_path=[directory])
    assert isinstance(fact, Found)
    assert fact.value.version == (12, 8)
    fact = probe_cuda_toolkit(host, python_path=[directory], wanted=(13,))
    assert isinstance(fact, Found)
    assert fact.value.origin == "pypi"


def test_variables_do_not_name_the_wheels_toolkit(gpu_host: LoadHost) -> None:
    host = gpu_host("cuda-12.8-h100").with_env(CUDA_HOME="/usr/local/cuda-12.8")
    assert isinstance(probe_cuda_toolkit(host), Found)
    assert isinstance(probe_cuda_toolkit(host, choice="pypi"), Absent)


def test_ptxas_adds_suffixes_to_what_nvcc_lists_and_nothing_else(gpu_host: LoadHost) -> None:
    host = gpu_host("cuda-12.4-no-driver")
    told = "'compute_90','compute_90a','compute_99','compute_99a'"
    answer = Completed(argv=(), status=0, stdout=told, stderr="")
    fact = probe_cuda_toolkit(host.with_program(f"{ROOT}/bin/ptxas", {("--help",): answer}))
    assert isinstance(fact, Found)
    assert fact.value.architectures[-2:] == ("90", "90a")


def test_rocm_places_and_disagreement(gpu_host: LoadHost) -> None:
    host = gpu_host("rocm-6.4-mi300x")
    path = "/opt/rocm/.info/version"
    fact = probe_rocm_toolkit(with_file(host, path, "7.0.0-38\n"))
    assert fact == Failed(f"{path} says ROCm 7.0, but /opt/rocm/share/hip/version says 6.4")
    assert probe_rocm_toolkit(host.with_env(ROCM_PATH="/x")) == Failed(
        "ROCM_PATH=/x has no bin/hipcc"
    )
    assert probe_rocm_toolkit(host, wanted=(7,)) == Absent("no ROCm 7, only: ROCm 6.4 in /opt/rocm")
    bare = dataclasses.replace(
        host, files={k: v for k, v in host.files.items() if "version" not in k}
    )
    fact = probe_rocm_toolkit(bare)
    assert isinstance(fact, Found)
    assert fact.value.version == (6, 4)
    assert fact.source == "/opt/rocm, /opt/rocm/bin/hipconfig --version"


def test_a_named_rocm_is_binding_for_a_wanted_release(gpu_host: LoadHost) -> None:
    host, newer = gpu_host("rocm-6.4-mi300x"), gpu_host("rocm-7.0-rx7900")
    both = dataclasses.replace(
        host, files={**newer.files, **host.files}, programs=host.programs | newer.programs
    )
    assert isinstance(probe_rocm_toolkit(both, wanted=(7,)), Found)
    named = both.with_env(ROCM_PATH="/opt/rocm")
    assert probe_rocm_toolkit(named, wanted=(7,)) == Absent(
        "no ROCm 7, only: ROCm 6.4 in /opt/rocm"
    )


def test_a_link_in_usr_bin_does_not_hide_rocm(gpu_host: LoadHost) -> None:
    host = gpu_host("rocm-6.4-mi300x").with_program("/usr/bin/hipcc", {})
    fact = probe_rocm_toolkit(host)
    assert isinstance(fact, Found)
    assert fact.value.root == "/opt/rocm"


@pytest.mark.parametrize(
    ("number", "name"),
    [(90010, "gfx90a"), (90402, "gfx942"), (110501, "gfx1151"), (120001, "gfx1201"),
     (100300, "gfx1030"), (90006, "gfx906"), (90500, "gfx950"), (91100, "gfx9b0")],
)  # fmt: skip
def test_gfx_versions_have_hexadecimal_names(number: int, name: str) -> None:
    assert parse_gfx_version(number) == name
