"""One table of architectures: names, order of levels, and names that every part reads back."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from variantbuild.data import load_table
from variantbuild.isa.architecture import (
    Architecture,
    architecture,
    architectures,
    parse_machine,
)
from variantbuild.isa.armfeatures import level_for, promised_by
from variantbuild.isa.processor import resolve_processor
from variantbuild.isa.recorded import parse_recorded_flags
from variantbuild.variant import Variant, known_cpus

LEVELLED = [each for each in architectures() if each.levels]


@pytest.mark.parametrize("known", architectures(), ids=lambda each: each.name)
def test_the_order_of_levels_is_a_partial_order(known: Architecture) -> None:
    for a, b, c in itertools.product(known.levels, repeat=3):
        assert a.includes(a)
        assert known.baseline in (a, b, c) or a.includes(known.baseline)
        assert not (a.includes(b) and b.includes(a)) or a == b
        assert not (a.includes(b) and b.includes(c)) or a.includes(c)


@pytest.mark.parametrize("known", LEVELLED, ids=lambda each: each.name)
def test_the_join_is_the_lowest_level_that_includes_both(known: Architecture) -> None:
    assert known.join([]) == known.baseline
    for a, b in itertools.product(known.levels, repeat=2):
        top = known.join([a.name, b.name])
        assert top == known.join([b.name, a.name])
        above = [each for each in known.levels if each.includes(a) and each.includes(b)]
        assert top in above
        assert all(each.includes(top) for each in above)


def test_levels_are_not_compared_as_text() -> None:
    arm = architecture("aarch64")
    assert not arm.includes("armv8.6a", "armv9.0a")
    assert not arm.includes("armv9.0a", "armv8.6a")
    assert arm.includes("armv9.1a", "armv8.6a")
    assert arm.join(["armv8.6a", "armv9.0a"]).name == "armv9.1a"
    assert not architecture("aarch64").baseline.includes(architecture("x86_64").baseline)


def test_a_name_that_is_not_a_level_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="'zen4' is not a level of x86_64"):
        architecture("x86_64").join(["zen4"])


def test_detected_features_show_the_level() -> None:
    for known in LEVELLED:
        for level in known.levels:
            if level.features is not None:
                assert known.detect(level.features) == level
    assert architecture("aarch64").detect(frozenset({"fp", "asimd"})) is not None
    assert architecture("ppc64le").detect(frozenset({"vsx"})) is None


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        ("x86_64", ("x86_64",)),
        ("AMD64", ("x86_64",)),
        ("arm64", ("aarch64",)),
        ("i686", ("x86",)),
        ("x86", ("x86",)),
        ("powerpc64le", ("ppc64le",)),
        ("armv7l", ("arm",)),
        ("universal2", ("x86_64", "aarch64")),
        ("m68k", ()),
        ("", ()),
    ],
)
def test_machines(machine: str, found: tuple[str, ...]) -> None:
    assert parse_machine(machine) == found


def test_no_machine_name_stands_for_two_architectures() -> None:
    table = cast("dict[str, dict[str, list[str]]]", load_table("architectures")["architectures"])
    names = [
        name for row in table.values() for name in (*row["names"], *row.get("other_names", []))
    ]
    assert len(names) == len(set(names))
    assert set(table) <= {family for name in names for family in parse_machine(name)}


def printable_levels(arch: str) -> set[str]:
    """Return every level or baseline that a report on a file for `arch` may print."""
    known = architecture(arch)
    names = {level.name for level in known.levels} | {known.baseline.name}
    names |= {known.join(pair).name for pair in itertools.combinations(names, 2)}
    if arch == "aarch64":
        every = frozenset().union(*(promised_by(level) for level in names))
        names |= {level_for(frozenset({feature})) for feature in every} | {level_for(every)}
    lines = [parse_recorded_flags(line, arch) for line in recorded_lines(arch)]
    names |= {name for line in lines if line is not None for name in (line.level, line.reached)}
    cpus = [None, *known_cpus(arch)]
    for processor in (resolve_processor(arch, cpu) for cpu in cpus):
        names |= {processor.level, processor.shown}
    return names


def recorded_lines(arch: str) -> list[str]:
    tables = load_table("isa")
    if arch == "x86_64":
        x86 = cast("dict[str, dict[str, str]]", tables["x86_flags"])
        features = [f"-m{name}" for words in x86["levels"].values() for name in words.split()]
        return ["", *features, *(f"-march={name}" for name in x86["march"])]
    cpus = cast("dict[str, dict[str, str]]", tables["aarch64_flags"])["cpu"]
    marches = [f"-march={level.spelled}" for level in architecture("aarch64").levels]
    return ["", *marches, *(f"-mcpu={name}" for name in cpus)]


@pytest.mark.parametrize("known", architectures(), ids=lambda each: each.name)
def test_every_level_that_a_report_prints_is_read_as_a_target(known: Architecture) -> None:
    for name in printable_levels(known.name):
        if not known.levels and name not in known_cpus(known.name):
            continue  # archspec does not know the architecture, and its files have no level
        variant = Variant.parse(name, known.name)
        assert variant.cpu == name
        assert variant.is_baseline == (name == known.baseline.name)
        assert resolve_processor(known.name, name).level == name


def test_the_baseline_of_aarch64_has_archspecs_name_too() -> None:
    named = Variant.parse("aarch64", "aarch64")
    assert named == Variant.parse("armv8a", "aarch64")
    assert named.cpu == "armv8a"
    assert named.is_baseline
    assert (named.local_version, named.platform_suffix) == (None, "")
    assert str(Variant.parse("cu12.aarch64", "aarch64")) == "cu12.armv8a"
    assert resolve_processor("aarch64", "aarch64") == resolve_processor("aarch64", None)
    assert resolve_processor("aarch64", None).is_baseline


@given(st.text(max_size=12))
def test_unknown_architectures_have_a_baseline_and_no_levels(name: str) -> None:
    known = architecture(f"no-{name}")
    assert known.levels == ()
    assert known.baseline.includes(known.baseline)
    assert known.detect(frozenset()) is None


def test_importing_is_cheap() -> None:
    program = (
        "import sys; from variantbuild.isa.architecture import architecture\n"
        "assert architecture('x86_64').includes('v4', 'v2')\n"
        "heavy = {'archspec', 'packaging', 'difflib', 'subprocess'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
