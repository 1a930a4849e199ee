"""Whether a wheel holds the device code that was planned: each architecture, and no other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from variantbuild.accelerator.architectures import Architectures
from variantbuild.audit.gate import Policy
from variantbuild.audit.report import AuditReport
from variantbuild.errors import AuditError
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
    problems = judge_architectures(report, planned) if policy != "off" else ()
    if policy == "off" or (policy == "warn" and problems):
        return Variant(arch=variant.arch), problems
    if not problems:
        return variant, ()
    if policy == "downgrade" and planned is not None and not _inside(report):
        less = replace(variant, accelerator=None)
        note = f"stamped as {str(less) or 'the baseline'} instead of {variant}, as the audit found"
        return less, (*problems, note)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    raise AuditError(
        f"not stamped as {variant}: {problems[0]}{more}",
        hint="see that the project's build takes the architectures that it is given",
    )


def judge_architectures(report: AuditReport, planned: Architectures | None) -> tuple[str, ...]:
    """Say, a sentence each, how the device code that was found differs from what was planned."""
    inside = _inside(report)
    if planned is None:
        return (f"it holds device code for {_listed(inside)}, and none was planned",) * bool(inside)
    wanted = set(str(planned).split(", "))
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


def _inside(report: AuditReport) -> set[str]:
    """Return the architectures of all files together, LTO code left out: it is no result."""
    codes = [file.device for file in report.files if file.device is not None]
    cuda = {str(image) for code in codes for image in code.cuda if image.kind != "lto"}
    return cuda | {target for code in codes for target in code.rocm}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
