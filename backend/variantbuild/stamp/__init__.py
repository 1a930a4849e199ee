"""Stamps on a wheel: the label joined to the version, and the platform tags."""

from __future__ import annotations

from typing import NamedTuple

from variantbuild.errors import WheelError
from variantbuild.tags.forms import TagForm, name_platforms
from variantbuild.wheel.filename import join_local
from variantbuild.wheel.rewrite.edit import Edit, NewMember, Plan, plan_edit
from variantbuild.wheel.verify import Inventory

#: What a stamp adds to dist-info: where the wheel comes from (PEP 770).
SBOM_MEMBER = "sboms/variantbuild.cdx.json"


class Stamp(NamedTuple):
    """What a stamp writes: `local_version` (None: the version stays) and platform tags.

    The tags of the file's name and of WHEEL are the same (set, specific) or WHEEL has more
    (hybrid).
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

    Raises WheelError for a label that is not in normal form, tags of the name that WHEEL would
    lack, and a wheel that is tagged for any platform: there is no machine code to stamp.
    """
    if not set(stamp.file_platforms) <= set(stamp.wheel_platforms) or not stamp.file_platforms:
        raise WheelError(
            f"the platform tags {'.'.join(stamp.file_platforms)!r} of the file's name are not "
            f"among those of WHEEL, {'.'.join(stamp.wheel_platforms)!r}"
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
