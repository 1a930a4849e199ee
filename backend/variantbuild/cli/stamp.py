"""`variantbuild stamp`: relabel a built wheel, after an audit of its machine code."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from variantbuild.audit import AuditReport, audit_open_wheel, judge, pass_gate
from variantbuild.cli.options import check_label
from variantbuild.cli.relabel import add_output_options, relabel
from variantbuild.errors import AuditError, VariantError, WheelError
from variantbuild.stamp import Stamp, name_stamp, plan_stamp
from variantbuild.stamp.sbom import MEMBER, render_relabelled
from variantbuild.tags.forms import FORMS, TagForm
from variantbuild.tags.platform import split_platform
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
        "--local", metavar="LABEL", help="the label for the local version (the target's; '': none)"
    )
    add_output_options(parser, trust=True, in_place=True)


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Audit and stamp each wheel and print where the new one lies."""
    check_label("--target", args.target)

    def plan(wheel: Wheel, inventory: Inventory) -> tuple[Plan, tuple[str, ...]]:
        variant = _variant(inventory, args.target)
        report = _report(wheel)
        passage = pass_gate(judge(report, variant), "error")
        stamp = _stamp(inventory, passage.variant, args)
        record = NewMember(
            path=MEMBER,
            data=render_relabelled(
                name=inventory.name,
                version=plan_stamp(inventory, stamp).version,
                variant=passage.variant,
                report=report,
            ),
        )
        return plan_stamp(inventory, stamp, add=(record,)), passage.messages

    return relabel(args, plan)


def _variant(inventory: Inventory, target: str) -> Variant:
    """Read `target` for the architecture of the wheel, which must not be stamped yet."""
    name = inventory.path.name
    parted = [split_platform(tag) for tag in inventory.wheel_platforms]
    for (_, found), tag in zip(parted, inventory.wheel_platforms, strict=True):
        if not found.is_baseline:
            raise WheelError(
                f"{name} is stamped already: {tag}",
                hint="take that off with `variantbuild unstamp`",
            )
    families = sorted({found.arch for _, found in parted})
    if len(families) != 1 or not families[0]:
        raise WheelError(
            f"{name} is for {' and '.join(inventory.wheel_platforms)}: no one processor family "
            f"that a stamp could speak of"
        )
    variant = Variant.parse(target, families[0])
    if variant.is_baseline:
        raise VariantError(f"{target!r} is what every {families[0]} runs: it gets no stamp")
    return variant


def _report(wheel: Wheel) -> AuditReport:
    """Return what the machine code of the wheel holds; AuditError where there is none.

    There is no way around: a stamp on code that nobody looked at would launder it.
    """
    report = audit_open_wheel(wheel)
    if not report.has_machine_code:
        raise AuditError(f"{wheel.path.name} holds no machine code: there is nothing to stamp")
    return report


def _stamp(inventory: Inventory, variant: Variant, args: argparse.Namespace) -> Stamp:
    label = variant.local_version if args.local is None else args.local or None
    if label is not None:
        _check_contradiction(inventory, variant, label)
    form: TagForm = "set"
    if args.platform_tag != "auto":
        form = args.platform_tag
    return name_stamp(inventory, form, label, variant.platform_suffix)


def _check_contradiction(inventory: Inventory, variant: Variant, label: str) -> None:
    """Refuse to join a label to a local version that names another variant on the same axis."""
    present = inventory.version.partition("+")[2]
    if not present or present == label or present.endswith(f".{label}"):
        return
    try:
        Variant.parse(present, variant.arch)
        Variant.parse(label, variant.arch)
    except VariantError:
        # One of them is a label of someone's own: they are joined as they are.
        return
    try:
        Variant.parse(f"{present}.{label}", variant.arch)
    except VariantError as error:
        raise WheelError(
            f"{inventory.path.name} has the local version {present!r}, which {label!r} would "
            f"contradict: {error.message}",
            hint="take it off with `variantbuild unstamp`, or choose a label with --local",
        ) from error
