"""`variantbuild patch`: edit metadata and update RECORD."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from variantbuild.cli.options import add_exclude_option, unused_member_excludes
from variantbuild.cli.relabel import add_output_options, relabel
from variantbuild.wheel import (
    Inventory,
    NewMember,
    Plan,
    Wheel,
    WheelFileName,
    normal_version,
    plan_patch,
)


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `patch`."""
    parser.add_argument(
        "--local",
        metavar="LABEL",
        help="append LABEL to the local version (default: the one that only the file name has)",
    )
    parser.add_argument(
        "--remove-requires",
        action="append",
        default=[],
        metavar="NAME",
        help="remove every requirement with that name; may be repeated",
    )
    parser.add_argument(
        "--add-requires",
        action="append",
        default=[],
        metavar="REQ",
        help="add a requirement, such as 'pytorch-triton>=3; sys_platform == \"linux\"'",
    )
    add_exclude_option(parser)
    add_output_options(parser, trust=True, in_place=True)


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Patch each wheel and print the path of the new one."""

    def plan(wheel: Wheel, inventory: Inventory) -> tuple[Plan, tuple[str, ...]]:
        patch = plan_patch(
            inventory,
            local=_local_in_name(inventory) if args.local is None else args.local,
            remove_requires=args.remove_requires,
            add_requires=args.add_requires,
            add=_record(wheel, inventory, args.exclude),
        )
        return patch, unused_member_excludes(wheel, inventory, args.exclude)

    return relabel(args, plan, local_in_name=True)


def _record(wheel: Wheel, inventory: Inventory, patterns: Sequence[str]) -> tuple[NewMember, ...]:
    """Return the record of the files that `patterns` exempt; nothing without one."""
    if not patterns:
        return ()
    from variantbuild.audit import audit_open_wheel
    from variantbuild.audit.exempt import exempt_files
    from variantbuild.stamp.declared import read_declared
    from variantbuild.stamp.exemptions import exemptions, record_exempt

    arch = next(iter(read_declared(inventory).architectures), "")
    report = exempt_files(audit_open_wheel(wheel), exemptions(patterns)(wheel), arch)
    return record_exempt(wheel, inventory, report)


def _local_in_name(inventory: Inventory) -> str | None:
    """Return the local version that only the file name has; None without one."""
    _, _, local = WheelFileName.parse(inventory.path.name).version.partition("+")
    if not local or "+" in inventory.file_name.version:
        return None
    return normal_version(f"0+{local}").partition("+")[2]
