"""The user's flags that contradict the variant, by name and origin."""

from __future__ import annotations

import pytest

from variantbuild.plan.flags.conflicts import Conflict, find_conflicts, user_flags
from variantbuild.variant import Variant

V3 = Variant(arch="x86_64", cpu="v3")


def conflicts(variant: Variant, **env: str) -> list[tuple[str, str]]:
    found = find_conflicts(variant, user_flags(env))
    return [(each.flag, each.place) for each in found]


@pytest.mark.parametrize(
    ("variable", "text", "flag"),
    [
        ("CFLAGS", "-O2 -march=native", "-march=native"),
        ("CXXFLAGS", "-march=haswell -g", "-march=haswell"),
        ("FFLAGS", "-mcpu=power9", "-mcpu=power9"),
        ("FCFLAGS", "-march=native", "-march=native"),
        ("CC", "ccache gcc -march=x86-64-v4", "-march=x86-64-v4"),
        ("CPPFLAGS", "-mtune=native", "-mtune=native"),
        ("CFLAGS", "-mavx512f", "-mavx512f"),
        ("CFLAGS", "-maes", "-maes"),
        ("CFLAGS", "-madx", "-madx"),
        ("CFLAGS", "-mno-fma", "-mno-fma"),
        ("CFLAGS", "-tp zen4", "-tp=zen4"),
        ("CFLAGS", "-xCORE-AVX512", "-xCORE-AVX512"),
        ("CFLAGS", "-axHost", "-axHost"),
        ("CL", "/arch:AVX512", "/arch:AVX512"),
        ("CL", "-arch:AVX", "-arch:AVX"),
    ],
)
def test_found_by_name_and_place(variable: str, text: str, flag: str) -> None:
    assert conflicts(V3, **{variable: text}) == [(flag, variable)]


@pytest.mark.parametrize(
    "text",
    [
        "-march=x86-64-v3",
        "-mavx2 -mfma -msse2 -mbmi2",
        "-mno-avx512f",
        "-Davx512f -favx512f",
        "-mtune=haswell -m64 -mcmodel=large -mfpmath=sse -mprefer-vector-width=256",
        "-xc++ -O3 -DX=-march=native",
        "/arch:AVX2 -arch:AVX2",
        "'unclosed",
        "",
    ],
)
def test_no_conflict(text: str) -> None:
    assert conflicts(V3, CFLAGS=text, CC=f"gcc {text}") == []


def test_baseline_of_the_family_conflicts_with_a_higher_level() -> None:
    assert conflicts(V3, CFLAGS="-march=x86-64") == [("-march=x86-64", "CFLAGS")]
    assert conflicts(Variant(arch="x86_64", cpu="v1"), CFLAGS="-march=x86-64") == []


def test_features_that_every_machine_has_may_be_named() -> None:
    v2 = Variant(arch="x86_64", cpu="v2")
    assert conflicts(v2, CFLAGS="-mmmx -msse -msse2 -mfxsr -mxsave") == []
    v1 = Variant(arch="x86_64", cpu="v1")
    assert conflicts(v1, CFLAGS="-msse2 -mavx2") == [("-mavx2", "CFLAGS")]


def test_features_of_named_processors_are_not_judged() -> None:
    zen4 = Variant(arch="x86_64", cpu="zen4")
    assert conflicts(zen4, CFLAGS="-mno-fma -mavx512f") == []


def test_named_processors() -> None:
    zen4 = Variant(arch="x86_64", cpu="zen4")
    assert conflicts(zen4, CFLAGS="-march=znver4 -mavx512f") == []
    assert conflicts(zen4, CFLAGS="-march=znver3") == [("-march=znver3", "CFLAGS")]
    graviton = Variant(arch="aarch64", cpu="neoverse_v2")
    assert conflicts(graviton, CFLAGS="-mcpu=neoverse-v2") == []
    assert conflicts(graviton, CFLAGS="-mcpu=native") == [("-mcpu=native", "CFLAGS")]


def test_no_processor_no_conflict() -> None:
    assert conflicts(Variant(arch="x86_64"), CFLAGS="-march=native") == []


def test_the_sentence_says_who_wins() -> None:
    users = user_flags(
        {"CFLAGS": "-march=native", "CPPFLAGS": "-march=native"}, {"c": ["-march=znver4"]}
    )
    found = {each.place: str(each) for each in find_conflicts(V3, users)}
    assert found["CFLAGS"] == (
        "`-march=native` in CFLAGS contradicts the target v3; ours comes after it and wins"
    )
    assert found["CPPFLAGS"].endswith("it comes after ours and wins")
    assert found["flags.c"].endswith("it comes after ours and wins")


def test_a_feature_stays_whatever_follows() -> None:
    (found,) = find_conflicts(V3, user_flags({"CFLAGS": "-mavx512bw"}))
    assert found == Conflict(
        flag="-mavx512bw",
        place="CFLAGS",
        reason="enables a feature that the target v3 lacks, and no -march disables it again",
    )


def test_sources_leave_the_program_out() -> None:
    (found,) = user_flags({"CC": "gcc", "CXX": "g++ -g", "PATH": "-march=native"})
    assert (found.place, found.flags, found.after_ours) == ("CXX", ("-g",), False)
