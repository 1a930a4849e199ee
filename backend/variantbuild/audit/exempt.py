"""Exempts files that are code for another machine on purpose: firmware, eBPF, other systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.wheel import Wheel
from variantbuild.wheel.exemption import matching_pattern
from variantbuild.wheel.machinecode import find_machine_code


def exempt_files(report: AuditReport, patterns: Sequence[str], arch: str) -> AuditReport:
    """Return `report` with the files that match one of `patterns` counted as data.

    Code for `arch` itself, and code that does not name its machine, is never exempt: a stamp would
    claim it unread. A wheel that is tagged for any platform claims no machine.
    """
    own = None if "any" in report.platforms else arch
    return replace(report, files=tuple(_exempted(each, patterns, own) for each in report.files))


def exempt_members(wheel: Wheel, patterns: Sequence[str], arch: str) -> frozenset[str]:
    """Return the members of a wheel for `arch` that `exempt_files` would count as data."""
    if not patterns:
        return frozenset()
    return frozenset(
        member.name
        for member, found in find_machine_code(wheel)
        if found.role == "host"
        and _may_be_exempt(found.machines, arch)
        and matching_pattern(member.name, patterns) is not None
    )


def exempted(report: AuditReport) -> tuple[FileReport, ...]:
    """Return the files of `report` that are exempt."""
    return tuple(each for each in report.files if each.exempt is not None)


def unused_patterns(report: AuditReport, patterns: Sequence[str]) -> tuple[str, ...]:
    """Return those of `patterns` that exempt no file of `report`, and match no other data."""
    used = {each.exempt for each in report.files}
    data = [each.path for each in report.files if each.role == "data"]
    return tuple(
        each
        for each in patterns
        if each not in used and not any(matching_pattern(path, (each,)) for path in data)
    )


def _exempted(file: FileReport, patterns: Sequence[str], own: str | None) -> FileReport:
    pattern = matching_pattern(file.path, patterns)
    if pattern is None or file.role != "host":
        return file
    if own is not None and not _may_be_exempt(file.machines, own):
        return file
    return replace(file, role="data", fault=None, unseen=None, exempt=pattern)


def _may_be_exempt(machines: Sequence[str], own: str) -> bool:
    return bool(machines) and own not in machines
