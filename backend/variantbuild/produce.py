"""From a plan to a file: run the delegate in a private folder, audit, stamp, publish.

Everything is written in a folder of our own inside the destination, on the same file system; a
name that others look at appears only when what it names is complete.
"""

from __future__ import annotations

import os
import sys
import sysconfig
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from variantbuild.delegate import Delegate
from variantbuild.errors import DelegateError
from variantbuild.frontend import name_platforms, resolve_naming
from variantbuild.handover import Delegation, Handover, hand_over
from variantbuild.handover.builddir import name_build
from variantbuild.handover.cmakevalues import render_cmake_values
from variantbuild.plan import BuildPlan
from variantbuild.private import private_folder, publish
from variantbuild.project import Project
from variantbuild.types import ConfigSettings
from variantbuild.variant import Variant

if TYPE_CHECKING:
    from variantbuild.wheel import Stamp


def resolve_stamp(
    plan: BuildPlan, found: Variant, platforms: tuple[str, ...], *, guarded: bool
) -> Stamp:
    """Choose the stamp for a wheel in which the audit found the variant `found`.

    `platforms` are the tags that the delegate gave it; `guarded` tells that every module carries
    the ISA note, which with some delegates is known only now.
    """
    from variantbuild.wheel import Stamp

    guarded = guarded and plan.flags.guard.unguarded is None
    naming = resolve_naming(plan.situation.kind, plan.project.config, guarded=guarded)
    in_file, in_wheel = name_platforms(naming.form, found.platform_suffix, platforms)
    return Stamp(
        local_version=found.local_version if plan.naming.local else None,
        file_platforms=in_file,
        wheel_platforms=in_wheel,
    )


def produce_wheel(plan: BuildPlan, delegate: Delegate, destination: Path) -> Path:
    """Build the wheel of `plan` and publish it, stamped, in `destination`; return its path.

    Raises DelegateError, WheelError or AuditError; `destination` then holds what it held before.
    """
    for message in plan.messages:
        _say(message, "warning")
    if not plan.variant.is_baseline:
        _say(f"building for {plan.variant}: {plan.choice.reason}")
    elif plan.situation.cibuildwheel:
        _say(plan.choice.reason)
    with private_folder(destination) as folder:
        built = _run_build_hook(plan, delegate, "build_wheel", folder)
        return _stamp(plan, built, destination)


def produce_editable(plan: BuildPlan, delegate: Delegate, destination: Path) -> Path:
    """Build an editable wheel and publish it unstamped; return its path.

    The modules that it holds, and those that the delegate left in the source tree, are audited.
    """
    from variantbuild.audit import audit_files, audit_wheel, judge, pass_gate

    started = time.time()
    with private_folder(destination) as folder:
        built = _run_build_hook(plan, delegate, "build_editable", folder)
        loose = _modules_since(plan.project.path, started - 2, folder)
        reports = [audit_wheel(built)]
        if loose:
            reports.append(audit_files(loose, name=f"the modules in {plan.project.path}"))
        for report in reports:
            if report.has_machine_code and not _asks_nothing(plan.variant):
                passage = pass_gate(judge(report, plan.variant), plan.project.config.audit)
                for message in passage.messages:
                    _say(message, "warning")
        return publish(built, destination)


def produce_sdist(project: Project, delegate: Delegate, destination: Path) -> str:
    """Build the delegate's sdist and publish it as it is in `destination`; return its name."""
    with private_folder(destination) as folder:
        name = delegate.call("build_sdist", str(folder), dict(project.delegate_settings))
        return publish(_returned(name, folder, delegate, "build_sdist"), destination).name


def delegate_metadata(
    plan: BuildPlan,
    delegate: Delegate,
    folder: Path,
    hook: str = "prepare_metadata_for_build_wheel",
) -> Path:
    """Let the delegate write its dist-info into `folder`; return the dist-info's path."""
    with private_folder(folder) as private:
        changes = _handover(plan, delegate, private)
        settings = dict(changes.config_settings)
        name = delegate.call(hook, str(folder), settings, env=dict(changes.env))
    return _returned(name, folder, delegate, hook)


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


