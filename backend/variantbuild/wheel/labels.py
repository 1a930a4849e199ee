"""Stamps on a wheel: the label joined to the version, and the platform tags."""

from __future__ import annotations

from typing import NamedTuple

from variantbuild.errors import WheelError
from variantbuild.tagforms import TagForm, name_platforms
from variantbuild.wheel.edit import Edit, NewMember, Plan, plan_edit
from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.filename import normal_version
from variantbuild.wheel.verify import Inventory


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


def join_local(version: str, label: str) -> str:
    """Return `version` with `label` in its local part, behind the one that it may have.

    A version that ends with the label already stays as it is, so stamping twice is stamping once.
    The label must be in PEP 440's normal form: `CU12_V3` and `0012` would be written as others
    (`cu12.v3`, `12`) that someone else may have asked for. Raises WheelError otherwise.
    """
    try:
        normal = normal_version(f"0+{label}").removeprefix("0+")
    except UnsoundWheelError:
        raise WheelError(
            f"the label {label!r} cannot stand in a version",
            hint="use letters, digits and dots, as in cu12.v3",
        ) from None
    if normal != label:
        raise WheelError(
            f"the label {label!r} would be written as {normal!r}", hint=f"ask for {normal}"
        )
    public, _, local = version.partition("+")
    if local == label or local.endswith(f".{label}"):
        return version
    return f"{public}+{local}.{label}" if local else f"{public}+{label}"
