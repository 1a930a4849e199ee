"""Removal of stamps: back to the public version and plain platform tags."""

from __future__ import annotations

from variantbuild.errors import VariantError, WheelError
from variantbuild.stamp import SBOM_MEMBER
from variantbuild.stamp.declared import Declared, read_declared
from variantbuild.wheel.filename import normal_version
from variantbuild.wheel.rewrite.edit import Edit, Plan, plan_edit
from variantbuild.wheel.verify import Inventory


def plan_unstamp(inventory: Inventory) -> Plan:
    """Plan the wheel as it was before its stamp.

    The variants are removed from the platform tags, their label from the end of the local version;
    what precedes it is kept. A label that is not the variant's (it was chosen by hand) is removed
    with the complete local version. Contradicting variants are all removed. Raises WheelError if
    there is no stamp, and VariantError for a platform tag with an unknown suffix.
    """
    declared = read_declared(inventory)
    for error in declared.unknown:
        raise VariantError(error.message, hint=error.hint)
    version = version_without_label(declared)
    if version == inventory.version and declared.variant is None:
        raise WheelError(
            f"{inventory.path.name} has no stamp: its version is {inventory.version}, "
            f"its platform {'.'.join(inventory.file_name.platforms)}"
        )
    own = {tag.platform for tag in declared.in_file}
    return plan_edit(
        inventory,
        Edit(
            version=version,
            file_platforms=tuple(platform for platform in declared.platforms if platform in own),
            wheel_platforms=declared.platforms,
            remove=frozenset({f"{inventory.dist_info}/{SBOM_MEMBER}"} & inventory.by_name.keys()),
        ),
    )


def version_without_label(declared: Declared) -> str:
    """Return the version of a wheel without the label of its variant."""
    public, _, local = declared.version.partition("+")
    if not local:
        return declared.version
    in_tags = {tag.variant.local_version for tag in declared.tags if tag.variant is not None}
    labels = in_tags or {label.local_version for label in declared.labels[:1]}
    for label in labels - {None}:
        if local == label:
            return public
        if label is not None and local.endswith(f".{label}"):
            return f"{public}+{local.removesuffix(f'.{label}')}"
    return normal_version(public) if in_tags else declared.version
