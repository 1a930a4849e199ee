"""The level that a report names is the lowest for which the judgement finds nothing wrong."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from audited import code, decoded, demand
from variantbuild.audit import AuditReport, judge_fit
from variantbuild.isa.architecture import architecture
from variantbuild.isa.recorded import parse_recorded_flags
from variantbuild.variant import Variant

X86 = ("v1", "v2", "v3", "v4")
ARM = ("armv8a", "armv8.1a", "armv8.7a", "armv8.9a", "armv9.0a")
RECORDED = [(), (0,), (2,), (3, 1), (3, 4), (3, 1, 4)]


def reported(
    arch: str,
    levels: tuple[str, ...],
    shown: str,
    recorded: tuple[int, ...],
    note: str | None,
    guard: str | None,
) -> AuditReport:
    """Report on a module whose units were compiled for the levels of the indices `recorded`."""
    known = architecture(arch)
    named = [known.level(levels[each]) for each in recorded if each < len(levels)]
    lines = [parse_recorded_flags(f"-march={each.spelled}", arch) for each in named if each]
    found = decoded(arch, shown)
    (file,) = found.files
    assert file.code is not None
    found_flags = tuple(line for line in lines if line is not None)
    file = replace(file, recorded=found_flags, isa_note=note, code=replace(file.code, guard=guard))
    return replace(found, files=(file,))


@pytest.mark.parametrize("guard", [None, "CPUID"])
@pytest.mark.parametrize(
    ("arch", "levels", "codes", "notes"),
    [
        ("x86_64", X86, X86, (None, "v1", "v3")),
        # A judgement of AArch64 code goes by its features, which these reports do not have.
        ("aarch64", ARM, ("armv8a",), (None,)),
    ],
)
def test_expecting_less_than_the_level_shown_fails(
    arch: str,
    levels: tuple[str, ...],
    codes: tuple[str, ...],
    notes: tuple[str | None, ...],
    guard: str | None,
) -> None:
    for shown, recorded, note in itertools.product(codes, RECORDED, notes):
        found = reported(arch, levels, shown, recorded, note, guard)
        assert found.required is not None
        least = architecture(arch).level(found.required)
        assert least is not None
        assert judge_fit(found, Variant.parse(least.name, arch)).ok
        below = [each for each in least.below if each != least.name]
        for name in below:
            assert not judge_fit(found, Variant.parse(name, arch)).ok, (found, name)


def test_flags_that_name_no_known_cpu_leave_the_level_open() -> None:
    line = parse_recorded_flags("-march=native", "x86_64")
    assert line is not None
    found = decoded("x86_64", "v1")
    file = replace(found.files[0], recorded=(line,))
    found = replace(found, files=(file, replace(file, path="n.so", recorded=())))
    assert found.required is None
    assert not judge_fit(found, Variant.parse("v1", "x86_64")).ok


def test_a_file_that_cannot_be_read_leaves_the_level_open() -> None:
    found = decoded("x86_64", "v1")
    broken = replace(found.files[0], code=None, fault="it is truncated")
    assert replace(found, files=(*found.files, broken)).required is None


def test_features_outside_the_level_are_named() -> None:
    found = decoded("aarch64", "armv8.1a")
    used = code(
        demand("aes", None, certain=True),
        demand("lse", "armv8.1a", certain=True),
        demand("sve", None, certain=None),
    )
    file = replace(found.files[0], code=used)
    assert file.required == "armv8.1a"
    assert file.features == {"aes"}
    assert decoded("x86_64", "v1").files[0].features == frozenset()
