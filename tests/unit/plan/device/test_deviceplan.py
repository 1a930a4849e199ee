"""When the compiler comes from PyPI, and what a project without accelerators costs: nothing."""

from __future__ import annotations

import dataclasses
import sysconfig
from pathlib import Path

import pytest

from hosts.recorded import RecordedHost
from variantbuild.config import Config
from variantbuild.config.project import Project
from variantbuild.errors import AcceleratorError
from variantbuild.host import Completed
from variantbuild.plan.device.build import preview_device_build
from variantbuild.plan.device.deviceplan import plan_devices
from variantbuild.plan.device.requirements import toolchain_requirements
from variantbuild.variant.axes import Accelerator

linux = pytest.mark.skipif(
    sysconfig.get_platform() != "linux-x86_64", reason="targets of this test are for x86-64"
)


def project(**settings: object) -> Project:
    config = dataclasses.replace(Config(), **settings)  # type: ignore[arg-type]  # a shorthand
    return Project(
        path=Path("/src"), pyproject={}, config=config, delegate_settings={}, is_sdist=False
    )


def gpu_machine(driver: str) -> RecordedHost:
    """A machine with an NVIDIA GPU and no toolkit."""
    path = "/usr/bin/nvidia-smi"
    query = ("--query-gpu=compute_cap,driver_version,name", "--format=csv,noheader")
    answer = Completed(argv=(), status=0, stdout=f"9.0, {driver}, NVIDIA H100\n", stderr="")
    text = f"NVRM version: NVIDIA UNIX x86_64 Kernel Module  {driver}  x\n"
    host = RecordedHost(env={"PATH": "/usr/bin"}, files={"/proc/driver/nvidia/version": text})
    return host.with_program(path, {query: answer})


NOTHING = RecordedHost(env={"PATH": "/usr/bin"})


def test_nothing_is_probed_where_nothing_is_asked_for() -> None:
    host = gpu_machine("580.65.06")
    assert plan_devices(project(), host, None) is None
    assert plan_devices(project(target="v3", accelerators=("cuda",)), host, None) is None
    assert toolchain_requirements(project(), host) == ()
    assert host.calls == []


def test_a_list_alone_downloads_nothing_without_a_gpu() -> None:
    assert toolchain_requirements(project(accelerators=("cuda",)), NOTHING) == ()
    assert toolchain_requirements(project(accelerators=("rocm",)), NOTHING) == ()


def test_no_toolkit_is_looked_for_where_none_would_be_fetched() -> None:
    host = NOTHING.with_program("/usr/bin/nvcc", {})
    assert toolchain_requirements(project(accelerators=("cuda", "rocm")), host) == ()
    assert host.calls == []


def test_a_gpu_without_a_toolkit_brings_the_compiler() -> None:
    asked = toolchain_requirements(project(accelerators=("cuda",)), gpu_machine("580.65.06"))
    assert asked[0] == "nvidia-cuda-nvcc==13.5.*"
    settings = project(accelerators=("cuda",), cuda_toolkit="system")
    assert toolchain_requirements(settings, gpu_machine("580.65.06")) == ()


def test_the_drivers_floor_is_checked_first() -> None:
    with pytest.raises(
        AcceleratorError,
        match=r"CUDA 13 from PyPI needs driver 580 or newer, and this machine has 535\.183\.01",
    ):
        toolchain_requirements(project(accelerators=("cuda",)), gpu_machine("535.183.01"))


@linux
def test_a_target_brings_the_compiler_anywhere() -> None:
    asked = toolchain_requirements(project(target="cu130.v3"), NOTHING)
    assert asked[0] == "nvidia-cuda-nvcc==13.0.*"
    assert toolchain_requirements(project(target="rocm6.4.v3"), NOTHING) == ()
    with pytest.raises(AcceleratorError, match="CUDA 12 is not on PyPI"):
        toolchain_requirements(project(target="cu12.v3"), NOTHING)


