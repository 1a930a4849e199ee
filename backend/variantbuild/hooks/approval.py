"""Audits what was built, and applies the user's `audit` setting to the result."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.errors import AuditError
from variantbuild.messages import Reporter
from variantbuild.plan import BuildPlan
from variantbuild.values import dataclass
from variantbuild.variant import Variant

if TYPE_CHECKING:
    from variantbuild.audit import AuditReport, Refused
    from variantbuild.audit.judge.devicecompare import PlannedDevices

#: Names of gcc and clang.
_OBEYS_VARIABLES = re.compile(r"(?:.*-)?(?:g?cc|[cg]\+\+|gfortran|clang(?:\+\+)?)(?:-[\d.]+)?")
#: Compiled modules, each with its inode and modification time in nanoseconds.
Modules = Mapping[Path, tuple[int, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Approved:
    """What the audit allows to be written into a wheel.

    `variant` is the stamp, None for a wheel that only gets a record of its exempt files. `report`
    is what the audit found; `has_notes` is true if every module has the ISA note, which with some
    delegates is only known after the build.
    """

    variant: Variant | None
    report: AuditReport
    has_notes: bool


def approve_wheel(plan: BuildPlan, built: Path, reporter: Reporter) -> Approved | None:
    """Audit the wheel `built`; return what to write into it, None if it stays as it is.

    The baseline is judged as well: code that needs more would run on few machines. Raises
    AuditError if the policy refuses the wheel.
    """
    from variantbuild.audit import Refused, Stamped, Unstamped, audit_wheel, decide, judge
    from variantbuild.audit.exempt import exempted

    policy = plan.project.config.audit
    report = judgement = None
    if policy != "off":
        report = _exempt(plan, audit_wheel(built), reporter)
        planned = _planned_devices(plan)
        judgement = judge(report, plan.variant, records=records_flags(plan), planned=planned)
    outcome = decide(plan.variant, judgement, policy, "built")
    if isinstance(outcome, Refused):
        raise _with_cause(plan, outcome)
    for message in (*outcome.warnings, *_other_contracts(plan, report)):
        reporter.warning(message)
    if isinstance(outcome, Unstamped) and outcome.why == "off" and not plan.variant.is_baseline:
        reporter.note(outcome.reason)
    if isinstance(outcome, Unstamped) and outcome.why == "no-machine-code":
        _report_missing_code(plan, reporter)
    if report is None or judgement is None:
        return None
    variant = outcome.variant if isinstance(outcome, Stamped) else None
    if variant is None and not exempted(report):
        return None
    return Approved(variant=variant, report=report, has_notes=judgement.has_isa_notes)


def _exempt(plan: BuildPlan, report: AuditReport, reporter: Reporter) -> AuditReport:
    """Return `report` with the files that the project exempts counted as data."""
    from variantbuild.audit.exempt import exempt_files, unused_patterns

    patterns = plan.project.config.audit_exclude
    report = exempt_files(report, patterns, plan.variant.arch)
    for unused in unused_patterns(report, patterns):
        reporter.note(f"audit-exclude {unused!r} matches no file that is code for another machine")
    return report


def _other_contracts(plan: BuildPlan, report: AuditReport | None) -> Iterator[str]:
    """Yield a warning for each file that was not compiled with the wanted `fp-contract`.

    Its results differ in the last bits, which the level does not show.
    """
    wanted = plan.project.config.fp_contract
    if wanted == "default" or report is None:
        return
    for file in report.files:
        others = [line for line in file.recorded if line.contract != wanted]
        if others:
            yield (
                f"{file.path}: fp-contract is {wanted}, but a recorded command line has "
                f"{_contract_words(others[0].contract)}: the project sets its own, or links "
                "objects of another build"
            )


def _contract_words(contract: str) -> str:
    return f"-ffp-contract={contract}" if contract else "no -ffp-contract"


def _report_missing_code(plan: BuildPlan, reporter: Reporter) -> None:
    """Say why a wheel without machine code has no stamp; warn if the tree has sources for it."""
    from variantbuild.config.compiledsources import find_compiled_source

    stamp = "" if plan.variant.is_baseline else f"not stamped as {plan.variant}: "
    source = find_compiled_source(plan.project.path)
    if source is None:
        if stamp:
            reporter.note(f"{stamp}the wheel contains no machine code")
        return
    text = (
        f"{stamp}the wheel contains no machine code, but the source tree contains {source.path}: "
        "an optional extension may have failed to compile, or a condition may have left it out "
        "(see the output of the build)"
    )
    delegate = plan.delegate
    if not plan.project.config.is_set("delegate"):
        text += (
            f"; or {delegate.backend}, chosen because of {delegate.origin}, compiled nothing: then "
            "set delegate in [tool.variantbuild] to the backend that does"
        )
    reporter.warning(text)


def _with_cause(plan: BuildPlan, outcome: Refused) -> AuditError:
    """Return the error of `outcome`; if the flags did not arrive, its hint names a known cause.

    A compiler that the project names by an absolute path, or runs with a PATH of its own, is not
    looked up on ours, which adds the flags. gcc and clang still get them by variables, unless they
    run without the environment.
    """
    error = outcome.error()
    if not any(each.rule == "no-evidence" for each in outcome.findings):
        return error
    from variantbuild.delegate.drivers import LANGUAGES
    from variantbuild.delegate.mentions import find_absolute, find_own_path, read_build_files

    settings = {key: str(value) for key, value in plan.project.delegate_settings.items()}
    files = read_build_files(plan.project.path)
    absolute = tuple(find_absolute(LANGUAGES, files, settings))
    others = [each for each in absolute if not _OBEYS_VARIABLES.fullmatch(Path(each.path).name)]
    own = find_own_path(files)
    named = next(iter(others or (absolute if own is None else ())), None)
    if named is not None:
        hint = (
            f"{named.place} names the compiler {named.path} by its path, so that the flags may not "
            f"reach it; name it {Path(named.path).name}, or in CC, CXX or FC"
        )
        return AuditError(error.message, hint=hint)
    if own is None:
        return error
    if own.line:
        hint = (
            f"{own.place} sets PATH ({own.line!r}), so that the flags may not reach the compilers; "
            "pass on the PATH that the build is started with"
        )
    else:
        hint = (
            f"SCons runs compilers with a PATH of its own, and reads no site directory that would "
            f"pass the flags on; use Environment(ENV=os.environ) in {own.place}"
        )
    return AuditError(error.message, hint=hint)


def approve_in_place(
    plan: BuildPlan, built: Path, staging: Path, before: Modules, reporter: Reporter
) -> None:
    """Audit the editable wheel `built` and the modules that its build left in the source tree.

    `before` are the modules in the tree before the build, `staging` is the directory of the wheel.
    Raises AuditError if the policy refuses them.
    """
    from variantbuild.audit import audit_files, audit_wheel
    from variantbuild.audit.exempt import exempt_files

    source = plan.project.path
    made = sorted(
        path
        for path, state in compiled_modules(source).items()
        if before.get(path) != state and not path.is_relative_to(staging)
    )
    reports = [audit_wheel(built)]
    if made:
        reports.append(audit_files(made, name=f"the modules in {source}"))
    exclude = plan.project.config.audit_exclude
    reports = [exempt_files(each, exclude, plan.variant.arch) for each in reports]
    _judge_in_place(plan, reports, sorted(before.keys() - set(made)), reporter)


def _judge_in_place(
    plan: BuildPlan, reports: Sequence[AuditReport], unchanged: Sequence[Path], reporter: Reporter
) -> None:
    from variantbuild.audit import Refused, decide, judge_in_place

    policy = plan.project.config.audit
    planned = _planned_devices(plan)
    if planned is not None and planned.architectures is not None:
        from variantbuild.audit.judge.devicecompare import judge_planned, read_devices

        if judge_planned(reports, planned):
            # The delegate copies from those below `build`, for other variants too.
            root = plan.project.path
            kept = [path for path in unchanged if "build" not in path.relative_to(root).parts]
            planned = replace(planned, kept=read_devices(kept))
    judgement = judge_in_place(reports, plan.variant, records=records_flags(plan), planned=planned)
    outcome = decide(plan.variant, judgement, policy, "editable")
    if isinstance(outcome, Refused):
        raise outcome.error()
    for message in outcome.warnings:
        reporter.warning(message)


def records_flags(plan: BuildPlan) -> bool:
    """Tell whether every compiler of the build records its flags; rustc and nvcc do not."""
    return plan.flags.recorded and plan.flags.rust is None and plan.device is None


def compiled_modules(source: Path) -> Modules:
    """Return the compiled modules below the directory `source`."""
    found = {}
    for directory, _, names in os.walk(source):
        for name in names:
            if name.endswith((".so", ".pyd", ".dylib")):
                path = Path(directory, name)
                status = path.lstat()
                found[path] = (status.st_ino, status.st_mtime_ns)
    return found


def _planned_devices(plan: BuildPlan) -> PlannedDevices | None:
    """Return the device code that the plan has; None if it has nothing to do with devices."""
    from variantbuild.audit.judge.devicecompare import PlannedDevices

    if plan.devices is None:
        return None
    return PlannedDevices(architectures=None if plan.device is None else plan.device.architectures)
