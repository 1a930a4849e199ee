"""The trial before a long build, with real compilers: a failure is reported in one sentence."""

from __future__ import annotations

import dataclasses
import os
import resource
import shutil
from pathlib import Path

import pytest

from devices import build_here
from variantbuild.host.local import LocalHost
from variantbuild.isa.accelerators import Architectures
from variantbuild.plan.device.build import DeviceBuild
from variantbuild.plan.device.devicetrial import try_device_build
from variantbuild.plan.device.hostcompiler import choose_host_compiler
from variantbuild.probe.facts import Found
from variantbuild.probe.gpu.cuda import probe_cuda_toolkit
from variantbuild.probe.gpu.gpufacts import Toolkit
from variantbuild.probe.gpu.rocm import probe_rocm_toolkit

AMD = {"HIP_PLATFORM": "amd"}
needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH")
needs_hipcc = pytest.mark.skipif(shutil.which("hipcc") is None, reason="hipcc is not on PATH")


def cuda(*real: str, host_compiler: str = "", extra: tuple[str, ...] = ()) -> DeviceBuild:
    toolkit = probe_cuda_toolkit(LocalHost(env=os.environ), choice="system")
    assert isinstance(toolkit, Found)
    return DeviceBuild(
        toolkit=toolkit.value,
        architectures=Architectures(kind="cuda", real=real, ptx=real[-1:]),
        host_compiler=host_compiler,
        host_flags=("-march=x86-64-v2",) if os.uname().machine == "x86_64" else (),
        extra=extra,
    )


def rocm(*real: str, extra: tuple[str, ...] = ()) -> DeviceBuild:
    toolkit = probe_rocm_toolkit(LocalHost(env=os.environ))
    assert isinstance(toolkit, Found)
    architectures = Architectures(kind="rocm", real=real)
    return DeviceBuild(toolkit=toolkit.value, architectures=architectures, extra=extra)


def refusal(build: DeviceBuild, **env: str) -> str:
    error = try_device_build(LocalHost(env=os.environ), build, env).error
    assert error is not None
    assert "\n" not in error.message
    assert error.hint
    return error.message


def newer_gxx(directory: Path) -> str:
    """Make a g++ that reports version 99 to nvcc's headers."""
    path = directory / "g++-99"
    path.write_text(f'#!/bin/sh\nexec {shutil.which("g++")} -U__GNUC__ -D__GNUC__=99 "$@"\n')
    path.chmod(0o755)
    return str(path)


@pytest.mark.cuda
@needs_nvcc
def test_what_nvcc_takes_costs_less_than_a_second() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    trial = try_device_build(LocalHost(env=os.environ), cuda("80", "90a", "120"))
    assert trial.error is None
    assert len(trial.commands) == 2
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 1.5


@pytest.mark.cuda
@needs_nvcc
def test_what_nvcc_refuses() -> None:
    said = refusal(cuda("80", "70"))
    assert said.endswith("for sm_80, sm_70, compute_70: Unsupported gpu architecture 'compute_70'")
    assert "Unknown option '--nonsense'" in refusal(cuda("80", extra=("--nonsense",)))
    wrong = dataclasses.replace(cuda("80"), host_flags=("-march=nonsense",))
    assert "nonsense" in refusal(wrong)


@pytest.mark.cuda
@needs_nvcc
def test_a_host_compiler_that_is_too_new(tmp_path: Path) -> None:
    """The table of limits may be older than the toolkit, whose header decides."""
    newer = newer_gxx(tmp_path)
    said = refusal(cuda("80", host_compiler=newer))
    assert said.endswith("rejects the host compiler: unsupported GNU version")
    # Let in, it fails on headers that are not those of a gcc 99.
    said = refusal(cuda("80", host_compiler=newer), CUDAFLAGS="-O2 -allow-unsupported-compiler")
    assert "rejects the host compiler" not in said


