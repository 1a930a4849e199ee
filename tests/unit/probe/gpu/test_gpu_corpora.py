"""Toolkit, driver and GPU of recorded machines, each a separate fact."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hosts.recorded import HOSTS, RecordedHost
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu import probe_accelerator
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts

LoadHost = Callable[[str], RecordedHost]


def describe(facts: AcceleratorFacts) -> tuple[str, str, str]:
    """Shorten the facts to what the corpus is about: toolkit, driver, GPUs."""
    toolkit = f"{facts.toolkit.value} {facts.toolkit.value.root}" if isinstance(facts.toolkit, Found) else type(facts.toolkit).__name__  # fmt: skip # noqa: E501
    driver = f"{facts.driver.value.version} {facts.driver.value.cuda}" if isinstance(facts.driver, Found) else type(facts.driver).__name__  # fmt: skip # noqa: E501
    gpus = " ".join(gpu.architecture for gpu in facts.gpus.value) if isinstance(facts.gpus, Found) else type(facts.gpus).__name__  # fmt: skip # noqa: E501
    return toolkit, driver, gpus


EXPECTED: dict[tuple[str, AcceleratorKind], tuple[str, str, str]] = {
    ("cuda-11.8-v100", "cuda"): (
        "CUDA 11.8 /usr/local/cuda-11.8", "520.61.05 (11, 8)", "70 70"),
    ("cuda-12.4-no-driver", "cuda"): ("CUDA 12.4 /usr/local/cuda-12.4", "Absent", "Absent"),
    ("cuda-12.8-h100", "cuda"): ("CUDA 12.8 /usr/local/cuda-12.8", "570.86.15 (12, 8)", "90"),
    ("cuda-13.0-wrapper", "cuda"): ("CUDA 13.0 /usr/local/cuda-13.0", "Absent", "Absent"),
    ("cuda-13.0-b200", "cuda"): (
        "CUDA 13.0 /usr/local/cuda-13.0", "580.65.06 (13, 0)", "100"),
    ("container-no-toolkit", "cuda"): ("Absent", "535.183.01 None", "80 80"),
    ("driver-mismatch", "cuda"): ("Absent", "535.183.01 None", "Failed"),
    ("wsl-rtx4090", "cuda"): ("CUDA 12.4 /usr/local/cuda-12.4", "560.94 (12, 6)", "89"),
    ("jetson-orin", "cuda"): ("CUDA 12.6 /usr/local/cuda-12.6", " (12, 6)", "87"),
    ("jetson-orin-container", "cuda"): ("CUDA 12.6 /usr/local/cuda-12.6", "Failed", "87"),
    ("rocm-6.4-mi300x", "rocm"): ("ROCm 6.4 /opt/rocm", "6.12.12 None", "gfx942 gfx942"),
    ("rocm-7.0-rx7900", "rocm"): (
        "ROCm 7.0 /opt/rocm-7.0.0", "the kernel's own None", "gfx1100"),
    ("rocm-debian12", "rocm"): ("ROCm 5.2 /usr", "Absent", "Absent"),
    ("none", "cuda"): ("Absent", "Absent", "Absent"),
    ("none", "rocm"): ("Absent", "Absent", "Absent"),
    ("rocm-6.4-mi300x", "cuda"): ("Absent", "Absent", "Absent"),
    ("cuda-12.8-h100", "rocm"): ("Absent", "Absent", "Absent"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), EXPECTED)
def test_the_three_facts_of_a_machine(name: str, kind: AcceleratorKind, gpu_host: LoadHost) -> None:
    facts = probe_accelerator(gpu_host(name), kind)
    assert describe(facts) == EXPECTED[name, kind]
    for fact in (facts.toolkit, facts.driver, facts.gpus):
        match fact:
            case Found(source=words) | Absent(reason=words) | Failed(error=words):
                assert words


def test_every_recording_is_expected_and_names_its_source() -> None:
    names = {path.stem for path in (HOSTS / "gpu").glob("*.json")}
    assert names == {name for name, _ in EXPECTED}


def test_architectures_come_from_the_compiler_at_hand(gpu_host: LoadHost) -> None:
    facts = probe_accelerator(gpu_host("cuda-12.8-h100"), "cuda")
    assert isinstance(facts.toolkit, Found)
    names = facts.toolkit.value.architectures
    assert names[0] == "50"
    assert {"90", "90a", "100", "100a", "120a"} <= set(names)
    facts = probe_accelerator(gpu_host("rocm-7.0-rx7900"), "rocm")
    assert isinstance(facts.toolkit, Found)
    assert {"gfx950", "gfx11-generic"} <= set(facts.toolkit.value.architectures)
    assert "gfx12-generic" not in facts.toolkit.value.architectures


def test_a_wanted_release_is_found_beside_a_newer_one(gpu_host: LoadHost) -> None:
    facts = probe_accelerator(gpu_host("cuda-12.8-h100"), "cuda", wanted=(12, 4))
    assert describe(facts)[0] == "CUDA 12.4 /usr/local/cuda-12.4"
    facts = probe_accelerator(gpu_host("cuda-12.8-h100"), "cuda", wanted=(11,))
    assert isinstance(facts.toolkit, Absent)
    assert facts.toolkit.reason == (
        "no CUDA 11, only: CUDA 12.8 in /usr/local/cuda-12.8; CUDA 12.4 in /usr/local/cuda-12.4"
    )


def test_nothing_is_run_where_nothing_is_there(gpu_host: LoadHost) -> None:
    host = gpu_host("none")
    for kind in ("cuda", "rocm"):
        probe_accelerator(host, "cuda" if kind == "cuda" else "rocm")
    assert host.calls == []


def test_the_wrapper_is_asked_where_its_toolkit_is(gpu_host: LoadHost) -> None:
    facts = probe_accelerator(gpu_host("cuda-13.0-wrapper"), "cuda")
    assert isinstance(facts.toolkit, Found)
    toolkit = facts.toolkit.value
    assert toolkit.compiler == "/usr/local/bin/nvcc"
    assert toolkit.include == "/usr/local/cuda-13.0/targets/x86_64-linux/include"
    assert toolkit.libraries == "/usr/local/cuda-13.0/targets/x86_64-linux/lib"
