"""`variantbuild unstamp`: back to the public version and the plain tag."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from variantbuild.cli.relabel import add_output_options, relabel
from variantbuild.stamp.declared import read_declared
from variantbuild.stamp.unstamp import plan_unstamp
from variantbuild.wheel import Inventory, Plan, Wheel


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `unstamp`."""
    add_output_options(parser, trust=False, in_place=False)


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Take the stamp off each wheel and print where the plain one lies."""
    return relabel(args, _plan)


def _plan(wheel: Wheel, inventory: Inventory) -> tuple[Plan, tuple[str, ...]]:
    """Plan the plain wheel; what it declared is told where that contradicts itself."""
    contradictions = read_declared(inventory).contradictions
    return plan_unstamp(inventory), tuple(map(str, contradictions))
