"""Stamps on wheels: the label appended to the version, and the platform tags."""

from __future__ import annotations

from typing import NamedTuple

from variantbuild.errors import WheelError
from variantbuild.tags.forms import TagForm, name_platforms
from variantbuild.wheel.filename import join_local
from variantbuild.wheel.rewrite.edit import Edit, NewMember, Plan, plan_edit
from variantbuild.wheel.verify import Inventory

#: The member of dist-info that a stamp adds: the provenance of the wheel (PEP 770).
SBOM_MEMBER = "sboms/variantbuild.cdx.json"


class Stamp(NamedTuple):
    """What a stamp writes: `local_version` (None leaves the version as it is) and platform tags.

    The file name and WHEEL have the same tags (set, specific), or WHEEL has more (hybrid).
    """

    local_version: str | None
    file_platforms: tuple[str, ...]
    wheel_platforms: tuple[str, ...]


def name_stamp(inventory: Inventory, form: TagForm, label: str | None, suffix: str) -> Stamp:
    """Return the stamp of `label` and the platform `suffix` (`_v3_cu12`) in one of the forms."""
    in_file, in_wheel = name_platforms(
        form, suffix, inventory.file_name.platforms, inventory.wheel_platforms
    )
    return Stamp(local_version=label, file_platforms=in_file, wheel_platforms=in_wheel)


def plan_stamp(
    inventory: Inventory,
    stamp: Stamp,
    *,
    add: tuple[NewMember, ...] = (),
    epoch: int | None = None,
) -> Plan:
    """Plan a stamped wheel; `add` are further dist-info members, such as the SBOM.

    Raises WheelError for a label that is not in normal form, and for platform tags of the file name
    that WHEEL would not have.
    """
    if not set(stamp.file_platforms) <= set(stamp.wheel_platforms) or not stamp.file_platforms:
        raise WheelError(
            f"the platform tags {'.'.join(stamp.file_platforms)!r} in the file name are not "
            f"among those in WHEEL, {'.'.join(stamp.wheel_platforms)!r}"
        )
    version = None
    if stamp.local_version is not None:
        version = join_local(inventory.version, stamp.local_version)
    return plan_edit(
        inventory,
        Edit(
            version=version,
            file_platforms=stamp.file_platforms,
            wheel_platforms=stamp.wheel_platforms,
            add=add,
            epoch=epoch,
        ),
    )
