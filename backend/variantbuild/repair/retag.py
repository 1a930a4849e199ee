"""Which tags a repaired wheel gets. Pure.

A wheel of a variant never leaves with a generic tag alone, which would promise that any machine
may run it. The generic tag may stand beside the specific one where the version tells the variants
apart and a lesser machine refuses to load every file that needs more.
"""

from __future__ import annotations

from collections.abc import Sequence

from variantbuild.audit import AuditReport
from variantbuild.isa.levels import baseline, includes, is_level
from variantbuild.stamp import Stamp
from variantbuild.stamp.declared import Declared, ReadTag
from variantbuild.tags.platform import join_platform


def system_of(declared: Declared) -> str:
    """Return the system of a wheel's platforms: `linux`, `macosx`, `win`, or `any`."""
    first = declared.platforms[0]
    for prefix in ("manylinux", "musllinux"):
        if first.startswith(prefix):
            return "linux"
    return first.partition("_")[0].rstrip("0123456789")


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


def name_repaired(declared: Declared, platforms: Sequence[str], *, generic: bool) -> Stamp:
    """Return the tags of a repaired wheel: its variant behind each of the new `platforms`.

    `generic` allows the plain platforms beside them where the wheel had them before.
    """
    plain = tuple(platforms)
    variant = declared.variant
    if variant is None:
        return Stamp(local_version=None, file_platforms=plain, wheel_platforms=plain)
    specific = tuple(join_platform(platform, variant) for platform in plain)
    both = (*plain, *specific)
    in_file = generic and has_plain(declared.in_file)
    in_wheel = generic and has_plain(declared.in_wheel or ())
    return Stamp(
        local_version=None,
        file_platforms=both if in_file else specific,
        wheel_platforms=both if in_wheel else specific,
    )


def has_plain(tags: Sequence[ReadTag]) -> bool:
    """Tell whether a plain platform is among `tags`."""
    return any(tag.is_plain for tag in tags)
