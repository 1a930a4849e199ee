"""`plan` with the CUDA toolkit of this machine."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import cast

import pytest

from answers import answer
from variantbuild.cli import main

needs_nvcc = pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH")


@pytest.mark.cuda
@needs_nvcc
def test_a_toolkit_that_is_here(
    setuptools_gpu: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("CUDA_HOME", "CUDA_PATH", "CUDACXX", "CUDAHOSTCXX", "NVCC_CCBIN", "MAX_JOBS"):
        monkeypatch.delenv(name, raising=False)
    words = ("--target", "cu13.v2", "--json", "-C", "variantbuild.cuda.toolkit=system")
    assert main(["plan", str(setuptools_gpu), *words]) == 0
    found = cast("dict[str, object]", answer(capsys, "plan")["accelerator"])
    assert found["requirements"] == []
    assert found["toolkit"] == cast("dict[str, str]", found["variables"])["CUDA_HOME"]
    assert Path(str(found["toolkit"])).is_dir()
