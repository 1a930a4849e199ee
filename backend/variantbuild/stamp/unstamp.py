"""The way back: public version and plain platform tags, without what a stamp added."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from variantbuild.errors import VariantError, WheelError
from variantbuild.wheel.filename import normal_version
from variantbuild.wheel.rewrite.edit import Edit, Plan, plan_edit
from variantbuild.wheel.verify import Inventory

if TYPE_CHECKING:
    from variantbuild.variant import Variant

#: What a stamp adds to dist-info.
_OURS = ("sboms/variantbuild.cdx.json",)


def plan_unstamp(inventory: Inventory) -> Plan:
    """Plan the wheel as it was before its stamp.

    Variants leave the platform tags, their label the end of the local version; a local part that
    stood in front of it stays. Where the label is not the variant's (it was chosen by hand) the
    whole local version goes. Raises WheelError where there is no stamp, and VariantError for a
    platform tag that names an unknown variant.
    """
    # Knowing all variants takes longer to load than the rest of this package.
    from variantbuild.tags.platform import split_platform

    name, lines = inventory.file_name, inventory.wheel_platforms
    parted = [split_platform(platform) for platform in (*name.platforms, *lines)]
    stamped = [variant for _, variant in parted if not variant.is_baseline]
    version = _without_label(inventory.version, stamped, [variant for _, variant in parted])
    if version == inventory.version and not stamped:
        raise WheelError(
            f"{inventory.path.name} carries no stamp: its version is {inventory.version}, "
            f"its platform {'.'.join(name.platforms)}"
        )
    added = {f"{inventory.dist_info}/{path}" for path in _OURS}
    plain = _in_order(platform for platform, _ in parted[len(name.platforms) :])
    own = {platform for platform, _ in parted[: len(name.platforms)]}
    return plan_edit(
        inventory,
        Edit(
            version=version,
            file_platforms=tuple(platform for platform in plain if platform in own),
            wheel_platforms=plain,
            remove=frozenset(added & inventory.by_name.keys()),
        ),
    )


def _in_order(platforms: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(platforms))


def _without_label(version: str, stamped: list[Variant], all_variants: list[Variant]) -> str:
    public, _, local = version.partition("+")
    if not local:
        return version
    labels = {variant.local_version for variant in stamped}
    if not stamped:
        labels = {label_at_end(local, variant.arch) for variant in all_variants}
    for label in labels - {None}:
        if local == label:
            return public
        if label is not None and local.endswith(f".{label}"):
            return f"{public}+{local.removesuffix(f'.{label}')}"
    return normal_version(public) if stamped else version


def label_at_end(local: str, arch: str) -> str | None:
    """Return the longest end of `local` that names a variant of `arch`."""
    from variantbuild.variant import Variant

    words = local.split(".")
    for start in range(len(words)):
        label = ".".join(words[start:])
        try:
            if not Variant.parse(label, arch).is_baseline:
                return label
        except VariantError:
            continue
    return None
