"""Code for another machine that is in a wheel on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audited import report
from variantbuild.audit import AuditReport, judge
from variantbuild.audit.exempt import exempt_files, unused_patterns
from variantbuild.stamp.exemptions import recorded_exemptions
from variantbuild.stamp.sbom import audited_properties
from variantbuild.variant import Variant
from variantbuild.wheel.exemption import matching_pattern


@pytest.fixture
def mixed() -> AuditReport:
    """A module for v3, and firmware for aarch64 beside it."""
    module = report("GNU C17 -march=x86-64-v3", note="v3")
    firmware = replace(report(machine=183).files[0], path="demo/fw/boot.elf")
    return replace(module, files=(*module.files, firmware))


def errors(found: AuditReport) -> set[str]:
    return {each.rule for each in judge(found, Variant(arch="x86_64", cpu="v3")).errors}


@pytest.mark.parametrize("pattern", ["*.elf", "demo/fw/*", "boot.*", "demo/fw/boot.elf"])
def test_firmware_is_exempt_by_pattern_and_recorded(mixed: AuditReport, pattern: str) -> None:
    assert errors(mixed) == {"wrong-machine"}
    exempt = exempt_files(mixed, ("x", pattern), "x86_64")
    assert errors(exempt) == set()
    record = dict(audited_properties(exempt, Variant(arch="x86_64", cpu="v3")))
    assert record["variantbuild:audited:exempt:demo/fw/boot.elf"] == pattern


def test_code_for_the_wheels_own_machine_is_never_exempt(mixed: AuditReport) -> None:
    needs_v4 = report("GNU C17 -march=x86-64-v4", note="v4")
    assert exempt_files(needs_v4, ("*",), "x86_64") == needs_v4
    assert errors(exempt_files(mixed, ("*.so",), "x86_64")) == {"wrong-machine"}


def test_static_libraries_are_exempt_only_where_no_platform_is_claimed(mixed: AuditReport) -> None:
    library = replace(mixed.files[1], path="demo/fw/libm.a", format="ar", machines=())
    archive = replace(mixed, files=(library,))
    assert exempt_files(archive, ("*.a",), "x86_64") == archive
    (file,) = exempt_files(replace(archive, platforms=("any",)), ("*.a",), "x86_64").files
    assert (file.role, file.exempt) == ("data", "*.a")


def test_patterns_without_effect_are_told(mixed: AuditReport) -> None:
    program = replace(mixed.files[1], path="demo/x.bpf.o", machines=("bpf",), role="data")
    found = replace(mixed, files=(*mixed.files, program))
    patterns = ("*.elf", "*.bpf.o", "*.so", "fw")
    exempt = exempt_files(found, patterns, "x86_64")
    assert unused_patterns(exempt, patterns) == ("*.so", "fw")


def test_a_record_names_files_and_not_patterns() -> None:
    record = {
        "variantbuild:audited:exempt:demo/fw/[a].elf": "*.elf",
        "variantbuild:audited:exempt:*.data/purelib/fw*.bin": "*.bin",
        "variantbuild:audited:file:demo/m.so": "x86_64",
    }
    patterns = recorded_exemptions(record)
    for path in ("demo/fw/[a].elf", "m-1.0.data/purelib/fw*.bin"):
        assert matching_pattern(path, patterns)
    for path in ("demo/fw/a.elf", "m-1.0.data/purelib/fw1.bin", "demo/m.so"):
        assert not matching_pattern(path, patterns)


def test_the_machine_of_a_file_is_one_finding(mixed: AuditReport) -> None:
    tagged = replace(mixed, platforms=("manylinux_2_17_x86_64", "linux_x86_64"))
    (finding,) = judge(tagged, Variant(arch="x86_64", cpu="v3")).errors
    assert finding.message == (
        "demo/fw/boot.elf is for aarch64, but the tags say manylinux_2_17_x86_64 and linux_x86_64"
    )
