"""Toolkits that print wrong output, hang, flood, crash or cannot run: one sentence each."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from variantbuild.host import READ_LIMIT, Completed
from variantbuild.host.local import LocalHost
from variantbuild.plan.device.supported import supported_architectures
from variantbuild.probe.facts import Failed, Found
from variantbuild.probe.gpu import cuda, nvidia, rocm

RELEASE = "Cuda compilation tools, release 12.8, V12.8.93"
FAKES = {
    "hanging": ("#!/bin/sh\nsleep 300 &\nsleep 300\n", "timed out"),
    "flooding": ("#!/bin/sh\nexec yes 0123456789012345678901234567890123456789\n", "MiB|output"),
    "crashing": ("#!/bin/sh\nkill -SEGV $$\n", "was killed by signal 11"),
    "failing": ("#!/bin/sh\necho no >&2\nexit 3\n", "exited with status 3"),
    "silent": ("#!/bin/sh\nexit 0\n", "does not print its release"),
    "foreign": ("#!/bin/sh\nprintf 'release \\377\\376 13.0'\n", "does not print its release"),
    "no program": ("\x7fELF not really", "could not be started|exited with status"),
}


class ImpatientHost(LocalHost):
    """This machine, with 2 s for every program."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout: float = 20.0,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        return super().run(argv, timeout=min(timeout, 2.0), cwd=cwd, env=env)


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin-1")
    path.chmod(0o755)


@pytest.mark.parametrize("name", FAKES)
def test_a_bad_nvcc_is_one_sentence_in_bounded_time(name: str, tmp_path: Path) -> None:
    text, words = FAKES[name]
    program(tmp_path / "bin" / "nvcc", text)
    host = ImpatientHost(env={"PATH": "/usr/bin:/bin", "CUDA_HOME": str(tmp_path)})
    started = time.monotonic()
    fact = cuda.probe_cuda_toolkit(host)
    assert time.monotonic() - started < 15
    assert isinstance(fact, Failed)
    assert fact.error.startswith(f"{tmp_path}/bin/nvcc (CUDA_HOME={tmp_path}) ")
    assert any(word in fact.error for word in words.split("|")), fact.error
    assert "\n" not in fact.error


def test_an_nvcc_without_permission_is_one_sentence(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "nvcc", "#!/bin/sh\n")
    (tmp_path / "bin" / "nvcc").chmod(0o644)
    fact = cuda.probe_cuda_toolkit(ImpatientHost(env={"CUDA_HOME": str(tmp_path)}))
    assert isinstance(fact, Failed)
    assert "ermission denied" in fact.error


def test_an_nvcc_that_lies_about_its_headers(tmp_path: Path) -> None:
    text = "echo 'Cuda compilation tools, release 11.8, V11.8.89'\n"
    program(tmp_path / "bin" / "nvcc", f"#!/bin/sh\n{text}")
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "cuda.h").write_text("#define CUDA_VERSION 12080\n")
    fact = cuda.probe_cuda_toolkit(ImpatientHost(env={"CUDA_HOME": str(tmp_path)}))
    assert fact == Failed(
        f"{tmp_path}/bin/nvcc is CUDA 11.8, but {tmp_path}/include/cuda.h says 12.8"
    )


