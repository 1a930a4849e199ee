"""Which tags a repaired wheel gets. Pure.

A wheel of a variant never leaves with a generic tag alone, which would promise that any machine
may run it. The generic tag may stand beside the specific one where the version tells the variants
apart and a lesser machine refuses to load every file that needs more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from variantbuild.audit import AuditReport
from variantbuild.errors import RepairError
from variantbuild.isa.levels import baseline, includes, is_level
from variantbuild.stamp import Stamp
from variantbuild.stamp.unstamp import label_at_end
from variantbuild.tags.platform import join_platform, machine_of, split_platform
from variantbuild.variant import Variant
from variantbuild.wheel import Inventory


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What a wheel says of itself: its plain platforms, its variant, and where each stands.

    `in_file` and `in_wheel` tell whether the plain platform stands in the file's name and in
    WHEEL beside the specific one.
    """

    platforms: tuple[str, ...]
    variant: Variant
    in_file: bool
    in_wheel: bool

    @property
    def system(self) -> str:
        """The system of the platforms: `linux`, `macosx`, `win`, or `any`."""
        first = self.platforms[0]
        for prefix, system in (("manylinux", "linux"), ("musllinux", "linux")):
            if first.startswith(prefix):
                return system
        return first.partition("_")[0].rstrip("0123456789")

    @property
    def machine(self) -> str:
        """The machine of the platforms as tags write it, such as `x86_64`."""
        return machine_of(self.platforms[0])


def read_label(inventory: Inventory) -> Label:
    """Read platforms and variant from the tags of a wheel, the variant else from its version.

    Raises RepairError where it names several variants, and VariantError for a tag that cannot be
    read.
    """
    in_file = [split_platform(tag) for tag in inventory.file_name.platforms]
    in_wheel = [split_platform(tag) for tag in inventory.wheel_platforms]
    stamped = {variant for _, variant in (*in_file, *in_wheel) if not variant.is_baseline}
    if len(stamped) > 1:
        named = " and ".join(sorted(map(str, stamped)))
        raise RepairError(f"{inventory.path.name} names two variants, {named}")
    platforms = tuple(dict.fromkeys(platform for platform, _ in in_wheel))
    plain = Variant(arch=in_wheel[0][1].arch)
    variant = stamped.pop() if stamped else _variant_of_version(inventory.version, plain)
    return Label(
        platforms=platforms,
        variant=variant,
        in_file=any(found.is_baseline for _, found in in_file),
        in_wheel=any(found.is_baseline for _, found in in_wheel),
    )


def _variant_of_version(version: str, plain: Variant) -> Variant:
    label = label_at_end(version.partition("+")[2], plain.arch)
    return plain if label is None else Variant.parse(label, plain.arch)


def why_not_generic(version: str, report: AuditReport) -> str | None:
    """Say why a wheel of a variant may not carry the generic tag; None where it may.

    `version` is the wheel's, `report` what its files need.
    """
    if "+" not in version:
        return f"its version {version} has no local part that would tell the variants apart"
    for file in report.files:
        arch = file.machine
        if file.kind == "object" or not is_level(arch, baseline(arch)) or file.format != "elf":
            continue
        if file.level is None:
            return f"{file.path} does not tell what it needs (the extra `audit` decodes it)"
        if includes(arch, baseline(arch), file.level):
            continue
        if file.isa_note is None or not includes(arch, file.isa_note, file.level):
            return f"{file.path} needs {file.level} and has no ISA note that says so"
    return None


def name_repaired(label: Label, platforms: Sequence[str], *, generic: bool) -> Stamp:
    """Return the tags of a repaired wheel: its variant behind each of the new `platforms`.

    `generic` allows the plain platforms beside them where the wheel had them before.
    """
    plain = tuple(platforms)
    if label.variant.is_baseline:
        return Stamp(local_version=None, file_platforms=plain, wheel_platforms=plain)
    specific = tuple(join_platform(platform, label.variant) for platform in plain)
    both = (*plain, *specific)
    return Stamp(
        local_version=None,
        file_platforms=both if generic and label.in_file else specific,
        wheel_platforms=both if generic and label.in_wheel else specific,
    )
