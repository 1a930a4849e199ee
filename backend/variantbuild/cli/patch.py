"""`variantbuild patch`: edit metadata and update RECORD."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from variantbuild.cli.relabel import add_output_options, relabel
from variantbuild.wheel import Inventory, Plan, Wheel, plan_patch


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `patch`."""
    parser.add_argument("--local", metavar="LABEL", help="append LABEL to the local version")
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
    add_output_options(parser, trust=True, in_place=True)


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Patch each wheel and print the path of the new one."""

    def plan(wheel: Wheel, inventory: Inventory) -> tuple[Plan, tuple[str, ...]]:
        patch = plan_patch(
            inventory,
            local=args.local,
            remove_requires=args.remove_requires,
            add_requires=args.add_requires,
        )
        return patch, ()

    return relabel(args, plan)