def test_a_link_that_leads_nowhere_or_round_is_no_toolkit(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvcc").symlink_to("nvcc")
    fact = cuda.probe_cuda_toolkit(ImpatientHost(env={"CUDA_HOME": str(tmp_path)}))
    assert isinstance(fact, Failed)


def test_an_nvcc_in_the_source_tree_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program(tmp_path / "bin" / "nvcc", f"#!/bin/sh\ntouch {mark}\n")
    host = ImpatientHost(env={"PATH": f"{tmp_path}/bin:/usr/bin"}, source=tmp_path)
    cuda.probe_cuda_toolkit(host, wanted=(99,))
    assert not mark.exists()


@pytest.mark.parametrize("name", ["hanging", "flooding", "crashing", "silent", "foreign"])
def test_a_bad_hipconfig_is_one_sentence_in_bounded_time(name: str, tmp_path: Path) -> None:
    program(tmp_path / "bin" / "hipcc", "#!/bin/sh\n")
    program(tmp_path / "bin" / "hipconfig", FAKES[name][0])
    host = ImpatientHost(env={**os.environ, "ROCM_PATH": str(tmp_path)})
    started = time.monotonic()
    fact = rocm.probe_rocm_toolkit(host)
    assert time.monotonic() - started < 15
    assert isinstance(fact, Failed)
    assert "names no version, and its hipconfig " in fact.error
    words = {"silent": "prints none", "foreign": "prints none"}.get(name, FAKES[name][1])
    assert any(word in fact.error for word in words.split("|")), fact.error
    assert "\n" not in fact.error


@pytest.mark.parametrize("name", FAKES)
def test_a_bad_nvcc_on_path_is_one_sentence(name: str, tmp_path: Path) -> None:
    program(tmp_path / "nvcc", FAKES[name][0])
    fact = cuda.probe_cuda_toolkit(ImpatientHost(env={"PATH": f"{tmp_path}:/usr/bin:/bin"}))
    assert isinstance(fact, Failed)
    assert fact.error.startswith(f"{tmp_path}/nvcc ({tmp_path}/nvcc on PATH) ")
    assert "\n" not in fact.error


def test_an_nvcc_that_hangs_later_is_one_sentence(tmp_path: Path) -> None:
    """It prints its release, but its dry run leaves a child that keeps the pipe open."""
    text = f'[ "$1" = --version ] && echo {RELEASE!r} && exit 0\nsleep 300 &\nsleep 300\n'
    program(tmp_path / "nvcc", f"#!/bin/sh\n{text}")
    started = time.monotonic()
    fact = cuda.probe_cuda_toolkit(ImpatientHost(env={"PATH": f"{tmp_path}:/usr/bin:/bin"}))
    assert time.monotonic() - started < 10
    assert isinstance(fact, Failed)
    assert fact.error.endswith("timed out after 2 s in a dry run")


def test_an_nvcc_that_lists_nothing_is_answered_by_the_table(tmp_path: Path) -> None:
    program(tmp_path / "nvcc", f"#!/bin/sh\n[ $1 = --version ] && echo {RELEASE!r}\n")
    fact = cuda.probe_cuda_toolkit(ImpatientHost(env={"PATH": f"{tmp_path}:/usr/bin:/bin"}))
    assert isinstance(fact, Found)
    assert fact.value.architectures == ()
    assert "90a" in supported_architectures(fact.value)


def test_links_that_disagree_are_one_sentence(tmp_path: Path) -> None:
    """CUDA_HOME is a link to one toolkit, CUDACXX names the compiler of another."""
    for version in ("11.8", "12.8"):
        told = f"Cuda compilation tools, release {version}, V{version}.89"
        program(tmp_path / f"cuda-{version}" / "bin" / "nvcc", f"#!/bin/sh\necho {told!r}\n")
    (tmp_path / "cuda").symlink_to("cuda-12.8")
    env = {
        "CUDA_HOME": str(tmp_path / "cuda"),
        "CUDACXX": str(tmp_path / "cuda-11.8" / "bin" / "nvcc"),
    }
    fact = cuda.probe_cuda_toolkit(ImpatientHost(env=env))
    assert isinstance(fact, Failed)
    assert "names CUDA 11.8 and CUDA_HOME=" in fact.error
    assert "names CUDA 12.8" in fact.error


class WithDriver(ImpatientHost):
    """This machine, with a kernel that reports NVIDIA's driver as loaded."""

    def read_text(self, path: str, *, limit: int = READ_LIMIT) -> str | None:
        if path == "/proc/driver/nvidia/version":
            return "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.183.01  x\n"
        return super().read_text(path, limit=limit)


@pytest.mark.parametrize("name", FAKES)
def test_a_bad_nvidia_smi_is_one_sentence_in_bounded_time(name: str, tmp_path: Path) -> None:
    program(tmp_path / "nvidia-smi", FAKES[name][0])
    started = time.monotonic()
    driver, gpus = nvidia.probe_nvidia(WithDriver(env={"PATH": f"{tmp_path}:/usr/bin:/bin"}))
    assert time.monotonic() - started < 15
    assert isinstance(driver, Found)
    assert driver.value.version == "535.183.01"
    assert isinstance(gpus, Failed)
    assert f"{tmp_path}/nvidia-smi " in gpus.error
    assert "\n" not in gpus.error


def test_hipconfig_is_told_that_it_is_amds(tmp_path: Path) -> None:
    """With nvcc on PATH it would report NVIDIA's platform."""
    program(tmp_path / "bin" / "hipcc", "#!/bin/sh\n")
    program(
        tmp_path / "bin" / "hipconfig", '#!/bin/sh\n[ "$HIP_PLATFORM" = amd ] && echo 6.4.1-x\n'
    )
    fact = rocm.probe_rocm_toolkit(ImpatientHost(env={"ROCM_PATH": str(tmp_path)}))
    assert isinstance(fact, Found)
    assert (fact.value.version, fact.value.release) == ((6, 4), "6.4.1")
