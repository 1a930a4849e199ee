"""`variantbuild unstamp`: restore the public version and the plain tags."""

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
    """Remove the stamp of each wheel and print the path of the plain one."""
    return relabel(args, _plan)


def _plan(wheel: Wheel, inventory: Inventory) -> tuple[Plan, tuple[str, ...]]:
    """Plan the plain wheel, with a warning for each contradiction that this removes."""
    contradictions = read_declared(inventory).contradictions
    return plan_unstamp(inventory), tuple(map(str, contradictions))