@linux
def test_nothing_is_fetched_beside_a_toolkit_that_will_do() -> None:
    told = "Cuda compilation tools, release 13.0, V13.0.88\n"
    answer = Completed(argv=(), status=0, stdout=told, stderr="")
    host = NOTHING.with_program("/usr/bin/nvcc", {("--version",): answer})
    assert toolchain_requirements(project(target="cu13.v3"), host) == ()
    assert toolchain_requirements(project(target="cu131.v3"), host)
    with pytest.raises(AcceleratorError) as caught:
        toolchain_requirements(project(target="cu12.v3"), host)
    assert caught.value.message == (
        "target 'cu12.v3' needs CUDA 12: no CUDA 12, only: CUDA 13.0 in /usr; CUDA 12 is not "
        "on PyPI: the compiler is published there for 13.0 to 13.5 only"
    )
    with pytest.raises(AcceleratorError) as caught:
        toolchain_requirements(project(target="cu12.v3", cuda_toolkit="pypi"), host)
    assert caught.value.message.startswith("CUDA 12 is not on PyPI")


@pytest.mark.parametrize("name", ["CUDAFLAGS", "NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS"])
def test_the_users_variables_may_lift_the_limit_on_host_compilers(name: str) -> None:
    newer = Completed(argv=(), status=0, stdout="#define __GNUC__ 99\n", stderr="")
    host = gpu_machine("580.65.06").with_program("/usr/bin/g++", {GXX: newer})
    settings = project(accelerators=("cuda",))
    with pytest.raises(AcceleratorError, match="gcc 99"):
        plan_devices(settings, host, None, preview=True)
    lifted = host.with_env(**{name: "-allow-unsupported-compiler"})
    plan = plan_devices(settings, lifted, None, preview=True)
    assert plan is not None
    assert plan.reason.endswith(", host code by /usr/bin/g++ (gcc 99)")


def test_pypi_by_name_is_an_order_but_not_on_an_amd_machine() -> None:
    settings = project(accelerators=("cuda", "rocm"), cuda_toolkit="pypi")
    assert toolchain_requirements(settings, NOTHING)
    node = "/sys/class/kfd/kfd/topology/nodes/1/properties"
    amd = dataclasses.replace(NOTHING, files={node: "gfx_target_version 90402\n"})
    assert toolchain_requirements(settings, amd) == ()


def test_a_machine_without_anything_says_why() -> None:
    plan = plan_devices(project(accelerators=("cuda",)), NOTHING, None)
    assert plan is not None
    assert plan.choice is None
    assert plan.messages[0].startswith("cuda is not built: no nvcc in PATH")
    assert plan.build((), Config()) is None


GXX = ("-dM", "-E", "-x", "c++", "/dev/null")
GCC_12 = Completed(argv=(), status=0, stdout="#define __GNUC__ 12\n", stderr="")


def test_a_preview_counts_what_the_requirements_would_bring() -> None:
    host = gpu_machine("580.65.06").with_program("/usr/bin/g++", {GXX: GCC_12})
    settings = project(accelerators=("cuda",), cuda_version="13.2")
    plan = plan_devices(settings, host, None, preview=True)
    assert plan is not None
    assert plan.choice is not None
    assert str(plan.choice.toolkit) == "CUDA 13.2"
    assert plan.choice.reason == (
        "CUDA 13.2 (to be installed from PyPI, nvidia-cuda-nvcc==13.2.*) for sm_90, compute_90 "
        "(the GPUs of this machine (/usr/bin/nvidia-smi "
        "--query-gpu=compute_cap,driver_version,name))"
    )
    assert plan.requirements == toolchain_requirements(settings, host)
    build = plan.build((), Config())
    assert build is not None
    assert preview_device_build(build).toolkit.compiler == "<build>/cuda/bin/nvcc"


def test_a_build_needs_the_toolkit_itself() -> None:
    host = gpu_machine("580.65.06").with_program("/usr/bin/g++", {GXX: GCC_12})
    settings = project(accelerators=("cuda",), target="cu13.v3")
    with pytest.raises(AcceleratorError, match="needs CUDA 13: no nvcc"):
        plan_devices(settings, host, Accelerator(kind="cuda", version=(13,)))


def test_a_preview_refuses_what_pypi_has_not() -> None:
    settings = project(target="cu12.v3", cuda_toolkit="pypi")
    with pytest.raises(AcceleratorError, match="CUDA 12 is not on PyPI"):
        plan_devices(settings, NOTHING, Accelerator(kind="cuda", version=(12,)), preview=True)


def test_a_preview_without_gpu_or_order_plans_nothing() -> None:
    plan = plan_devices(project(accelerators=("cuda",)), NOTHING, None, preview=True)
    assert plan is not None
    assert plan.choice is None
    assert plan.requirements == ()
