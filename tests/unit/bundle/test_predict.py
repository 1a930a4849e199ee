"""Which copy a machine loads, by its CPU, its C library and VARIANTBUILD_LEVEL."""

from __future__ import annotations

from typing import Literal

import pytest

from variantbuild.binary.choosers import Chooser, Copy
from variantbuild.bundle.predict import predict
from variantbuild.errors import BundleError
from variantbuild.isa.architecture import architecture
from variantbuild.probe.facts import Absent, Cpu, Fact, Found, Libc


def cpu(level: str) -> Cpu:
    features = architecture("x86_64").level(level)
    assert features is not None
    return Cpu(
        family="x86_64", vendor="GenuineIntel", features=features.features or frozenset(),
        level=level, part="", generation=0, brand="",
    )  # fmt: skip


def chooser(method: Literal["loader", "stub"], *labels: str) -> Chooser:
    return Chooser(
        method=method, copies=tuple(Copy(label=name, file=f"m.so.{name}") for name in labels)
    )


def libc(name: Literal["glibc", "musl"], minor: int) -> Fact[Libc]:
    return Found(Libc(name=name, version=(2 if name == "glibc" else 1, minor)), "made up")


NEW = libc("glibc", 36)


@pytest.mark.parametrize(
    ("method", "level", "system", "asked", "loads"),
    [
        ("stub", "v4", NEW, None, "v4"),
        ("stub", "v3", NEW, None, "v3"),
        ("stub", "v2", NEW, None, "v1"),
        ("stub", "v4", libc("glibc", 31), None, "v4"),
        ("stub", "v4", libc("musl", 2), None, "v4"),
        ("stub", "v4", NEW, "v3", "v3"),
        ("stub", "v4", NEW, "v2", "v1"),
        ("stub", "v3", NEW, "v4", "v3"),
        ("stub", "v3", NEW, "", "v3"),
        ("loader", "v4", NEW, None, "v4"),
        ("loader", "v4", NEW, "v1", "v4"),
        ("loader", "v4", libc("glibc", 32), None, "v1"),
        ("loader", "v4", libc("glibc", 33), None, "v4"),
        ("loader", "v4", libc("musl", 2), None, "v1"),
        ("loader", "v4", Absent("not known"), None, "v1"),
    ],
)
def test_the_copy_that_is_loaded(
    method: Literal["loader", "stub"], level: str, system: Fact[Libc], asked: str | None, loads: str
) -> None:
    table = chooser(method, "v4", "v3", "v1")
    found = predict("m.so", table, "x86_64", cpu(level), system, asked)
    assert (found.level, found.file) == (loads, f"m.so.{loads}")
    better = ["v4", "v3", "v1"][: ["v4", "v3", "v1"].index(loads)]
    assert [each.level for each in found.skipped] == better


def test_the_reason_names_what_the_cpu_lacks() -> None:
    found = predict("m.so", chooser("stub", "v4", "v1"), "x86_64", cpu("v3"), NEW, None)
    assert found.skipped[0].reason.startswith("its CPU lacks avx512bw")


def test_another_architecture() -> None:
    with pytest.raises(BundleError, match="is for aarch64, and this machine is x86_64"):
        predict("m.so", chooser("stub", "armv8a"), "aarch64", cpu("v3"), NEW, None)


def test_a_level_that_is_none() -> None:
    with pytest.raises(BundleError, match="is 'v9', which is not a level"):
        predict("m.so", chooser("stub", "v3", "v1"), "x86_64", cpu("v3"), NEW, "v9")
