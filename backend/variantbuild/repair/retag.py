"""Which tags a repaired wheel gets. Pure.

A wheel of a variant never gets the generic tag alone, which would promise that every CPU runs it.
The generic tag may accompany the specific one if the version tells the variants apart and a CPU
below that level refuses to load each file that needs more.
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
    """Return why a wheel of a variant may not have the generic tag; None if it may.

    `version` is the wheel's, `report` what its files need.
    """
    if "+" not in version:
        return f"its version {version} has no local part to distinguish the variants"
    for file in report.files:
        arch = file.machine
        if file.role != "host":
            continue
        if file.kind == "object" or not is_level(arch, baseline(arch)) or file.format != "elf":
            continue
        if file.level is None:
            return f"{file.path} has no record of what it needs (variantbuild[audit] decodes it)"
        if includes(arch, baseline(arch), file.level):
            continue
        if file.isa_note is None or not includes(arch, file.isa_note, file.level):
            return f"{file.path} needs {file.level} and has no ISA note that says so"
    return None


def name_repaired(declared: Declared, platforms: Sequence[str], *, generic: bool) -> Stamp:
    """Return the tags of a repaired wheel: its variant after each of the new `platforms`.

    `generic` allows the plain platforms next to them if the wheel had them before.
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
    """Return whether a plain platform is among `tags`."""
    return any(tag.is_plain for tag in tags)
