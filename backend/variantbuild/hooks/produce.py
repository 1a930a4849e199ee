"""From a plan to a file: run the delegate in a private folder, audit, stamp, publish.

Everything is written in a folder of our own inside the destination, on the same file system; a
name that others look at appears only when what it names is complete.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.config.project import Project
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.run import returned_path, run_build_hook
from variantbuild.frontend.naming import resolve_naming
from variantbuild.host.staging import publish, staging_directory
from variantbuild.messages import Reporter
from variantbuild.plan import BuildPlan
from variantbuild.tags.forms import name_platforms
from variantbuild.variant import Variant

if TYPE_CHECKING:
    from variantbuild.audit import AuditReport
    from variantbuild.stamp import Stamp


def resolve_stamp(
    plan: BuildPlan, found: Variant, platforms: tuple[str, ...], *, guarded: bool
) -> Stamp:
    """Choose the stamp for a wheel in which the audit found the variant `found`.

    `platforms` are the tags that the delegate gave it; `guarded` tells that every module carries
    the ISA note, which with some delegates is known only now.
    """
    from variantbuild.stamp import Stamp

    guarded = guarded and plan.flags.guard.unguarded is None
    naming = resolve_naming(plan.situation.kind, plan.project.config, guarded=guarded)
    in_file, in_wheel = name_platforms(naming.form, found.platform_suffix, platforms, platforms)
    return Stamp(
        local_version=found.local_version if plan.naming.local else None,
        file_platforms=in_file,
        wheel_platforms=in_wheel,
    )


def produce_wheel(plan: BuildPlan, delegate: Delegate, destination: Path) -> Path:
    """Build the wheel of `plan` and publish it, stamped, in `destination`; return its path.

    Raises DelegateError, WheelError or AuditError; `destination` then holds what it held before.
    """
    reporter = delegate.reporter
    for message in plan.messages:
        reporter.warning(message)
    if not plan.variant.is_baseline:
        reporter.note(f"building for {plan.variant}: {plan.choice.reason}")
    elif plan.situation.cibuildwheel:
        reporter.note(plan.choice.reason)
    cached = None
    if plan.project.config.build_cache:
        from variantbuild.buildcache.use import open_cache

        cached = open_cache(plan, delegate.env, reporter)
    if cached is not None and (taken := cached.take(destination)) is not None:
        return taken
    with staging_directory(destination) as folder:
        built = run_build_hook(plan, delegate, "build_wheel", folder)
        made = _stamp(plan, delegate, built, destination)
    if cached is not None:
        cached.store_wheel(made)
    return made


def produce_editable(plan: BuildPlan, delegate: Delegate, destination: Path) -> Path:
    """Build an editable wheel and publish it unstamped; return its path.

    The modules that it holds, and those that the delegate left in the source tree, are audited.
    """
    from variantbuild.audit import audit_files, audit_wheel, judge, pass_gate

    source = plan.project.path
    before = _modules_below(source)
    with staging_directory(destination) as folder:
        built = run_build_hook(plan, delegate, "build_editable", folder)
        loose = sorted(
            path
            for path, state in _modules_below(source).items()
            if before.get(path) != state and not path.is_relative_to(folder)
        )
        reports = [audit_wheel(built)]
        if loose:
            reports.append(audit_files(loose, name=f"the modules in {source}"))
        if plan.devices is not None:
            # Those below `build` are what the delegate copies from, for other variants too.
            kept = [
                path
                for path in before
                if path not in loose and "build" not in path.relative_to(source).parts
            ]
            _check_editable_devices(plan, reports, kept, delegate.reporter)
        for report in reports:
            # Which module has device code is the project's affair.
            with_code = any(file.device for file in report.files)
            declared = plan.variant if with_code else replace(plan.variant, accelerator=None)
            if report.has_machine_code and not _asks_nothing(declared):
                judged = judge(report, declared, records=_records(plan))
                passage = pass_gate(judged, plan.project.config.audit)
                for message in passage.messages:
                    delegate.reporter.warning(message)
        return publish(built, destination)


def _check_editable_devices(
    plan: BuildPlan, reports: Sequence[AuditReport], kept: Sequence[Path], reporter: Reporter
) -> None:
    from variantbuild.audit.judge.devicegate import pass_editable

    planned = None if plan.device is None else plan.device.architectures
    policy = plan.project.config.audit
    for problem in pass_editable(reports, kept, plan.variant, planned, policy):
        reporter.warning(problem)


def produce_sdist(project: Project, delegate: Delegate, destination: Path) -> str:
    """Build the delegate's sdist and publish it as it is in `destination`; return its name."""
    with staging_directory(destination) as folder:
        name = delegate.call("build_sdist", str(folder), dict(project.delegate_settings))
        return publish(returned_path(name, folder, delegate, "build_sdist"), destination).name


