"""`variantbuild verify`: run the integrity checks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from variantbuild.cli.options import add_exclude_option, unused_member_excludes, wheel_path
from variantbuild.cli.terminal import (
    paint,
    print_json,
    report_error,
    report_message,
    shown_name,
    table,
)
from variantbuild.errors import WheelError
from variantbuild.stamp.exemptions import exemptions
from variantbuild.types import JSONValue
from variantbuild.wheel import Inventory, UnsoundWheelError, open_wheel, verify_wheel

#: Exit codes: the check found something, or a wheel could not be read.
_UNSOUND, _UNREADABLE = 1, 2


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `verify`."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel file")
    add_exclude_option(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Verify each wheel; 0 if all are sound, 1 if one is not, 2 if one cannot be read."""
    code = 0
    rows: list[dict[str, JSONValue]] = []
    for text in args.wheels:
        try:
            with open_wheel(wheel_path(text)) as wheel:
                inventory = verify_wheel(wheel, exempt=exemptions(args.exclude))
                unused = unused_member_excludes(wheel, inventory, args.exclude)
                rows.append(_sound(Path(text), inventory))
        except WheelError as error:
            report_error(error)
            unsound = isinstance(error, UnsoundWheelError)
            code = max(code, _UNSOUND if unsound else _UNREADABLE)
            rows.append(_problem(text, error))
            continue
        for warning in unused:
            report_message(f"{shown_name(Path(text).name)}: {warning}", "warning")
    if args.json:
        print_json({"version": 1, "wheels": rows})
    else:
        cells = [_cells(row) for row in rows]
        print(table(cells, names={1}))
    return code


def _sound(path: Path, inventory: Inventory) -> dict[str, JSONValue]:
    return {
        "path": str(path),
        "sound": True,
        "name": inventory.name,
        "project_version": inventory.version,
        "tags": sorted(inventory.tags),
        "members": len(inventory.members),
        "size": sum(member.size for member in inventory.members),
        "signatures": inventory.signatures,
        "problem": None,
    }


def _problem(text: str, error: WheelError) -> dict[str, JSONValue]:
    member = error.member if isinstance(error, UnsoundWheelError) else None
    reason = error.reason if isinstance(error, UnsoundWheelError) else error.message
    return {
        "path": text,
        "sound": False,
        "problem": {"member": member, "reason": reason},
    }


def _cells(row: Mapping[str, JSONValue]) -> tuple[str, str, str]:
    if row["sound"]:
        return paint("sound", "green"), str(row["path"]), f"{row['members']} members"
    return paint("refused", "red"), str(row["path"]), "see above"
