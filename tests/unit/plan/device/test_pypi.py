"""The compiler from PyPI: one consistent release, and links that complete it."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from variantbuild.delegate.toolkit import complete_toolkit
from variantbuild.errors import AcceleratorError
from variantbuild.plan.device.pypi import render_requirements, resolve_pypi_release
from variantbuild.probe.gpu.gpufacts import Driver


def test_all_requirements_are_of_one_release() -> None:
    assert render_requirements((13, 0)) == (
        "nvidia-cuda-nvcc==13.0.*",
        "nvidia-nvvm==13.0.*",
        "nvidia-cuda-crt==13.0.*",
        "nvidia-cuda-runtime==13.0.*",
        "nvidia-cuda-cccl==13.0.*",
    )
    assert render_requirements((13, 2))[-1] == "nvidia-cuda-cccl==13.2.*"
    assert render_requirements((13, 3))[-1] == "nvidia-cuda-cccl==13.3.3.*"
    assert render_requirements((13, 5))[-1] == "nvidia-cuda-cccl==13.3.5.*"
    for minor in range(6):
        for requirement in map(Requirement, render_requirements((13, minor))):
            assert requirement.specifier


@pytest.mark.parametrize(
    ("wanted", "driver", "release"),
    [
        ((), None, (13, 5)),
        ((13,), None, (13, 5)),
        ((13, 2), Driver(version="580.65", cuda=(13, 0)), (13, 2)),
        ((), Driver(version="580.65", cuda=(13, 0)), (13, 0)),
        ((), Driver(version="700.1", cuda=(13, 9)), (13, 5)),
        ((), Driver(version="570.86", cuda=(12, 8)), (13, 5)),
    ],
)
def test_the_release_follows_the_wish_and_the_driver(
    wanted: tuple[int, ...], driver: Driver | None, release: tuple[int, int]
) -> None:
    assert resolve_pypi_release(wanted, driver) == release


@pytest.mark.parametrize("wanted", [(12,), (12, 8), (11, 8), (13, 99), (14,)])
def test_what_pypi_has_not_is_refused_with_the_range(wanted: tuple[int, ...]) -> None:
    with pytest.raises(AcceleratorError, match=r"is not on PyPI.*13\.0 to 13\.5 only"):
        resolve_pypi_release(wanted, None)


def test_links_complete_what_the_wheels_leave_out(tmp_path: Path) -> None:
    root = tmp_path / "site-packages" / "nvidia" / "cu13"
    for name in ("bin/nvcc", "bin/crt/link.stub", "include/cuda.h", "nvvm/bin/cicc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / "lib").mkdir()
    for name in ("libcudart.so.13", "libcudart_static.a", "libnvvm.so.4"):
        (root / "lib" / name).write_text(name)
    before = sorted(root.rglob("*"))
    home = complete_toolkit(root, tmp_path / "private")
    assert (home / "bin" / "nvcc").read_text() == "bin/nvcc"
    assert not (home / "bin").is_symlink(), "nvcc finds its libraries beside bin"
    assert (home / "lib64" / "libcudart.so").read_text() == "libcudart.so.13"
    assert (home / "lib64" / "libnvvm.so").read_text() == "libnvvm.so.4"
    assert (home / "include" / "cuda.h").read_text() == "include/cuda.h"
    assert (home / "nvvm" / "bin" / "cicc").exists()
    with pytest.raises(FileExistsError):  # once a build
        complete_toolkit(root, tmp_path / "private")
    assert sorted(root.rglob("*")) == before
