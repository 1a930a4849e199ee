"""`probe` and `probe --why-not` on recorded machines: three facts, and reasons in sentences."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable

import pytest

from hosts.recorded import HOSTS, RecordedHost
from schemas import answers_of
from variantbuild.cli.probe import report
from variantbuild.host import Completed

LoadHost = Callable[[str], RecordedHost]
MACHINES = sorted(path.stem for path in (HOSTS / "gpu").glob("*.json"))
NO_DRIVER = "no NVIDIA driver: neither /proc/driver/nvidia/version nor libcuda.so.1 in the usual directories"  # fmt: skip # noqa: E501
ONLY_PYPI = "CUDA 12 is not on PyPI: the compiler is published there for 13.0 to 13.5 only"


@pytest.fixture
def machine(gpu_host: LoadHost, recorded_host: LoadHost) -> LoadHost:
    """Load a machine of tests/hosts/gpu with the CPU and compilers of the zen4 one."""

    def load(name: str) -> RecordedHost:
        gpu, base = gpu_host(name), recorded_host("zen4")
        return dataclasses.replace(
            base,
            files={**base.files, **gpu.files},
            outputs={**base.outputs, **gpu.outputs},
            programs=base.programs | gpu.programs,
            env={**base.env, **gpu.env},
        )

    return load


def with_gcc(host: RecordedHost, major: int) -> RecordedHost:
    """Return `host` with a gcc of `major` for nvcc."""
    question = ("-dM", "-E", "-x", "c++", "/dev/null")
    answer = Completed(argv=(), status=0, stdout=f"#define __GNUC__ {major}\n", stderr="")
    return host.with_program("/usr/bin/gcc", {question: answer})


@pytest.mark.parametrize("name", MACHINES)
def test_json_of_every_machine(
    name: str, machine: LoadHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(machine(name), why_not=None, as_json=True) == 0
    payload = json.loads(capsys.readouterr().out)
    answers_of("probe").validate(payload)
    for facts in payload["accelerators"].values():
        assert list(facts) == ["toolkit", "driver", "gpus"]


def test_three_facts_with_their_sources(
    machine: LoadHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(machine("cuda-11.8-v100"), why_not=None, as_json=False) == 0
    rows = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "CUDA 11.8  /usr/local/cuda-11.8" in rows["CUDA toolkit"]
    assert rows["CUDA toolkit"].endswith("--version")
    assert "520.61.05  for CUDA 11.8" in rows["NVIDIA driver"]
    assert rows["NVIDIA driver"].endswith("NVML")
    assert "2 × Tesla V100-SXM2-16GB (sm_70)" in rows["NVIDIA GPUs"]
    assert "none" in rows["ROCm toolkit"]
    assert rows["AMD driver"].endswith("/sys/class/kfd/kfd/topology/nodes does not exist")
    report(machine("rocm-6.4-mi300x"), why_not=None, as_json=False)
    rows = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "ROCm 6.4  /opt/rocm" in rows["ROCm toolkit"]
    assert "(gfx942)" in rows["AMD GPUs"]


@pytest.mark.parametrize(
    ("name", "target", "run", "build"),
    [
        ("none", "cu13.v3", [f"CUDA 13 needs driver 580 or newer: {NO_DRIVER}"], []),
        (
            "none",
            "cu12",
            [f"CUDA 12 needs driver 525.60.13 or newer: {NO_DRIVER}"],
            [f"no nvcc in PATH, /usr/local or this Python; {ONLY_PYPI}"],
        ),
        ("cuda-12.8-h100", "cu12.v3", [], []),
        ("cuda-12.8-h100", "cu128.v3", [], []),
        (
            "cuda-12.8-h100",
            "cu13.v3",
            ["CUDA 13 needs driver 580 or newer, and this machine has 570.86.15 (NVML)"],
            [],
        ),
        (
            "cuda-11.8-v100",
            "cu13",
            [
                "CUDA 13 needs driver 580 or newer, and this machine has 520.61.05 (NVML)",
                "CUDA 13 builds for sm_75 and newer, and this machine has Tesla V100-SXM2-16GB "
                "(sm_70)",
            ],
            [],
        ),
        (
            "cuda-12.8-h100",
            "cu14",
            ["CUDA 14 needs a driver that supports it, and this machine has 570.86.15 (NVML)"],
            [
                "no CUDA 14, only: CUDA 12.8 in /usr/local/cuda-12.8; CUDA 12.4 in "
                "/usr/local/cuda-12.4; CUDA 14 is not on PyPI: the compiler is published "
                "there for 13.0 to 13.5 only"
            ],
        ),
        ("rocm-6.4-mi300x", "rocm6.4", [], []),
        ("rocm-6.4-mi300x", "rocm7.0", [], ["no ROCm 7.0, only: ROCm 6.4 in /opt/rocm"]),
        (
            "rocm-6.4-mi300x",
            "fc39.rocm6.0.v3",
            ["it is built for fc39, and this machine runs el8"],
            ["no ROCm 6.0, only: ROCm 6.4 in /opt/rocm"],
        ),
        (
            "none",
            "rocm6.4",
            [
                "ROCm 6.4 needs a GPU driver: no AMD GPU driver: "
                "/sys/class/kfd/kfd/topology/nodes does not exist"
            ],
            ["no hipcc on PATH or in /opt/rocm"],
        ),
    ],
)
def test_why_not(
    name: str,
    target: str,
    run: list[str],
    build: list[str],
    machine: LoadHost,
    capsys: pytest.CaptureFixture[str],
) -> None:
    host = with_gcc(machine(name), 11)
    assert report(host, why_not=target, as_json=True) == (1 if run or build else 0)
    payload = json.loads(capsys.readouterr().out)
    answers_of("probe").validate(payload)
    assert payload["why_not"]["run"] == run
    assert payload["why_not"]["build"] == build


def test_a_host_compiler_that_nvcc_refuses_is_a_reason(
    machine: LoadHost, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(with_gcc(machine("cuda-12.4-no-driver"), 15), why_not="cu12", as_json=False) == 1
    lines = capsys.readouterr().out.splitlines()
    (line,) = (line for line in lines if line.startswith("this machine cannot build"))
    assert line.endswith("/usr/bin/gcc is gcc 15, and CUDA 12.4 supports at most gcc 13")


def test_a_driver_without_a_gpu_is_said(
    machine: LoadHost, capsys: pytest.CaptureFixture[str]
) -> None:
    report(machine("driver-mismatch"), why_not="cu12", as_json=True)
    (reason,) = json.loads(capsys.readouterr().out)["why_not"]["run"]
    assert reason.startswith("CUDA 12 needs a GPU: ")


def test_a_compiler_from_pypi_is_noted(
    machine: LoadHost, capsys: pytest.CaptureFixture[str]
) -> None:
    report(machine("none"), why_not="cu13.v3", as_json=False)
    assert capsys.readouterr().out.splitlines()[-1] == (
        "the compiler for cu13 would be installed from PyPI (nvidia-cuda-nvcc==13.5.* and its "
        "dependencies)"
    )


def test_a_gpu_that_amd_does_not_list_is_noted(
    machine: LoadHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host = machine("rocm-7.0-rx7900")
    node = next(path for path in host.files if path.endswith("/properties") and "110000" in host.files[path])  # fmt: skip # noqa: E501
    text = host.files[node].replace("110000", "100306")
    host = dataclasses.replace(host, files={**host.files, node: text})
    assert report(host, why_not="rocm7.0", as_json=False) == 0
    assert "AMD does not list gfx1036 for ROCm 7.0" in capsys.readouterr().out


def test_a_wanted_toolkit_is_asked_for_by_its_release(
    machine: LoadHost, capsys: pytest.CaptureFixture[str]
) -> None:
    """The default nvcc is 12.8; a target of 12.4 shows the other one."""
    report(machine("cuda-12.8-h100"), why_not="cu124", as_json=True)
    payload = json.loads(capsys.readouterr().out)
    assert payload["accelerators"]["cuda"]["toolkit"]["value"]["version"] == [12, 4]
