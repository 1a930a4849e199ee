"""Toolkits that lie, hang, flood, crash or cannot run: real programs, one sentence each."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from variantbuild.host import LocalHost
from variantbuild.probe import cuda, rocm
from variantbuild.probe.facts import Failed

FAKES = {
    "hanging": ("#!/bin/sh\nsleep 300 &\nsleep 300\n", "time limit|did not end|seconds"),
    "flooding": ("#!/bin/sh\nexec yes 0123456789012345678901234567890123456789\n", "MiB|output"),
    "crashing": ("#!/bin/sh\nkill -SEGV $$\n", "was killed by signal 11"),
    "failing": ("#!/bin/sh\necho no >&2\nexit 3\n", "exited with status 3"),
    "silent": ("#!/bin/sh\nexit 0\n", "does not tell its release"),
    "foreign": ("#!/bin/sh\nprintf 'release \\377\\376 13.0'\n", "does not tell its release"),
    "no program": ("\x7fELF not really", "could not be started|exited with status"),
}


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="latin-1")
    path.chmod(0o755)


@pytest.mark.parametrize("name", FAKES)
def test_a_bad_nvcc_is_one_sentence_in_bounded_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cuda, "_TIMEOUT", 1.0)
    text, words = FAKES[name]
    program(tmp_path / "bin" / "nvcc", text)
    host = LocalHost(env={"PATH": "/usr/bin:/bin", "CUDA_HOME": str(tmp_path)})
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
    fact = cuda.probe_cuda_toolkit(LocalHost(env={"CUDA_HOME": str(tmp_path)}))
    assert isinstance(fact, Failed)
    assert "ermission denied" in fact.error


def test_an_nvcc_that_lies_about_its_headers(tmp_path: Path) -> None:
    text = "echo 'Cuda compilation tools, release 11.8, V11.8.89'\n"
    program(tmp_path / "bin" / "nvcc", f"#!/bin/sh\n{text}")
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "cuda.h").write_text("#define CUDA_VERSION 12080\n")
    fact = cuda.probe_cuda_toolkit(LocalHost(env={"CUDA_HOME": str(tmp_path)}))
    assert fact == Failed(
        f"{tmp_path}/bin/nvcc is CUDA 11.8, but {tmp_path}/include/cuda.h says 12.8"
    )


def test_a_link_that_leads_nowhere_or_round_is_no_toolkit(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvcc").symlink_to("nvcc")
    fact = cuda.probe_cuda_toolkit(LocalHost(env={"CUDA_HOME": str(tmp_path)}))
    assert isinstance(fact, Failed)


def test_an_nvcc_in_the_source_tree_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    program(tmp_path / "bin" / "nvcc", f"#!/bin/sh\ntouch {mark}\n")
    host = LocalHost(env={"PATH": f"{tmp_path}/bin:/usr/bin"}, source=tmp_path)
    cuda.probe_cuda_toolkit(host, wanted=(99,))
    assert not mark.exists()


@pytest.mark.parametrize("name", ["hanging", "flooding", "crashing", "silent", "foreign"])
def test_a_bad_hipconfig_is_one_sentence_in_bounded_time(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rocm, "_TIMEOUT", 1.0)
    program(tmp_path / "bin" / "hipcc", "#!/bin/sh\n")
    program(tmp_path / "bin" / "hipconfig", FAKES[name][0])
    host = LocalHost(env={**os.environ, "ROCM_PATH": str(tmp_path)})
    started = time.monotonic()
    fact = rocm.probe_rocm_toolkit(host)
    assert time.monotonic() - started < 15
    assert isinstance(fact, Failed)
    assert "does not tell its version, nor does its hipconfig" in fact.error
