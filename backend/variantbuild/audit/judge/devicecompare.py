"""Compares the device code of a build with the plan, which must have the same architectures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from variantbuild.audit.judge.findings import Finding, Rule
from variantbuild.audit.report import AuditReport
from variantbuild.binary.devicecode import DeviceCode, read_device_code
from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.isa.accelerators import Architectures
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedDevices:
    """The device code that a build should produce: `architectures`, or None for no device code.

    `kept` are the architectures of modules that an editable build did not rebuild, as they were up
    to date: they count if they were planned.
    """

    architectures: Architectures | None
    kept: frozenset[str] = frozenset()


def judge_planned(reports: Iterable[AuditReport], planned: PlannedDevices) -> tuple[Finding, ...]:
    """Compare the device code of all `reports` together with the plan.

    Each difference is an error.
    """
    inside = name_devices(reports)
    if planned.architectures is None:
        if not inside:
            return ()
        text = f"it contains device code for {_listed(inside)}, but none was planned"
        return (_difference(text),)
    wanted = frozenset(planned.architectures.names)
    inside |= planned.kept & wanted
    if not inside:
        text = (
            "it contains no device code: the project's build skipped "
            f"{planned.architectures.kind}, which was planned for {planned.architectures}"
        )
        return (_difference(text, "device-absent"),)
    differences = []
    if wanted - inside:
        differences.append(
            _difference(f"it contains no device code for {_listed(wanted - inside)}")
        )
    if inside - wanted:
        surplus = _listed(inside - wanted)
        differences.append(
            _difference(f"it contains device code for {surplus}, which was not planned")
        )
    return tuple(differences)


def name_devices(reports: Iterable[AuditReport]) -> frozenset[str]:
    """Return the architectures of all files of the reports together."""
    files = (file for report in reports for file in report.files)
    return _names(file.device for file in files if file.device is not None)


def read_devices(modules: Iterable[Path]) -> frozenset[str]:
    """Return the architectures in ELF files that a build did not rebuild; other files have none."""
    codes = []
    for path in modules:
        data = path.read_bytes()
        try:
            codes.append(read_device_code(data, parse_elf(data)))
        except ElfError:
            continue
    return _names(codes)


def _difference(message: str, rule: Rule = "device-plan") -> Finding:
    return Finding(severity="error", rule=rule, message=message)


def _names(codes: Iterable[DeviceCode]) -> frozenset[str]:
    """Return the compilers' names of all images except LTO code, which GPUs do not run."""
    names: set[str] = set()
    for code in codes:
        names.update(str(image) for image in code.cuda if image.kind != "lto")
        names.update(code.rocm)
    return frozenset(names)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
