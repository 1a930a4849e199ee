"""`variantbuild stamp`: relabel a built wheel, after an audit of its machine code."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

from variantbuild.audit import (
    AuditReport,
    Refused,
    Stamped,
    audit_open_wheel,
    decide,
    judge,
)
from variantbuild.audit.exempt import exempt_files
from variantbuild.audit.judge.hints import fitting_level, is_about_cpu
from variantbuild.cli.options import add_exclude_option, check_label, unused_excludes
from variantbuild.cli.relabel import add_output_options, relabel
from variantbuild.errors import AuditError, VariantError, WheelError
from variantbuild.host.sourcedate import read_source_date
from variantbuild.stamp import SBOM_MEMBER, Stamp, name_stamp, plan_stamp
from variantbuild.stamp.declared import (
    check_declared,
    check_stamp,
    read_declared,
    single_architecture,
)
from variantbuild.stamp.exemptions import exemptions
from variantbuild.stamp.sbom import render_relabelled
from variantbuild.tags.forms import FORMS, TagForm
from variantbuild.variant import Variant
from variantbuild.wheel import Inventory, NewMember, Plan, Wheel


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `stamp`."""
    parser.add_argument("--target", required=True, metavar="T", help="a variant, such as cu12.v3")
    parser.add_argument(
        "--platform-tag",
        choices=("auto", *FORMS),
        default="auto",
        metavar="FORM",
        help="auto (set), set, specific, hybrid or plain",
    )
    parser.add_argument(
        "--local",
        metavar="LABEL",
        help="label of the local version (default: the target; '': none)",
    )
    add_exclude_option(parser)
    add_output_options(parser, trust=True, in_place=True)


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Audit and stamp each wheel and print the path of the new one."""
    check_label("--target", args.target)
    epoch = read_source_date(env)

    def plan(wheel: Wheel, inventory: Inventory) -> tuple[Plan, tuple[str, ...]]:
        variant = _variant(inventory, args.target)
        patterns = tuple(exemptions(args.exclude)(wheel))
        report = exempt_files(audit_open_wheel(wheel), patterns, variant.arch)
        earned = _earned(inventory.path.name, report, variant)
        stamp = _stamp(inventory, earned.variant, args)
        record = NewMember(
            path=SBOM_MEMBER,
            data=render_relabelled(
                name=inventory.name,
                version=plan_stamp(inventory, stamp).version,
                variant=earned.variant,
                report=report,
            ),
        )
        warnings = (*unused_excludes(report, args.exclude), *earned.warnings)
        return plan_stamp(inventory, stamp, add=(record,), epoch=epoch), warnings

    return relabel(args, plan)


def _variant(inventory: Inventory, target: str) -> Variant:
    """Read `target` for the architecture of the wheel, which must not be stamped yet."""
    declared = read_declared(inventory)
    check_declared(declared)
    stamped = next((tag.text for tag in declared.tags if tag.variant is not None), None)
    if stamped is not None:
        raise WheelError(
            f"{declared.wheel} is stamped already: {stamped}",
            hint="remove the stamp with `variantbuild unstamp`",
        )
    arch = single_architecture(declared)
    variant = Variant.parse(target, arch)
    if variant.is_baseline:
        raise VariantError(f"{target!r} is the baseline of {arch}, which gets no stamp")
    return variant


def _earned(name: str, report: AuditReport, variant: Variant) -> Stamped:
    """Return what the machine code of the wheel has earned; AuditError if that is not a stamp.

    There is no option to skip the audit: the stamp would be an unchecked claim.
    """
    outcome = decide(variant, judge(report, variant), "error", "stamped")
    if isinstance(outcome, Stamped):
        return outcome
    if isinstance(outcome, Refused):
        if is_about_cpu(outcome.findings[0]) and (fits := fitting_level(report, variant)):
            hint = f"its files fit --target {fits}"
            raise replace(outcome, hint=hint).error()
        raise outcome.error()
    raise AuditError(f"{name}: {outcome.reason}")


def _stamp(inventory: Inventory, variant: Variant, args: argparse.Namespace) -> Stamp:
    """Return the stamp of `variant`; refuse one with which the wheel would contradict itself."""
    label = variant.local_version if args.local is None else args.local or None
    form: TagForm = "set"
    if args.platform_tag != "auto":
        form = args.platform_tag
    stamp = name_stamp(inventory, form, label, variant.platform_suffix)
    try:
        check_stamp(inventory, stamp, variant)
    except WheelError as error:
        raise WheelError(
            error.message,
            hint="remove its label with `variantbuild unstamp`, or choose another with --local",
        ) from None
    return stamp
