"""Code for another machine that is in a wheel on purpose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audited import report
from variantbuild.audit import AuditReport, judge
from variantbuild.audit.exempt import exempt_files
from variantbuild.stamp.sbom import audited_properties
from variantbuild.variant import Variant


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
    record = dict(audited_properties(exempt))
    assert record["variantbuild:audited:exempt:demo/fw/boot.elf"] == pattern


def test_code_for_the_wheels_own_machine_is_never_exempt(mixed: AuditReport) -> None:
    needs_v4 = report("GNU C17 -march=x86-64-v4", note="v4")
    assert exempt_files(needs_v4, ("*",), "x86_64") == needs_v4
    assert errors(exempt_files(mixed, ("*.so",), "x86_64")) == {"wrong-machine"}
