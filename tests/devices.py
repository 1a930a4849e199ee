"""What tests of device code share: builds through pip, a wheel's architectures, NVIDIA's oracle."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from variantbuild.audit import audit_wheel
from variantbuild.isa.accelerators import Architectures
from variantbuild.plan.device.build import DeviceBuild
from variantbuild.probe.gpu.gpufacts import Toolkit
from wheelhouse import share_once
from workshop import Done, Environment, run

#: The parts of the compiler that pip would bring into an isolated build, all of one release.
TOOLCHAIN = (
    "nvidia-cuda-nvcc==13.0.*",
    "nvidia-cuda-crt==13.0.*",
    "nvidia-cuda-runtime==13.0.*",
    "nvidia-cuda-cccl==13.0.*",
    "nvidia-nvvm==13.0.*",
)
_LISTED = re.compile(r"\.sm_(\d+[af]?)\.(cubin|ptx)\s*$", re.MULTILINE)

#: Invented builds of device code, with a toolkit in its own directory.
CUDA = DeviceBuild(
    toolkit=Toolkit(
        kind="cuda",
        version=(13, 0),
        release="13.0.88",
        root="/opt/cuda",
        compiler="/opt/cuda/bin/nvcc",
        include="/opt/cuda/include",
        libraries="/opt/cuda/lib64",
    ),
    architectures=Architectures(kind="cuda", real=("80", "90a"), ptx=("80",)),
    host_flags=("-march=x86-64-v3", "-Wl,-z,now"),
    extra=("-lineinfo",),
    jobs=3,
)
ROCM = DeviceBuild(
    toolkit=dataclasses.replace(
        CUDA.toolkit,
        kind="rocm",
        version=(6, 4),
        root="/opt/rocm",
        compiler="/opt/rocm/bin/hipcc",
        clang="/opt/rocm/llvm/bin/clang++",
    ),
    architectures=Architectures(kind="rocm", real=("gfx1030", "gfx90a:xnack-")),
    host_flags=("-march=x86-64-v3",),
    jobs=2,
)


def device_names(wheel: Path) -> set[str]:
    """Return every architecture in the wheel's files, by the compilers' names."""
    codes = [file.device for file in audit_wheel(wheel).files if file.device is not None]
    assert not [code.fault for code in codes if code.fault]
    return {str(image) for code in codes for image in code.cuda} | {
        target for code in codes for target in code.rocm
    }


def rocm_label() -> str:
    """Return the label of hipcc's ROCm."""
    version = subprocess.run(
        ["hipconfig", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HIP_PLATFORM": "amd"},
    ).stdout.split(".")
    return f"rocm{version[0]}.{version[1]}"


def cuobjdump_names(program: Path, wheel: Path, directory: Path) -> set[str]:
    """Return what NVIDIA's cuobjdump finds in the wheel's modules, unpacked below `directory`."""
    names: set[str] = set()
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            if member.endswith(".so"):
                path = archive.extract(member, directory / "oracle")
                for words in ("--list-elf", "--list-ptx"):
                    done = run(program, words, path, cwd=directory, env=os.environ).ok()
                    names |= {
                        f"{'sm' if kind == 'cubin' else 'compute'}_{name}"
                        for name, kind in _LISTED.findall(done.stdout)
                    }
    return names


def build_wheel(
    environment: Environment, project: Path, target: str, *words: str | Path, **env: str
) -> Done:
    """Build a wheel of `project` through pip with isolation, into project/dist."""
    (project / "dist").mkdir(exist_ok=True)
    settings = [f"-Cvariantbuild.target={target}", *words]
    return environment.pip(
        "wheel", "--no-deps", "-w", project / "dist", *settings, project, "-v", cwd=project, **env
    )


def build_here(project: Path, target: str, hook: str = "build_wheel", **env: str) -> Done:
    """Call a hook of ours as a front end without isolation does; wheels go to project/dist.

    The directory is a relative path, below the project.
    """
    (project / "dist").mkdir(exist_ok=True)
    code = f"import variantbuild as b; print(b.{hook}('dist'))"
    # meson and ninja are next to the interpreter, whose environment is not activated.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "VARIANTBUILD_TARGET": target, **env}
    return run(sys.executable, "-c", code, cwd=project, env=variables)


def only_wheel(project: Path) -> Path:
    """Return the one wheel in project/dist."""
    (wheel,) = (project / "dist").glob("*.whl")
    return wheel


def without_cuda(environment: Environment, wheels: Path) -> dict[str, str]:
    """Return variables that hide every nvcc on PATH and let pip find the compiler in `wheels`."""
    directories = environment.env["PATH"].split(":")
    return {
        "PATH": ":".join(
            directory for directory in directories if not Path(directory, "nvcc").exists()
        ),
        "PIP_FIND_LINKS": f"{environment.env['PIP_FIND_LINKS']} {wheels.as_uri()}",
    }


def download_once(factory: pytest.TempPathFactory, name: str, *requirements: str) -> Path:
    """Download `requirements` into a directory that all workers of the session share; return it.

    Skips the test if no package index can be reached.
    """

    def download(directory: Path) -> None:
        pip = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(directory)]
        done = subprocess.run([*pip, *requirements], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"{requirements[0]} cannot be downloaded here: {done.stderr[-200:]}")

    return share_once(factory, name, download)