def unpack_metadata(wheel_path: Path, folder: Path) -> Path:
    """Write the dist-info of the wheel at `wheel_path` into `folder`; return its path."""
    from variantbuild.wheel import open_wheel, verify_wheel

    with open_wheel(wheel_path) as wheel:
        inventory = verify_wheel(wheel, trust_record=True)
        inside = f"{inventory.dist_info}/"
        for member in inventory.files:
            if member.name.startswith(inside):
                target = folder / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                with target.open("wb") as stream:
                    stream.writelines(wheel.stream(member))
    return folder / inventory.dist_info


def _stamp(plan: BuildPlan, delegate: Delegate, built: Path, destination: Path) -> Path:
    """Audit the delegate's wheel, and publish it with the stamp that it has earned.

    A wheel that gets no stamp is published as the delegate wrote it. The baseline is judged as
    well: code that needs more would run nowhere but here.
    """
    from variantbuild.audit import audit_wheel
    from variantbuild.hooks.provenance import render_provenance
    from variantbuild.stamp import SBOM_MEMBER, plan_stamp
    from variantbuild.wheel import NewMember, apply_edit, open_wheel, verify_wheel

    if plan.project.config.audit == "off":
        if not plan.variant.is_baseline:
            delegate.reporter.note(
                f"not stamped as {plan.variant}: `audit` is off, and only audited wheels are"
            )
        return publish(built, destination)
    report = audit_wheel(built)
    found, guarded = _earned(plan, report, delegate.reporter)
    if found.is_baseline:
        return publish(built, destination)
    with open_wheel(built) as wheel:
        inventory = verify_wheel(wheel)
        platforms = inventory.file_name.platforms
        stamp = resolve_stamp(plan, found, platforms, guarded=guarded)
        record = NewMember(
            path=SBOM_MEMBER,
            data=render_provenance(
                name=inventory.name,
                version=plan_stamp(inventory, stamp).version,
                variant=found,
                flags=plan.flags,
                compilers=plan.compilers,
                facts=plan.facts,
                report=report,
            ),
        )
        edit = plan_stamp(inventory, stamp, add=(record,), epoch=_epoch(delegate.env))
        return apply_edit(wheel, edit, destination, consume=True)


def _earned(plan: BuildPlan, report: AuditReport, reporter: Reporter) -> tuple[Variant, bool]:
    """Return the variant that `report` bears out, and whether every module has the ISA note.

    It is the baseline where there is nothing to stamp. Raises AuditError where the policy forbids
    the wheel.
    """
    from variantbuild.audit import judge, pass_gate

    policy = plan.project.config.audit
    declared, notes = plan.variant, tuple[str, ...]()
    if plan.devices is not None:
        from variantbuild.audit.judge.devicegate import pass_devices

        planned = None if plan.device is None else plan.device.architectures
        declared, notes = pass_devices(report, declared, planned, policy)
    for note in notes:
        reporter.warning(note)
    if not report.has_machine_code or _asks_nothing(declared):
        return Variant(arch=declared.arch), False
    judgement = judge(report, declared, records=_records(plan))
    passage = pass_gate(judgement, policy)
    for message in passage.messages:
        reporter.warning(message)
    return passage.variant, all(finding.rule != "no-guard" for finding in judgement.findings)


def _records(plan: BuildPlan) -> bool:
    """Tell whether every compiler that may run records its switches; rustc and nvcc do not."""
    return plan.flags.recorded and plan.flags.rust is None and plan.device is None


def _asks_nothing(variant: Variant) -> bool:
    return variant.cpu is None and variant.is_baseline


def _modules_below(source: Path) -> dict[Path, tuple[int, int]]:
    """Return the compiled modules below `source`, each with its inode and time (nanoseconds)."""
    found = {}
    for folder, _, names in os.walk(source):
        for name in names:
            if name.endswith((".so", ".pyd", ".dylib")):
                path = Path(folder, name)
                status = path.lstat()
                found[path] = (status.st_ino, status.st_mtime_ns)
    return found


def _epoch(env: Mapping[str, str]) -> int | None:
    value = env.get("SOURCE_DATE_EPOCH", "")
    return int(value) if value.isascii() and value.isdigit() else None
