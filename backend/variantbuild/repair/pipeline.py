"""Repair one wheel: graft, find the policy, audit, name, publish."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from variantbuild.audit import AuditReport, Refused, decide, judge
from variantbuild.audit.copies import Copies, find_copies, judge_copies
from variantbuild.audit.judge.hints import fitting_level, is_about_cpu
from variantbuild.errors import RepairError
from variantbuild.host.local import LocalHost
from variantbuild.host.staging import is_same_file, publish_copy, staging_directory
from variantbuild.repair.fit import needs_grafting, resolve_policy
from variantbuild.repair.foreign import Foreign, architecture_of
from variantbuild.repair.graft import graft
from variantbuild.repair.musl import find_musl
from variantbuild.repair.retag import (
    has_plain,
    name_repaired,
    system_of,
    why_not_generic,
)
from variantbuild.stamp import Stamp, plan_stamp
from variantbuild.stamp.declared import (
    Declared,
    check_declared,
    read_declared,
    single_architecture,
)
from variantbuild.stamp.exemptions import exemptions, record_exempt, refreshed_record
from variantbuild.tags.manylinux import Policy, parse_policy
from variantbuild.tags.platform import machine_of
from variantbuild.values import dataclass
from variantbuild.variant import Variant
from variantbuild.wheel import (
    Edit,
    Inventory,
    NewMember,
    Wheel,
    apply_edit,
    open_wheel,
    plan_edit,
    verify_wheel,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How to repair: the `policy` to reach (None: the lowest that fits), whether to graft, and
    whether the generic tag may accompany the variant's.

    `machine` is the one that the name of the policy ends with, '' for none. `exclude` are names of
    libraries that are not grafted, and patterns of files in the wheel that
    are code for another machine.
    """

    policy: Policy | None = None
    machine: str = ""
    tag_only: bool = False
    generic: bool = True
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """A repaired wheel: its path, its `policy` (None if it has none), the label of its variant
    (empty for the baseline) and messages for the user.
    """

    path: Path
    policy: str | None
    variant: str
    notes: tuple[str, ...]


def repair_wheel(
    path: Path, destination: Path, options: Options, env: Mapping[str, str]
) -> Repaired:
    """Write the repaired wheel of `path` to `destination`; the wheel itself is not changed.

    Raises WheelError for a wheel that is unsound or contradicts itself, RepairError if a tool
    is missing or fails, AuditError if the files need more than the policy or the variant has.
    `destination` is then unchanged.
    """
    notes: tuple[str, ...] = ()
    with staging_directory(destination) as directory:
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel, exempt=exemptions(options.exclude))
            declared = read_declared(inventory)
            check_declared(declared)
            system = system_of(declared)
            foreign = Foreign.find(wheel, declared, options.exclude)
            linked = foreign.read_linked(wheel)
            if system == "any" or (system == "linux" and not linked):
                return _copied(wheel, inventory, foreign, destination)
            if system == "linux":
                single_architecture(declared)
                _check_machine(declared, options)
            if options.policy is None and any(file.is_musl for file in linked):
                options, notes = _name_musl(declared, options, env)
            grafts = not options.tag_only and (system != "linux" or needs_grafting(linked))
            source = path
            if grafts:
                plain = _plain_copy(path, inventory, declared, directory)
        if grafts:
            out = directory / "out"
            out.mkdir()
            wanted = None
            if options.policy is not None:
                wanted = options.policy.platform(machine_of(declared.platforms[0]))
            source = graft(plain, out, system, env, platform=wanted, exclude=options.exclude)
        repaired = _relabel(source, path, destination, declared, foreign, options, grafted=grafts)
        return replace(repaired, notes=(*notes, *repaired.notes))


def _copied(wheel: Wheel, inventory: Inventory, foreign: Foreign, destination: Path) -> Repaired:
    """Publish a wheel without machine code as it is; exempt files are recorded in it."""
    path = wheel.path
    _refuse_itself(path, destination / path.name)
    add: tuple[NewMember, ...] = ()
    if foreign.patterns:
        add = record_exempt(wheel, inventory, foreign.audit(wheel))
    if add:
        copy = apply_edit(wheel, plan_edit(inventory, Edit(add=add)), destination)
        note = "it contains no machine code for its platform: only its record is written"
    else:
        copy = publish_copy(path, destination)
        note = "it contains no machine code: copied unchanged"
    return Repaired(path=copy, policy=None, variant="", notes=(note,))