def _stamp(plan: BuildPlan, built: Path, destination: Path) -> Path:
    """Audit the delegate's wheel, and publish it with the stamp that it has earned.

    A wheel that gets no stamp is published as the delegate wrote it. The baseline is judged as
    well: code that needs more would run nowhere but here.
    """
    from variantbuild.audit import audit_wheel, judge, pass_gate
    from variantbuild.audit.provenance import MEMBER, render_provenance
    from variantbuild.wheel import NewMember, apply_edit, open_wheel, plan_stamp, verify_wheel

    policy = plan.project.config.audit
    if policy == "off":
        if not plan.variant.is_baseline:
            _say(f"not stamped as {plan.variant}: `audit` is off, and a stamp is a finding")
        return publish(built, destination)
    report = audit_wheel(built)
    declared, notes = plan.variant, tuple[str, ...]()
    if plan.devices is not None:
        from variantbuild.audit.devicegate import pass_devices

        planned = None if plan.device is None else plan.device.architectures
        declared, notes = pass_devices(report, declared, planned, policy)
    for note in notes:
        _say(note, "warning")
    if not report.has_machine_code or _asks_nothing(declared):
        return publish(built, destination)
    judgement = judge(report, declared)
    passage = pass_gate(judgement, policy)
    for message in passage.messages:
        _say(message, "warning")
    if passage.variant.is_baseline:
        return publish(built, destination)
    guarded = not any(finding.rule == "no-guard" for finding in judgement.findings)
    with open_wheel(built) as wheel:
        inventory = verify_wheel(wheel)
        platforms = inventory.file_name.platforms
        stamp = resolve_stamp(plan, passage.variant, platforms, guarded=guarded)
        record = NewMember(
            path=MEMBER,
            data=render_provenance(
                name=inventory.name,
                version=plan_stamp(inventory, stamp).version,
                variant=passage.variant,
                flags=plan.flags,
                compilers=plan.compilers,
                facts=plan.facts,
                report=report,
            ),
        )
        edit = plan_stamp(inventory, stamp, add=(record,), epoch=_epoch())
        return apply_edit(wheel, edit, destination, consume=True)


def _asks_nothing(variant: Variant) -> bool:
    return variant.cpu is None and variant.is_baseline


def _run_build_hook(plan: BuildPlan, delegate: Delegate, hook: str, folder: Path) -> Path:
    changes = _handover(plan, delegate, folder)
    for note in changes.notes:
        _say(note, "warning")
    output = folder / "out"
    output.mkdir()
    settings = dict(changes.config_settings)
    # The delegate never gets a metadata folder: it would compare ours, which says more, with its
    # own byte for byte (scikit-build-core 1.1).
    with _device_sources(plan, delegate, changes, folder):
        name = delegate.call(hook, str(output), settings, None, env=dict(changes.env))
    return _returned(name, output, delegate, hook)


def _handover(plan: BuildPlan, delegate: Delegate, folder: Path) -> Handover:
    variables = sysconfig.get_config_vars()
    tool = plan.project.pyproject.get("tool")
    delegation = Delegation(
        backend=delegate.kind,
        version=delegate.version,
        source=plan.project.path,
        folder=folder,
        env=dict(os.environ),
        config_settings=cast("ConfigSettings", plan.project.delegate_settings),
        interpreter={key: value for key, value in variables.items() if isinstance(value, str)},
        tool=tool if isinstance(tool, Mapping) else {},
        extra_config=_users_distutils_config(),
    )
    changes = hand_over(
        plan.flags,
        delegation,
        compilers=dict(plan.compilers),
        build_name=name_build(str(plan.variant), plan.digest),
    )
    for path, text in changes.files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    values = render_cmake_values(plan.variant, plan.flags)
    changes = replace(changes, env=(*changes.env, *values.items()))
    if plan.device is None:
        return changes
    from variantbuild.accelerator.devicebuild import complete_device_build, hand_device_build

    device = complete_device_build(plan.device, folder)
    return changes if device is None else hand_device_build(device, changes, delegation)


def _device_sources(
    plan: BuildPlan, delegate: Delegate, changes: Handover, folder: Path
) -> AbstractContextManager[None]:
    """Let setuptools compile device sources, where the project or a target names accelerators."""
    asked = plan.devices is not None or plan.project.config.accelerators
    if not asked or delegate.kind.partition(".")[0] != "setuptools":
        return nullcontext()
    from variantbuild.accelerator.devicebuild import complete_device_build
    from variantbuild.accelerator.gpuext import device_sources

    env = {**os.environ, **dict(changes.env)}
    reason = "the target names none" if plan.devices is None else plan.devices.reason
    return device_sources(complete_device_build(plan.device, folder), reason, env)


def _users_distutils_config() -> str:
    """Return the text of the file that the user's DIST_EXTRA_CONFIG names, empty without one."""
    try:
        return Path(os.environ["DIST_EXTRA_CONFIG"]).read_text(encoding="utf-8")
    except (KeyError, OSError, UnicodeDecodeError):
        return ""


def _returned(name: object, folder: Path, delegate: Delegate, hook: str) -> Path:
    """Return the path of what `hook` says it made; raises DelegateError where it is not there."""
    if isinstance(name, str) and name and Path(name).name == name and (folder / name).exists():
        return folder / name
    raise DelegateError(
        f"delegate {delegate.spec.backend!r} returned {name!r} from {hook}, and made no such file"
    )


def _modules_since(source: Path, started: float, private: Path) -> list[Path]:
    """Return the compiled modules below `source` that were written after `started` (seconds)."""
    found = []
    for pattern in ("*.so", "*.pyd", "*.dylib"):
        for path in source.rglob(pattern):
            if not path.is_relative_to(private) and path.stat().st_mtime >= started:
                found.append(path)
    return sorted(found)


def _epoch() -> int | None:
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    return int(value) if value.isascii() and value.isdigit() else None


def _say(message: str, kind: str = "note") -> None:
    print(f"variantbuild: {kind}: {message}", file=sys.stderr, flush=True)
