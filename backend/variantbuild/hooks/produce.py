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
    from variantbuild.audit.judge.devicecompare import PlannedDevices
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
    from variantbuild.audit import audit_files, audit_wheel

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
        _check_in_place(plan, reports, sorted(before.keys() - set(loose)), delegate.reporter)
        return publish(built, destination)


def _check_in_place(
    plan: BuildPlan, reports: Sequence[AuditReport], before: Sequence[Path], reporter: Reporter
) -> None:
    """Judge what an editable build made; `before` are modules that it left alone."""
    from variantbuild.audit import Refused, decide, judge_in_place

    policy = plan.project.config.audit
    planned = _planned_devices(plan)
    if planned is not None and planned.architectures is not None:
        from variantbuild.audit.judge.devicecompare import judge_planned, read_devices

        if judge_planned(reports, planned):
            # Those below `build` are what the delegate copies from, for other variants too.
            root = plan.project.path
            kept = [path for path in before if "build" not in path.relative_to(root).parts]
            planned = replace(planned, kept=read_devices(kept))
    judgement = judge_in_place(reports, plan.variant, records=_records(plan), planned=planned)
    outcome = decide(plan.variant, judgement, policy, "editable")
    if isinstance(outcome, Refused):
        raise outcome.error()
    for message in outcome.warnings:
        reporter.warning(message)


def _planned_devices(plan: BuildPlan) -> PlannedDevices | None:
    """Return the device code that the plan has, None where it does not concern itself with any."""
    from variantbuild.audit.judge.devicecompare import PlannedDevices

    if plan.devices is None:
        return None
    return PlannedDevices(architectures=None if plan.device is None else plan.device.architectures)


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
    from variantbuild.audit import Refused, Stamped, Unstamped, audit_wheel, decide, judge

    policy = plan.project.config.audit
    report = judgement = None
    if policy != "off":
        report, planned = audit_wheel(built), _planned_devices(plan)
        judgement = judge(report, plan.variant, records=_records(plan), planned=planned)
    outcome = decide(plan.variant, judgement, policy, "built")
    if isinstance(outcome, Refused):
        raise outcome.error()
    for message in outcome.warnings:
        delegate.reporter.warning(message)
    if isinstance(outcome, Stamped) and report is not None and judgement is not None:
        return _write_stamped(
            plan,
            outcome.variant,
            report,
            built,
            destination,
            guarded=judgement.is_guarded,
            epoch=_epoch(delegate.env),
        )
    if isinstance(outcome, Unstamped) and outcome.why == "off" and not plan.variant.is_baseline:
        delegate.reporter.note(outcome.reason)
    return publish(built, destination)


def _write_stamped(
    plan: BuildPlan,
    variant: Variant,
    report: AuditReport,
    built: Path,
    destination: Path,
    *,
    guarded: bool,
    epoch: int | None,
) -> Path:
    """Write the wheel `built` with the stamp of `variant` and the record of its build."""
    from variantbuild.hooks.provenance import render_provenance
    from variantbuild.stamp import SBOM_MEMBER, plan_stamp
    from variantbuild.wheel import NewMember, apply_edit, open_wheel, verify_wheel

    with open_wheel(built) as wheel:
        inventory = verify_wheel(wheel)
        platforms = inventory.file_name.platforms
        stamp = resolve_stamp(plan, variant, platforms, guarded=guarded)
        record = NewMember(
            path=SBOM_MEMBER,
            data=render_provenance(
                name=inventory.name,
                version=plan_stamp(inventory, stamp).version,
                variant=variant,
                flags=plan.flags,
                compilers=plan.compilers,
                facts=plan.facts,
                report=report,
            ),
        )
        edit = plan_stamp(inventory, stamp, add=(record,), epoch=epoch)
        return apply_edit(wheel, edit, destination, consume=True)


def _records(plan: BuildPlan) -> bool:
    """Tell whether every compiler that may run records its switches; rustc and nvcc do not."""
    return plan.flags.recorded and plan.flags.rust is None and plan.device is None


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
