"""The output of nvcc and hipcc, read back: architectures of modules, and of unchanged objects."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from audited import ALL, PLAN, device_report
from variantbuild.audit.judge.devicecompare import PlannedDevices, judge_planned, read_devices
from variantbuild.binary.devicecode import CudaImage, read_device_code
from variantbuild.binary.elf import parse_elf
from workshop import SOURCES


@pytest.mark.cuda
def test_what_nvcc_writes(tmp_path: Path) -> None:
    if shutil.which("nvcc") is None:
        pytest.skip("no nvcc here")
    source, module = SOURCES / "kernel.cu", tmp_path / "k.so"
    wanted = ["compute_80,code=sm_80", "compute_90a,code=sm_90a", "compute_120,code=compute_120"]
    generate = [word for each in wanted for word in ("-gencode", f"arch={each}")]
    command = ["nvcc", "-shared", "-Xcompiler", "-fPIC", *generate, "-o", str(module), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this nvcc cannot: {done.stderr.splitlines()[0]}")
    data = module.read_bytes()
    found = [str(each) for each in read_device_code(data, parse_elf(data)).cuda]
    assert found == ["sm_80", "sm_90a", "compute_120"]
    oracle = shutil.which("cuobjdump")
    if oracle is not None:
        shown = subprocess.run(
            [oracle, "-lelf", module], capture_output=True, text=True, check=True
        )
        assert {"sm_80", "sm_90a"} <= set(shown.stdout.replace(".", " ").split())


@pytest.mark.rocm
def test_what_hipcc_writes(tmp_path: Path) -> None:
    if shutil.which("hipcc") is None:
        pytest.skip("no hipcc here")
    source, module = SOURCES / "kernel.hip", tmp_path / "k.so"
    targets = ["--offload-arch=gfx90a:xnack-", "--offload-arch=gfx1030"]
    command = ["hipcc", "-shared", "-fPIC", *targets, str(source), "-o", str(module)]
    environment = {"HIP_PLATFORM": "amd", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    subprocess.run(command, capture_output=True, check=True, env=environment)
    data = module.read_bytes()
    assert read_device_code(data, parse_elf(data)).rocm == ("gfx1030", "gfx90a:xnack-")


@pytest.mark.cuda
@pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH")
def test_modules_that_were_left_alone_count_for_what_is_planned(tmp_path: Path) -> None:
    source, kept = SOURCES / "empty_kernel.cu", tmp_path / "k.o"
    (tmp_path / "text.so").write_text("no module")
    archs = [f"-gencode=arch=compute_{n},code=sm_{n}" for n in ("89", "90a")]
    subprocess.run(["nvcc", "-c", *archs, str(source), "-o", str(kept)], check=True)
    files = [kept, tmp_path / "text.so"]
    # sm_90a comes from there, and its sm_89 is not from this build.
    planned = PlannedDevices(architectures=PLAN, kept=read_devices(files))
    assert judge_planned([device_report(ALL[0], ALL[2])], planned) == ()
    (error,) = judge_planned([device_report(*ALL, CudaImage(75, "", "sass"))], planned)
    assert "sm_75" in error.message
