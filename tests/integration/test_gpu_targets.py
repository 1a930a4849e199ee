"""One source tree, many targets: CPU levels and an accelerator in one command."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TypedDict, cast

import pytest

from devices import device_names
from workshop import MakeEnvironment

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.isolated,
    pytest.mark.skipif(shutil.which("nvcc") is None, reason="nvcc is not on PATH"),
]


class Wheel(TypedDict):
    target: str
    path: str | None
    error: str | None


def test_levels_and_an_accelerator(setuptools_gpu: Path, make_environment: MakeEnvironment) -> None:
    environment = make_environment("venv", sys.executable, "variantbuild[build]", "setuptools")
    words = ["build", "--no-isolation", "-o", "out", "-C", "variantbuild.cuda.architectures=80"]
    for target in ("v2", "v3", "cu13.v3"):
        words += ["--target", target]
    program = environment.directory / "bin" / "variantbuild"
    done = environment.run(program, *words, cwd=setuptools_gpu).ok()
    table = [line.split() for line in done.stdout.splitlines()]
    assert table[0] == ["target", "size", "time", "wheel"]
    assert [row[0] for row in table[1:]] == ["v2", "v3", "cu13.v3"]
    wheels = {row[0]: Path(row[-1]) for row in table[1:]}
    assert [wheel.name.split("-")[1] for wheel in wheels.values()] == [
        "1.0+v2",
        "1.0+v3",
        "1.0+cu13.v3",
    ]
    assert device_names(wheels["cu13.v3"]) == {"sm_80", "compute_80"}
    assert device_names(wheels["v2"]) == device_names(wheels["v3"]) == set()
    assert "cu13.v3: compiling" in done.stderr

    # A target that cannot be built does not prevent the others from being built.
    words = ["build", "--no-isolation", "-o", "out", "--json"]
    words += ["--target", "cu11.v2", "--target", "v2"]
    done = environment.run(program, *words, cwd=setuptools_gpu)
    assert done.code == 2
    rows = cast("list[Wheel]", json.loads(done.stdout)["wheels"])
    assert [row["path"] is None for row in rows] == [True, False]
    assert "target 'cu11.v2' needs CUDA 11: no CUDA 11, only: CUDA " in done.stderr
    assert "CUDA 11 is not on PyPI" in done.stderr
    assert "Traceback" not in done.stderr.splitlines()[-1]
