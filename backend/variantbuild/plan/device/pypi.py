"""The CUDA compiler from PyPI: its requirements and releases.

NVIDIA publishes the whole compiler there from 13.0 on; the packages for 12 and 11 contain only
ptxas and headers.
"""

from __future__ import annotations

from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.errors import AcceleratorError
from variantbuild.probe.facts import Found
from variantbuild.probe.gpu.gpufacts import Driver, Toolkit


class _Cccl(TypedDict):
    name: str
    own_numbers_from: int


class _Pypi(TypedDict):
    major: int
    minors: list[int]
    packages: list[str]
    cccl: _Cccl


def resolve_pypi_release(wanted: tuple[int, ...], driver: Driver | None) -> tuple[int, int]:
    """Choose the release to install: `wanted`, else the newest that `driver` fully supports.

    PTX needs a driver as new as the toolkit, so a toolkit newer than the driver's CUDA is only
    installed on request. Raises AcceleratorError for releases that are not on PyPI.
    """
    table = _table()
    major, minors = table["major"], table["minors"]
    asked = ".".join(map(str, wanted))
    if wanted and (wanted[0] != major or (len(wanted) > 1 and wanted[1] not in minors)):
        raise AcceleratorError(
            f"CUDA {asked} is not on PyPI: the compiler is published there for "
            f"{major}.{minors[0]} to {major}.{minors[-1]} only",
            hint="install that toolkit on the machine, or choose cuda.version = "
            f'"{major}.{minors[0]}"',
        )
    if len(wanted) > 1:
        return wanted[0], wanted[1]
    if driver is None or driver.cuda is None or driver.cuda[0] != major:
        return major, minors[-1]
    return major, min(minors[-1], driver.cuda[1])


def render_requirements(release: tuple[int, int]) -> tuple[str, ...]:
    """Return the requirements (PEP 508) that install the compiler of `release`, all of one minor.

    CCCL has its own numbers from 13.3 on: 13.3.5.0.6 is CCCL 3.5 for CUDA 13.5.
    """
    table = _table()
    major, minor = release
    own = minor >= table["cccl"]["own_numbers_from"]
    cccl = f"{major}.3.{minor}" if own else f"{major}.{minor}"
    return (
        *(f"{name}=={major}.{minor}.*" for name in table["packages"]),
        f"{table['cccl']['name']}=={cccl}.*",
    )


def expect_toolkit(release: tuple[int, int]) -> Found[Toolkit]:
    """Return the toolkit of `release` as it will be once it is installed from PyPI."""
    toolkit = Toolkit(
        kind="cuda",
        version=release,
        release="",
        root="",
        compiler="nvcc",
        include="",
        libraries="",
        origin="pypi",
    )
    return Found(toolkit, f"to be installed from PyPI, {render_requirements(release)[0]}")


def _table() -> _Pypi:
    return cast("_Pypi", load_table("cuda")["pypi"])
