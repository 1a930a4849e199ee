"""From several wheels to one: compare, choose, assemble, write, audit, publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from variantbuild.audit import (
    AuditReport,
    Refused,
    audit_open_wheel,
    decide,
    judge,
)
from variantbuild.audit.copies import Copies, find_copies, judge_copies
from variantbuild.audit.exempt import exempt_files
from variantbuild.binary.choosers import Method
from variantbuild.bundle.assemble import assemble
from variantbuild.bundle.checkrun import Checked, check_levels
from variantbuild.bundle.choices import Choice, choose_copies
from variantbuild.bundle.compared import compare_contents, read_contents
from variantbuild.bundle.inputs import Input, Inputs, open_inputs
from variantbuild.bundle.levelrecord import render_levels
from variantbuild.bundle.methods import Chosen, resolve_method
from variantbuild.bundle.stubs import StubCompiler
from variantbuild.errors import BundleError
from variantbuild.host.staging import is_same_file, staging_directory
from variantbuild.stamp import SBOM_MEMBER
from variantbuild.variant import Variant
from variantbuild.wheel import (
    Edit,
    NewMember,
    apply_edit,
    open_wheel,
    plan_edit,
    verify_wheel,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How to bundle.

    `method` is `auto`, `loader` or `stub`. `take_baseline` are patterns of members that may differ,
    `exclude` those of files for other machines; `max_growth` is the largest ratio of the bundle's
    size to the baseline's. `records` are CycloneDX documents of levels whose wheels have none.
    `check` is a command that must load the copy of each level.
    """

    method: str = "auto"
    take_baseline: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    max_growth: float | None = None
    epoch: int | None = None
    records: Mapping[str, bytes] = field(default_factory=dict)
    check: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundled:
    """A bundle: its path, what was chosen and why, the copies of each module, and the sizes."""

    path: Path
    chosen: Chosen
    labels: tuple[str, ...]
    choices: tuple[Choice, ...]
    size: int
    baseline_size: int
    notes: tuple[str, ...]
    checked: tuple[Checked, ...] = ()

    @property
    def method(self) -> Method | None:
        """Who chooses; None if every module is the same at every level."""
        return None if all(each.is_single for each in self.choices) else self.chosen.method


def bundle_wheels(
    paths: Sequence[Path], destination: Path, options: Options, env: Mapping[str, str]
) -> Bundled:
    """Write the bundle of the wheels at `paths` to `destination`; the wheels stay as they are.

    Raises WheelError, BundleError and AuditError for wheels that are unsound, do not belong
    together, or hold code beyond their level. `destination` is then unchanged.
    """
    with open_inputs(paths) as inputs, staging_directory(destination) as staging:
        contents = read_contents(inputs)
        compared = compare_contents(contents, options.take_baseline)
        demands = tuple(each.demand for each in inputs.all)
        choices = choose_copies(contents, compared, demands)
        platforms = inputs.baseline.declared.platforms
        chosen = resolve_method(options.method, platforms, contents, compared, choices, demands)
        warnings = [text for each in inputs.all for text in _approve(each, options)]
        assembled = assemble(inputs, contents, compared, choices, chosen, StubCompiler(env))
        edit = Edit(
            version=inputs.version,
            file_platforms=tuple(sorted(platforms)),
            wheel_platforms=platforms,
            members=assembled.files,
            epoch=options.epoch,
        )
        base = inputs.baseline
        draft = apply_edit(base.wheel, plan_edit(base.inventory, edit), staging)
        for each in inputs.all:
            _refuse_itself(each, destination / draft.name)
        checked: tuple[Checked, ...] = ()
        if options.check is not None:
            checked = check_levels(draft, options.check, env)
        written = _publish(draft, destination, inputs, chosen, options)
        size, baseline_size = written.stat().st_size, base.wheel.path.stat().st_size
    notes = (*compared.notes, *_useless(inputs, choices), *dict.fromkeys(warnings))
    return Bundled(
        path=written,
        chosen=chosen,
        labels=tuple(each.label for each in inputs.all),
        choices=choices,
        size=size,
        baseline_size=baseline_size,
        notes=notes,
        checked=checked,
    )


def _approve(each: Input, options: Options) -> tuple[str, ...]:
    """Audit one wheel by its own level and return warnings; raises AuditError if it needs more."""
    arch = each.declared.architectures[0]
    variant = Variant(arch=arch, cpu=each.label)
    report = exempt_files(audit_open_wheel(each.wheel), options.exclude, arch)
    outcome = decide(variant, judge(report, variant), "error", "stamped")
    if isinstance(outcome, Refused):
        error = replace(outcome, hint=outcome.hint).error()
        raise type(error)(f"{each.file}: {error.message}", hint=error.hint)
    return tuple(f"{each.file}: {text}" for text in outcome.warnings)


def _publish(
    draft: Path, destination: Path, inputs: Inputs, chosen: Chosen, options: Options
) -> Path:
    """Judge the finished files, add the record, and move the wheel to `destination`."""
    with open_wheel(draft) as wheel:
        inventory = verify_wheel(wheel)
        copies = find_copies(wheel)
        report = exempt_files(audit_open_wheel(wheel), options.exclude, inputs.arch)
        check_bundle(report, copies, inputs.arch)
        _check_growth(inputs, draft, options)
        record = NewMember(
            path=SBOM_MEMBER, data=render_levels(inputs, chosen, report, options.records)
        )
        plan = plan_edit(inventory, Edit(add=(record,), epoch=options.epoch))
        return apply_edit(wheel, plan, destination, consume=True)


def check_bundle(report: AuditReport, copies: Copies, arch: str) -> tuple[str, ...]:
    """Judge a bundle: the baseline and the choosers at the baseline, each copy at its level.

    Returns warnings; raises AuditError for code beyond that.
    """
    variant = Variant(arch=arch)
    judgement = judge_copies(report, copies, variant, judge)
    outcome = decide(variant, judgement, "error", "stamped")
    if isinstance(outcome, Refused):
        raise outcome.error()
    return outcome.warnings


def _check_growth(inputs: Inputs, bundle: Path, options: Options) -> None:
    size, baseline = bundle.stat().st_size, inputs.baseline.wheel.path.stat().st_size
    if options.max_growth is not None and size > options.max_growth * baseline:
        raise BundleError(
            f"the bundle has {size} bytes, {size / baseline:.2f} times the baseline's {baseline}: "
            f"--max-growth is {options.max_growth:g}",
            hint="leave out a level, or allow more",
        )


def _useless(inputs: Inputs, choices: Sequence[Choice]) -> list[str]:
    """Say which levels add no copy."""
    used = {row.label for choice in choices for row in choice.rows}
    return [
        f"{each.label} adds nothing: every module of the bundle is the same as for a lower level"
        for each in inputs.others
        if each.label not in used
    ]


def _refuse_itself(each: Input, output: Path) -> None:
    if is_same_file(output, each.wheel.path):
        raise BundleError(
            f"{str(each.wheel.path)!r} would be replaced with the bundle of the same name",
            hint="name another directory with -o",
        )
