"""Whether a wheel holds the device code that was planned: each architecture, and no other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from variantbuild.audit.judge.gate import Policy
from variantbuild.audit.report import AuditReport
from variantbuild.binary.devicecode import DeviceCode, read_device_code
from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.errors import AuditError
from variantbuild.isa.accelerators import Architectures
from variantbuild.variant import Variant


def pass_devices(
    report: AuditReport, variant: Variant, planned: Architectures | None, policy: Policy
) -> tuple[Variant, tuple[str, ...]]:
    """Hold the device code that `report` found against what was planned; None planned none.

    Returns the variant that may be declared and what is to be said. Raises AuditError where the
    policy refuses: `error` for anything missing or surplus, `downgrade` for surplus too, but it
    takes the accelerator out where there is no device code at all. `warn` (with problems) and
    `off` leave nothing to declare.
    """
    inside = name_devices([report])
    problems = judge_architectures(inside, planned) if policy != "off" else ()
    if policy == "off" or (policy == "warn" and problems):
        return Variant(arch=variant.arch), problems
    if not problems:
        return variant, ()
    if policy == "downgrade" and planned is not None and not inside:
        less = replace(variant, accelerator=None)
        note = f"stamped as {str(less) or 'the baseline'} instead of {variant}, as the audit found"
        return less, (*problems, note)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise AuditError(
        f"not stamped as {variant}: {problems[0]}{more}",
        hint="see that the project's build takes the architectures that it is given",
    )


def pass_editable(
    reports: Sequence[AuditReport],
    kept: Iterable[Path],
    variant: Variant,
    planned: Architectures | None,
    policy: Policy,
) -> tuple[str, ...]:
    """Hold the device code of an editable build against what was planned; return what to say.

    `reports` are on what this build made; `kept` are modules that it found up to date and left
    alone, whose device code counts as there. Raises AuditError under `error`, and under
    `downgrade` where there is device code, but another one; there is no label to take away.
    """
    if policy == "off" or not any(report.has_machine_code for report in reports):
        return ()
    made = name_devices(reports)
    problems = judge_architectures(made, planned)
    if problems and planned is not None:
        there = _devices_of(kept) & _wanted(planned)
        problems = judge_architectures(made | there, planned)
    if not problems or policy == "warn" or (policy == "downgrade" and not made):
        return problems
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise AuditError(
        f"what was built in place is not {variant}: {problems[0]}{more}",
        hint="see that the project's build takes the architectures that it is given",
    )


def judge_architectures(inside: frozenset[str], planned: Architectures | None) -> tuple[str, ...]:
    """Say, a sentence each, how the device code `inside` differs from what was planned."""
    if planned is None:
        return (f"it holds device code for {_listed(inside)}, and none was planned",) * bool(inside)
    wanted = _wanted(planned)
    if not inside:
        return (
            f"it holds no device code: the project's build skipped {planned.kind}, which was to "
            f"be built for {planned}",
        )
    problems = []
    if wanted - inside:
        problems.append(f"it has no device code for {_listed(wanted - inside)}")
    if inside - wanted:
        surplus = _listed(inside - wanted)
        problems.append(f"it holds device code for {surplus}, which was not planned")
    return tuple(problems)


def name_devices(reports: Iterable[AuditReport]) -> frozenset[str]:
    """Return the architectures of all files of the reports together."""
    files = (file for report in reports for file in report.files)
    return _names(file.device for file in files if file.device is not None)


def _names(codes: Iterable[DeviceCode]) -> frozenset[str]:
    """Return the compilers' names of all images, LTO code left out: it is no result."""
    names: set[str] = set()
    for code in codes:
        names.update(str(image) for image in code.cuda if image.kind != "lto")
        names.update(code.rocm)
    return frozenset(names)


def _devices_of(modules: Iterable[Path]) -> frozenset[str]:
    """Return what ELF files that this build did not make hold."""
    codes = []
    for path in modules:
        data = path.read_bytes()
        try:
            codes.append(read_device_code(data, parse_elf(data)))
        except ElfError:
            continue  # no module of ours
    return _names(codes)


def _wanted(planned: Architectures) -> frozenset[str]:
    return frozenset(str(planned).split(", "))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
