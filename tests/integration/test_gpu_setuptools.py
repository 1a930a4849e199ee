"""Device code through setuptools: one source for nvcc and hipcc, checked in the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from variantbuild.audit import audit_wheel
from workshop import Done, Environment, run

needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH")
needs_hipcc = pytest.mark.skipif(shutil.which("hipcc") is None, reason="hipcc is not on PATH")

Project = Callable[[str], Path]
TOOLCHAIN = ("nvcc", "crt", "runtime", "cccl")


def device_names(wheel: Path) -> set[str]:
    """Return every architecture that the wheel's files hold, under the compilers' names."""
    codes = [file.device for file in audit_wheel(wheel).files if file.device is not None]
    assert not [code.fault for code in codes if code.fault]
    return {str(image) for code in codes for image in code.cuda} | {
        target for code in codes for target in code.rocm
    }


def build(environment: Environment, project: Path, target: str, *words: str, **env: str) -> Done:
    """Build a wheel of `project` through pip with isolation, into project/dist."""
    (project / "dist").mkdir(exist_ok=True)
    settings = [f"-Cvariantbuild.target={target}", *words]
    return environment.pip(
        "wheel", "--no-deps", "-w", project / "dist", *settings, project, "-v", cwd=project, **env
    )


def only_wheel(project: Path) -> Path:
    (wheel,) = (project / "dist").glob("*.whl")
    return wheel


@pytest.mark.cuda
@pytest.mark.isolated
@needs_nvcc
def test_a_cuda_wheel_through_pip(environment: Environment, project: Project) -> None:
    source = project("setuptools-gpu")
    done = build(environment, source, "v3.cu13").ok()
    wheel = only_wheel(source)
    assert wheel.name.startswith("setuptools_gpu-1.0+cu13.v3-")
    assert wheel.name.endswith(".linux_x86_64_v3_cu13.whl")
    assert device_names(wheel) == {"sm_80", "sm_90a", "sm_120", "compute_120"}
    assert "-Xcompiler=-march=x86-64-v3" in done.output
    assert "-lineinfo" in done.output
    environment.pip("install", "--no-deps", wheel).ok()
    assert environment.ask("setuptools_gpu.device_count() >= 0", "setuptools_gpu") == "True"


@pytest.mark.rocm
@pytest.mark.isolated
@needs_hipcc
def test_a_rocm_wheel_from_the_same_source(environment: Environment, project: Project) -> None:
    source = project("setuptools-gpu")
    version = subprocess.run(
        ["hipconfig", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HIP_PLATFORM": "amd"},
    ).stdout.split(".")
    label = f"rocm{version[0]}.{version[1]}"
    build(environment, source, f"v3.{label}").ok()
    wheel = only_wheel(source)
    assert wheel.name.startswith(f"setuptools_gpu-1.0+{label}.v3-")
    assert {name.partition(":")[0] for name in device_names(wheel)} == {"gfx90a", "gfx1030"}
    environment.pip("install", "--no-deps", wheel).ok()
    assert environment.ask("setuptools_gpu.device_count() >= 0", "setuptools_gpu") == "True"


@pytest.mark.cuda
@pytest.mark.isolated
@needs_nvcc
def test_a_build_that_skips_cuda_is_refused(environment: Environment, project: Project) -> None:
    source = project("setuptools-gpu")
    done = build(environment, source, "v2.cu13", SKIP_DEVICE_CODE="1")
    assert done.code != 0
    assert "not stamped as cu13.v2: it holds no device code" in done.output
    assert not list((source / "dist").glob("*.whl"))
    build(
        environment, source, "v2.cu13", "-Cvariantbuild.audit=downgrade", SKIP_DEVICE_CODE="1"
    ).ok()
    assert "cu13" not in only_wheel(source).name


@pytest.mark.compile
@pytest.mark.isolated
def test_a_target_without_an_accelerator_builds_none(
    environment: Environment, project: Project
) -> None:
    source = project("setuptools-gpu")
    build(environment, source, "v2").ok()
    assert "cu" not in only_wheel(source).name.partition("-")[2].replace("setuptools_gpu", "")
    assert device_names(only_wheel(source)) == set()


@pytest.fixture(scope="session")
def nvidia_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of CUDA's compiler, 0.15 GB, downloaded once a session."""
    folder = tmp_path_factory.mktemp("nvidia")
    names = [f"nvidia-cuda-{name}==13.0.*" for name in TOOLCHAIN]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
    done = subprocess.run([*pip, *names, "nvidia-nvvm==13.0.*"], capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("the wheels of CUDA's compiler cannot be downloaded here")
    return folder


@pytest.mark.cuda
@pytest.mark.isolated
def test_a_cuda_wheel_with_the_compiler_from_pypi(
    environment: Environment, project: Project, nvidia_wheels: Path
) -> None:
    """No nvcc on PATH and the machine's toolkits left out: pip brings the compiler."""
    source = project("setuptools-gpu")
    links = f"{environment.env['PIP_FIND_LINKS']} {nvidia_wheels.as_uri()}"
    folders = [
        folder for folder in environment.env["PATH"].split(":") if not Path(folder, "nvcc").exists()
    ]
    done = build(
        environment,
        source,
        "cu130.v2",
        "-Cvariantbuild.cuda.toolkit=pypi",
        PIP_FIND_LINKS=links,
        PATH=":".join(folders),
    ).ok()
    wheel = only_wheel(source)
    assert wheel.name.startswith("setuptools_gpu-1.0+cu130.v2-")
    assert device_names(wheel) == {"sm_80", "sm_90a", "sm_120", "compute_120"}
    assert "/cuda/bin/nvcc" in done.output


@pytest.mark.compile
@pytest.mark.isolated
def test_releases_that_pypi_has_not_are_refused(environment: Environment, project: Project) -> None:
    done = build(
        environment, project("setuptools-gpu"), "cu12.v2", "-Cvariantbuild.cuda.toolkit=pypi"
    )
    assert done.code != 0
    assert "CUDA 12 cannot come from PyPI" in done.output
    assert "Traceback" not in done.output


@pytest.mark.cuda
@pytest.mark.isolated
@needs_nvcc
def test_cuobjdump_finds_what_our_reader_finds(environment: Environment, project: Project) -> None:
    program = shutil.which("cuobjdump")
    if program is None:
        pytest.skip("cuobjdump (nvidia-cuda-cuobjdump on PyPI) is not on PATH")
    source = project("setuptools-gpu")
    build(environment, source, "cu13.v2").ok()
    with zipfile.ZipFile(only_wheel(source)) as archive:
        (module,) = (name for name in archive.namelist() if name.endswith(".so"))
        archive.extract(module, source)
    listed = run(program, "--list-elf", "--list-ptx", source / module, cwd=source, env=os.environ)
    found = {name for name in device_names(only_wheel(source)) if name.startswith("sm_")}
    assert found == {name for name in ("sm_80", "sm_90a", "sm_120") if name in listed.ok().stdout}
