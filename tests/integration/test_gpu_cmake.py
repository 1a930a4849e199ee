"""The example's kernel through scikit-build-core and pip, with isolation."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from variantbuild.audit import audit_wheel
from workshop import REPO, Environment

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.isolated,
    pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH"),
]


def test_the_example_with_its_kernel(environment: Environment, tmp_path: Path) -> None:
    source = tmp_path / "example"
    shutil.copytree(REPO / "example_project", source)
    dist = tmp_path / "dist"
    dist.mkdir()
    settings = ("-Cvariantbuild.target=cu13.v2", "-Cvariantbuild.cuda.architectures=80;90")
    environment.pip("wheel", "--no-deps", "-w", dist, *settings, source).ok()
    (wheel,) = dist.glob("*.whl")
    assert wheel.name.startswith("vecsearch-0.1.0+cu13.v2-")
    (device,) = (file.device for file in audit_wheel(wheel).files)
    assert device is not None
    assert {str(image) for image in device.cuda} == {"sm_80", "sm_90", "compute_90"}
    environment.pip("install", wheel).ok()
    assert environment.ask("vecsearch.compiled_for()", "vecsearch") == "v2"
    assert environment.ask("vecsearch.gpu_count() >= 0", "vecsearch") == "True"
