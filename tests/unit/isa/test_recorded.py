"""What recorded command lines show about the CPU."""

from __future__ import annotations

import pytest

from variantbuild.isa.recorded import parse_recorded_flags


@pytest.mark.parametrize(
    ("line", "level", "reached"),
    [
        ("GNU C17 12.2.0 -O2", "v1", "v1"),
        ("GNU C17 12.2.0 -mtune=generic -march=x86-64 -O2", "v1", "v1"),
        ("-march=x86-64-v3", "v3", "v3"),
        ("-march=x86-64-v3 -march=x86-64-v2", "v2", "v2"),
        ("-march=x86-64-v2 -mavx2", "v3", "v2"),
        ("-mavx512f", "v4", "v1"),
        ("-march=x86-64-v4 -mno-avx512f", "v3", "v3"),
        ("-march=haswell", "v3", "v3"),
        ("-march=sandybridge", "v3", "v2"),
        ("-march=znver4", "v4", "v4"),
        (
            "-march=x86-64 -mcx16 -msahf -mpopcnt -msse4.2 -mavx2 -mbmi -mbmi2 -mf16c -mfma "
            "-mlzcnt -mmovbe",
            "v3",
            "v3",
        ),
        ("-DNAME=-march=haswell", "v1", "v1"),
    ],
)
def test_x86_levels(line: str, level: str, reached: str) -> None:
    found = parse_recorded_flags(line, "x86_64")
    assert found is not None
    assert (found.level, found.reached, found.unknown) == (level, reached, None)


@pytest.mark.parametrize(
    ("line", "arch", "cpu"),
    [
        ("-O2 -mtune=generic", "x86_64", None),
        ("-march=x86-64 -mavx2", "x86_64", None),
        ("-march=znver4 -msse4a -maes -mvaes -msha -madx -mclzero", "x86_64", "znver4"),
        ("-mcpu=neoverse-v2 -O2", "aarch64", "neoverse-v2"),
        ("-mcpu=neoverse-v2+nosve", "aarch64", "neoverse-v2+nosve"),
        ("-O2", "aarch64", None),
    ],
)
def test_the_cpu_is_a_value_of_its_own(line: str, arch: str, cpu: str | None) -> None:
    found = parse_recorded_flags(line, arch)
    assert found is not None
    assert found.cpu == cpu


def test_clang_leaves_native_as_it_is() -> None:
    found = parse_recorded_flags("/usr/bin/clang -march=native -c a.c", "x86_64")
    assert found is not None
    assert found.unknown == "native"


def test_extensions_by_name() -> None:
    found = parse_recorded_flags("-march=x86-64-v3 -maes -mvaes", "x86_64")
    assert found is not None
    assert found.extensions == ("aes", "vaes")


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("-march=armv8-a", "armv8a"),
        ("-march=armv8.2-a+fp16+dotprod", "armv8.2a"),
        ("-mcpu=neoverse-v2", "armv9.0a"),
        ("-mcpu=neoverse-n1 -march=armv8.4-a", "armv8.4a"),
        ("-O2", "armv8a"),
    ],
)
def test_arm_levels(line: str, level: str) -> None:
    found = parse_recorded_flags(line, "aarch64")
    assert found is not None
    assert (found.level, found.unknown) == (level, None)


def test_other_architectures_say_nothing() -> None:
    assert parse_recorded_flags("-mcpu=power9", "ppc64le") is None


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize(
    ("line", "contract"),
    [
        ("GNU C17 12.2.0 -O2", ""),
        ("GNU C17 12.2.0 -ffp-contract=off -O2", "off"),
        ("/usr/bin/clang -ffp-contract=off -c x.c -ffp-contract=fast", "fast"),
    ],
)
def test_contraction(line: str, contract: str, arch: str) -> None:
    found = parse_recorded_flags(line, arch)
    assert found is not None
    assert found.contract == contract
