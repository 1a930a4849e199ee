"""The stamp of a built wheel: its names, and the record of its build."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from variantbuild.delegate.run import Built
from variantbuild.errors import WheelError
from variantbuild.frontend.naming import resolve_naming
from variantbuild.hooks.approval import Approved
from variantbuild.hooks.provenance import render_provenance
from variantbuild.plan import BuildPlan
from variantbuild.stamp import SBOM_MEMBER, Stamp, plan_stamp
from variantbuild.stamp.declared import check_declared, check_stamp, read_declared
from variantbuild.stamp.exemptions import exemptions
from variantbuild.stamp.sbom import render_audited
from variantbuild.tags.forms import name_platforms
from variantbuild.variant import Variant
from variantbuild.wheel import (
    Edit,
    Inventory,
    NewMember,
    Plan,
    apply_edit,
    open_wheel,
    plan_edit,
    verify_wheel,
)


def publish_approved(
    plan: BuildPlan,
    approved: Approved,
    built: Built,
    destination: Path,
    *,
    epoch: int | None,
    env: Mapping[str, str],
) -> Path:
    """Publish the wheel `built` with what was approved, stamp and record; return its path.

    `epoch` is the time of the record in the archive (Unix time); None takes that of the wheel's
    RECORD. `env` is the environment of the build.
    """
    with open_wheel(built.wheel) as wheel:
        inventory = verify_wheel(wheel, exempt=exemptions(plan.project.config.audit_exclude))
        if approved.variant is None:
            edit = _plan_record(inventory, approved, epoch)
        else:
            edit = _plan_stamp(plan, approved.variant, approved, built, inventory, epoch, env)
        return apply_edit(wheel, edit, destination, consume=True)


def _plan_record(inventory: Inventory, approved: Approved, epoch: int | None) -> Plan:
    """Plan a wheel without a stamp, with a record of its exempt files."""
    data = render_audited(name=inventory.name, version=inventory.version, report=approved.report)
    return plan_edit(inventory, Edit(add=(NewMember(path=SBOM_MEMBER, data=data),), epoch=epoch))


def _plan_stamp(
    plan: BuildPlan,
    variant: Variant,
    approved: Approved,
    built: Built,
    inventory: Inventory,
    epoch: int | None,
    env: Mapping[str, str],
) -> Plan:
    declared = read_declared(inventory)
    check_declared(declared)
    for tag in declared.tags:
        if tag.variant not in (None, variant):
            raise WheelError(
                f"{inventory.path.name} cannot be stamped as {variant}: its backend has given it "
                f"the tag {tag.text}",
                hint="let the backend write a plain platform tag",
            )
    # Without the variants that the backend has written: a stamp is never doubled.
    platforms = tuple(dict.fromkeys(tag.platform for tag in declared.in_file))
    protected = approved.has_notes and plan.flags.isa_note.unprotected is None
    stamp = resolve_stamp(plan, variant, platforms, protected=protected)
    check_stamp(inventory, stamp, variant)
    record = NewMember(
        path=SBOM_MEMBER,
        data=render_provenance(
            name=inventory.name,
            version=plan_stamp(inventory, stamp).version,
            variant=variant,
            flags=plan.flags,
            compilers=plan.compilers,
            facts=plan.facts,
            report=approved.report,
            replaced=built.replaced,
            env=env,
        ),
    )
    return plan_stamp(inventory, stamp, add=(record,), epoch=epoch)


def resolve_stamp(
    plan: BuildPlan, variant: Variant, platforms: tuple[str, ...], *, protected: bool
) -> Stamp:
    """Choose the stamp for a wheel whose delegate gave it the tags of `platforms`.

    `protected` is true if a CPU below the level refuses to load the modules.
    """
    naming = resolve_naming(plan.situation.kind, plan.project.config, protected=protected)
    in_file, in_wheel = name_platforms(naming.form, variant.platform_suffix, platforms, platforms)
    return Stamp(
        local_version=variant.local_version if plan.naming.local else None,
        file_platforms=in_file,
        wheel_platforms=in_wheel,
    )