@pytest.mark.cuda
@needs_nvcc
def test_a_permitted_host_compiler_takes_the_place_of_one_too_new(tmp_path: Path) -> None:
    if not any(shutil.which(f"g++-{major}") for major in range(7, 16)):
        pytest.skip("no g++ with its version in its name is installed")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gcc").symlink_to(newer_gxx(tmp_path))
    host = LocalHost(env={**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}"})
    toolkit = cuda("80").toolkit
    chosen = choose_host_compiler(host, toolkit)
    assert chosen is not None
    assert chosen.chosen
    assert f"{tmp_path}/bin/gcc is gcc 99, too new for {toolkit}: " in chosen.note
    assert try_device_build(host, cuda("80", host_compiler=chosen.command)).error is None
    assert "rejects the host compiler" in str(try_device_build(host, cuda("80")).error)


@pytest.mark.cuda
@needs_nvcc
def test_a_build_stops_before_the_delegate_runs(setuptools_gpu: Path) -> None:
    done = build_here(setuptools_gpu, "v2.cu13", VARIANTBUILD_FLAGS_CUDA="--nonsense")
    assert done.code == 2
    assert "cannot compile a small kernel" in done.stderr
    assert "running build" not in done.output
    assert "Traceback" not in done.output


@pytest.mark.cuda
@needs_nvcc
def test_the_host_compiler_is_said_aloud(setuptools_gpu: Path, tmp_path: Path) -> None:
    newer = newer_gxx(tmp_path)
    done = build_here(setuptools_gpu, "v2.cu13", CUDAHOSTCXX=newer)
    assert f"CUDAHOSTCXX={newer} is gcc 99, and CUDA 13.0 supports at most gcc" in done.stderr
    done = build_here(setuptools_gpu, "v2.cu13", CUDAFLAGS="--nonsense", SKIP_DEVICE_CODE="1")
    assert f"host code by {shutil.which('gcc')} (gcc " in done.stderr


@pytest.mark.rocm
@needs_hipcc
def test_hipcc() -> None:
    assert try_device_build(LocalHost(env=os.environ), rocm("gfx90a", "gfx1030"), AMD).error is None
    assert "gfx1300" in refusal(rocm("gfx90a", "gfx1300"), **AMD)
    assert "--nonsense" in refusal(rocm("gfx90a", extra=("--nonsense",)), **AMD)


def test_a_compiler_that_dies_without_a_word(tmp_path: Path) -> None:
    silent = tmp_path / "nvcc"
    silent.write_text("#!/bin/sh\nkill -SEGV $$\n")
    silent.chmod(0o755)
    architectures = Architectures(kind="rocm", real=("gfx90a",))
    toolkit = Toolkit(
        kind="rocm",
        version=(6, 4),
        release="",
        root="",
        compiler=str(silent),
        include="",
        libraries="",
    )
    said = refusal(DeviceBuild(toolkit=toolkit, architectures=architectures))
    assert said.endswith("for gfx90a: it was killed by signal 11")


@needs_nvcc
@pytest.mark.cuda
@pytest.mark.parametrize("name", ["NVCC_APPEND_FLAGS", "NVCC_PREPEND_FLAGS"])
def test_flags_in_the_environment_are_named_as_the_cause(name: str) -> None:
    message = refusal(cuda("80"), **{name: "--no-such-flag"})
    assert f"because of {name}='--no-such-flag' in the environment" in message


@needs_nvcc
@pytest.mark.cuda
def test_flags_in_the_environment_are_not_blamed_for_another_mistake() -> None:
    message = refusal(cuda("80", extra=("--no-such-flag",)), NVCC_APPEND_FLAGS="-lineinfo")
    assert "because of" not in message


@needs_hipcc
@pytest.mark.rocm
def test_hipcc_flags_in_the_environment_are_named_as_the_cause() -> None:
    message = refusal(rocm("gfx90a"), HIPCC_COMPILE_FLAGS_APPEND="--no-such-flag")
    assert "because of HIPCC_COMPILE_FLAGS_APPEND" in message