def _check_machine(declared: Declared, options: Options) -> None:
    """Refuse a policy that names another machine than the wheel's; raises RepairError."""
    tagged = machine_of(declared.platforms[0])
    if options.machine and options.policy is not None and options.machine != tagged:
        raise RepairError(
            f"--policy names the machine {options.machine}, and {declared.wheel} is for {tagged}",
            hint=f"use --policy {options.policy.name}, which is for every machine",
        )


def _name_musl(
    declared: Declared, options: Options, env: Mapping[str, str]
) -> tuple[Options, tuple[str, ...]]:
    """Fill in the musllinux policy if it is known, with a note on its origin."""
    found = find_musl(declared, LocalHost(env=env))
    if found is None:
        return options, ()
    return replace(options, policy=found.value), (f"{found.value.name} is from {found.source}",)


def _plain_copy(path: Path, inventory: Inventory, declared: Declared, directory: Path) -> Path:
    """Write a copy of the wheel with plain platforms in its tags, for the grafting tools."""
    platforms = declared.platforms
    if system_of(declared) == "linux":
        platforms = (f"linux_{machine_of(declared.platforms[0])}",)
    stamp = Stamp(local_version=None, file_platforms=platforms, wheel_platforms=platforms)
    plain = directory / "plain"
    plain.mkdir()
    with open_wheel(path) as wheel:
        return apply_edit(wheel, plan_stamp(inventory, stamp), plain)


def _check_gate(report: AuditReport, declared: Declared, copies: Copies) -> tuple[str, ...]:
    """Judge the machine code by the declared variant; AuditError if it needs more.

    The copies in a bundle are judged by their own levels.
    """
    variant = declared.variant or Variant(arch=architecture_of(declared))
    judgement = judge_copies(report, copies, variant, judge)
    outcome = decide(variant, judgement, "error", "repaired")
    if isinstance(outcome, Refused):
        fits = fitting_level(report, variant) if is_about_cpu(outcome.findings[0]) else None
        if fits and variant.is_baseline:
            hint = (
                f"stamp it first, and repair the stamped wheel: variantbuild stamp --target {fits}"
            )
            raise replace(outcome, hint=hint).error()
        if fits:
            hint = f"label it with what it needs: variantbuild unstamp, then stamp --target {fits}"
            raise replace(outcome, hint=hint).error()
        raise outcome.error()
    return outcome.warnings


def _relabel(
    source: Path,
    original: Path,
    destination: Path,
    declared: Declared,
    foreign: Foreign,
    options: Options,
    *,
    grafted: bool,
) -> Repaired:
    """Give the wheel at `source` its policy and variant, and publish it in `destination`."""
    with open_wheel(source) as wheel:
        inventory = verify_wheel(wheel, trust_record=True)
        report = foreign.audit(wheel)
        policy, platforms = None, declared.platforms
        if system_of(declared) == "linux":
            policy = resolve_policy(foreign.read_linked(wheel), options.policy)
            if grafted:
                policy = _stricter(policy, inventory)
            platforms = (policy.platform(machine_of(declared.platforms[0])),)
        elif grafted:
            platforms = inventory.wheel_platforms
        notes = list(_check_gate(report, declared, find_copies(wheel)))
        refusal = why_not_generic(inventory.version, report)
        had_generic = declared.variant is not None and has_plain(declared.in_file)
        if had_generic and options.generic and refusal:
            notes.append(
                f"the generic tag is left out, so installers need the exact one: {refusal}"
            )
        stamp = name_repaired(declared, platforms, generic=options.generic and refusal is None)
        plan = plan_stamp(inventory, stamp, add=refreshed_record(wheel, inventory, report))
        _refuse_itself(original, destination / str(plan.file_name))
        written = apply_edit(wheel, plan, destination)
    return Repaired(
        path=written,
        policy=None if policy is None else policy.name,
        variant=str(declared.variant or ""),
        notes=(*notes, *plan.notes),
    )


def _stricter(ours: Policy, inventory: Inventory) -> Policy:
    """Return the higher of our policy and the lowest that auditwheel wrote into the tags.

    auditwheel checks more than versions, such as private symbols of zlib.
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
    if is_same_file(output, original):
        raise RepairError(
            f"{str(original)!r} would be replaced with the repaired wheel of the same name",
            hint="name another directory with -w",
        )
