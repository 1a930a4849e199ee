"""The stamp of a built wheel: its names, and the record of its build."""

from __future__ import annotations

from pathlib import Path

from variantbuild.delegate.run import Built
from variantbuild.frontend.naming import resolve_naming
from variantbuild.hooks.approval import Approved
from variantbuild.hooks.provenance import render_provenance
from variantbuild.plan import BuildPlan
from variantbuild.stamp import SBOM_MEMBER, Stamp, plan_stamp
from variantbuild.stamp.declared import check_stamp
from variantbuild.tags.forms import name_platforms
from variantbuild.wheel import NewMember, apply_edit, open_wheel, verify_wheel


def publish_stamped(
    plan: BuildPlan, approved: Approved, built: Built, destination: Path, *, epoch: int | None
) -> Path:
    """Publish the wheel `built` with its stamp and the record of its build; return its path.

    `epoch` is the time of the record in the archive (Unix time); None takes that of the wheel's
    RECORD.
    """
    with open_wheel(built.wheel) as wheel:
        inventory = verify_wheel(wheel)
        stamp = resolve_stamp(plan, approved, inventory.file_name.platforms)
        check_stamp(inventory, stamp, approved.variant)
        record = NewMember(
            path=SBOM_MEMBER,
            data=render_provenance(
                name=inventory.name,
                version=plan_stamp(inventory, stamp).version,
                variant=approved.variant,
                flags=plan.flags,
                compilers=plan.compilers,
                facts=plan.facts,
                report=approved.report,
                replaced=built.replaced,
            ),
        )
        edit = plan_stamp(inventory, stamp, add=(record,), epoch=epoch)
        return apply_edit(wheel, edit, destination, consume=True)


def resolve_stamp(plan: BuildPlan, approved: Approved, platforms: tuple[str, ...]) -> Stamp:
    """Choose the stamp for a wheel whose delegate gave it the tags of `platforms`."""
    protected = approved.has_notes and plan.flags.isa_note.unprotected is None
    naming = resolve_naming(plan.situation.kind, plan.project.config, protected=protected)
    variant = approved.variant
    in_file, in_wheel = name_platforms(naming.form, variant.platform_suffix, platforms, platforms)
    return Stamp(
        local_version=variant.local_version if plan.naming.local else None,
        file_platforms=in_file,
        wheel_platforms=in_wheel,
    )
