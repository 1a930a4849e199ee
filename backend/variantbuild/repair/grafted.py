"""Repair one wheel: graft, find the policy, audit, name, publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from variantbuild.audit import AuditReport, audit_wheel, judge, pass_gate
from variantbuild.audit.linked import read_linked
from variantbuild.errors import RepairError
from variantbuild.host.local import LocalHost
from variantbuild.host.staging import publish_copy, staging_directory
from variantbuild.repair.fit import needs_grafting, resolve_policy
from variantbuild.repair.graft import graft
from variantbuild.repair.labelled import Label, name_repaired, read_label, why_not_generic
from variantbuild.repair.musl import find_musl
from variantbuild.stamp import Stamp, plan_stamp
from variantbuild.stamp.sbom import MEMBER, refresh_provenance
from variantbuild.tags.manylinux import Policy, parse_policy
from variantbuild.wheel import Inventory, NewMember, apply_edit, open_wheel, verify_wheel

#: More than any SBOM has.
_MAX_SBOM = 64 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How to repair: `policy` to reach (None: the lowest that fits), whether to graft, and whether
    the generic tag may stand beside the variant's.
    """

    policy: Policy | None = None
    tag_only: bool = False
    generic: bool = True
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """A repaired wheel: where it lies, its `policy` (None where there is none), its variant's label
    (empty for the baseline) and sentences for people.
    """

    path: Path
    policy: str | None
    variant: str
    notes: tuple[str, ...]


def repair_wheel(
    path: Path, destination: Path, options: Options, env: Mapping[str, str]
) -> Repaired:
    """Write the repaired wheel of `path` to `destination`; the wheel itself is left as it is.

    Raises WheelError for a wheel that is unsound, RepairError where a tool is missing or fails,
    AuditError where the files need more than the policy or the variant has. `destination` then
    holds what it held before.
    """
    notes: tuple[str, ...] = ()
    with staging_directory(destination) as folder:
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel)
            label = read_label(inventory)
            linked = read_linked(wheel)
            if label.system == "any" or (label.system == "linux" and not linked):
                note = "it holds no machine code: copied as it is"
                _refuse_itself(path, destination / path.name)
                copy = publish_copy(path, destination)
                return Repaired(path=copy, policy=None, variant="", notes=(note,))
            if options.policy is None and any(file.is_musl for file in linked):
                options, notes = _name_musl(label, options, env)
            grafts = not options.tag_only and (label.system != "linux" or needs_grafting(linked))
            source = path
            if grafts:
                plain = _plain_copy(path, inventory, label, folder)
        if grafts:
            out = folder / "out"
            out.mkdir()
            wanted = None if options.policy is None else options.policy.platform(label.machine)
            source = graft(plain, out, label.system, env, platform=wanted, exclude=options.exclude)
        repaired = _relabel(source, path, destination, label, options, grafted=grafts)
        return replace(repaired, notes=(*notes, *repaired.notes))


def _name_musl(
    label: Label, options: Options, env: Mapping[str, str]
) -> tuple[Options, tuple[str, ...]]:
    """Name the musllinux policy where it is known without asking, and say where it is from."""
    found = find_musl(label, LocalHost(env=env))
    if found is None:
        return options, ()
    policy, origin = found
    return replace(options, policy=policy), (f"{policy.name} is from {origin}",)


def _plain_copy(path: Path, inventory: Inventory, label: Label, folder: Path) -> Path:
    """Write a copy of the wheel with the platform alone in its tags, as grafting tools know it."""
    platform = f"linux_{label.machine}" if label.system == "linux" else label.platforms[0]
    platforms = (platform,)
    stamp = Stamp(local_version=None, file_platforms=platforms, wheel_platforms=platforms)
    plain = folder / "plain"
    plain.mkdir()
    with open_wheel(path) as wheel:
        return apply_edit(wheel, plan_stamp(inventory, stamp), plain)


def _check_gate(path: Path, report: AuditReport, label: Label) -> tuple[str, ...]:
    """Hold the machine code against the variant that the wheel declares; AuditError where less."""
    return pass_gate(judge(report, label.variant), "error").messages


def _relabel(
    source: Path,
    original: Path,
    destination: Path,
    label: Label,
    options: Options,
    *,
    grafted: bool,
) -> Repaired:
    """Give the wheel at `source` its policy and variant, and publish it in `destination`."""
    report = audit_wheel(source)
    with open_wheel(source) as wheel:
        inventory = verify_wheel(wheel, trust_record=True)
        policy, platforms = None, label.platforms
        if label.system == "linux":
            policy = resolve_policy(read_linked(wheel), options.policy)
            if grafted:
                policy = _stricter(policy, inventory)
            platforms = (policy.platform(label.machine),)
        elif grafted:
            platforms = inventory.wheel_platforms
        notes = list(_check_gate(source, report, label))
        refusal = why_not_generic(inventory.version, report)
        if not label.variant.is_baseline and options.generic and refusal and label.in_file:
            notes.append(
                f"the generic tag is left out, so installers need the exact one: {refusal}"
            )
        stamp = name_repaired(label, platforms, generic=options.generic and refusal is None)
        sbom = f"{inventory.dist_info}/{MEMBER}"
        fresh: tuple[NewMember, ...] = ()
        if sbom in wheel:
            data = wheel.read(wheel.member(sbom), limit=_MAX_SBOM)
            fresh = (NewMember(path=MEMBER, data=refresh_provenance(data, report)),)
        plan = plan_stamp(inventory, stamp, add=fresh)
        _refuse_itself(original, destination / str(plan.file_name))
        written = apply_edit(wheel, plan, destination)
    return Repaired(
        path=written,
        policy=None if policy is None else policy.name,
        variant=str(label.variant),
        notes=(*notes, *plan.notes),
    )


def _stricter(ours: Policy, inventory: Inventory) -> Policy:
    """Return the higher of our policy and the lowest that auditwheel wrote into the tags.

    auditwheel looks at more than versions: symbols of zlib's inside, for one.
    """
    found = []
    for tag in inventory.file_name.platforms:
        if tag.startswith(("manylinux_", "musllinux_")):
            found.append(parse_policy(tag))
    if not found or ours.is_musl:
        return ours
    theirs = min(found, key=lambda policy: policy.ceilings["GLIBC"])
    return max(ours, theirs, key=lambda policy: policy.ceilings["GLIBC"])


def _refuse_itself(original: Path, output: Path) -> None:
    try:
        same = output.samefile(original)
    except OSError:
        same = False
    if same:
        raise RepairError(
            f"{str(original)!r} would be replaced by the repaired wheel of the same name",
            hint="give another folder with -w",
        )
