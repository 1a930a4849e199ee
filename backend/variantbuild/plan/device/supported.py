"""The GPU architectures that a toolkit builds for: all, one per generation, or AMD's list."""

from __future__ import annotations

from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.errors import AcceleratorError
from variantbuild.probe.gpu.gpufacts import Toolkit


class _CudaToolkit(TypedDict):
    architectures: str
    gcc: int
    clang: int


def supported_architectures(toolkit: Toolkit) -> tuple[str, ...]:
    """Return what `toolkit` builds for, according to its compiler, else to the table.

    A release without a row has that of the newest release before it.
    """
    if toolkit.architectures:
        return toolkit.architectures
    if toolkit.kind == "cuda":
        rows = cast("dict[str, _CudaToolkit]", load_table("cuda")["toolkits"])
        return _row(toolkit, {release: row["architectures"] for release, row in rows.items()})
    return _row(toolkit, cast("dict[str, str]", load_table("rocm")["releases"]))


def _row(toolkit: Toolkit, rows: dict[str, str]) -> tuple[str, ...]:
    known = {tuple(int(part) for part in release.split(".")): row for release, row in rows.items()}
    before = [release for release in known if release <= toolkit.version]
    if not before:
        oldest = ".".join(map(str, min(known)))
        raise AcceleratorError(f"{toolkit} is too old: {oldest} is the oldest known release")
    return tuple(known[max(before)].split())


def all_architectures(toolkit: Toolkit) -> tuple[str, ...]:
    """Return every plain architecture of `toolkit`; for ROCm those that AMD supports."""
    if toolkit.kind == "rocm":
        return _supported_by_amd(toolkit)
    return tuple(name for name in supported_architectures(toolkit) if name.isdigit())


def major_architectures(toolkit: Toolkit) -> tuple[str, ...]:
    """Return the first architecture of each generation, as nvcc's all-major does.

    Those whose number ends in 0, and the oldest. AMD's generations have only the generic targets in
    common, so for ROCm this is the list that AMD supports.
    """
    if toolkit.kind == "rocm":
        return _supported_by_amd(toolkit)
    numbers = sorted(int(name) for name in all_architectures(toolkit))
    return tuple(str(number) for number in numbers if number % 10 == 0 or number == numbers[0])


def _supported_by_amd(toolkit: Toolkit) -> tuple[str, ...]:
    """Return AMD's list for the release, without what this installation cannot link for."""
    listed = _row(toolkit, cast("dict[str, str]", load_table("rocm")["releases"]))
    usable = supported_architectures(toolkit)
    return tuple(name for name in listed if name in usable)
