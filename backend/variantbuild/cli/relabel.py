"""Shared by the commands that write wheels: options, the loop over wheels, the report."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from variantbuild.cli.options import wheel_path
from variantbuild.cli.terminal import (
    print_json,
    report_error,
    report_message,
    shown_name,
    shown_path,
)
from variantbuild.errors import VariantBuildError, WheelError
from variantbuild.host.durable import sync_directory, write_error
from variantbuild.host.staging import is_same_file, output_directory
from variantbuild.stamp.exemptions import exemptions
from variantbuild.wheel import Inventory, Plan, Wheel, apply_edit, open_wheel, verify_wheel

if TYPE_CHECKING:
    from variantbuild.types import JSONValue

#: Plans the edit of one verified wheel; the strings are warnings for the user.
Planner = Callable[[Wheel, Inventory], tuple[Plan, tuple[str, ...]]]


class Outcome(NamedTuple):
    """The result for one wheel: the one that was written, or the error."""

    source: Path
    output: Path | None = None
    plan: Plan | None = None
    notes: tuple[str, ...] = ()
    error: VariantBuildError | None = None


class _Options(NamedTuple):
    in_place: bool
    trust: bool
    local_in_name: bool
    exclude: tuple[str, ...]


def add_output_options(parser: argparse.ArgumentParser, *, trust: bool, in_place: bool) -> None:
    """Declare the wheels and the options for the output."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel file")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "-o", "--outdir", metavar="DIR", help="output directory (next to each wheel)", default=None
    )
    if in_place:
        where.add_argument(
            "--in-place", action="store_true", help="replace the wheel with the new one"
        )
    if trust:
        parser.add_argument(
            "--trust-record",
            action="store_true",
            help="trust the hashes of contents in RECORD, check everything else",
        )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def relabel(args: argparse.Namespace, planner: Planner, *, local_in_name: bool = False) -> int:
    """Rewrite each wheel of `args` as `planner` says, report, and return the exit code.

    With `local_in_name` the file name alone may have a local version (see `verify_wheel`). The
    other wheels are written even if one is refused.
    """
    options = _Options(
        in_place=getattr(args, "in_place", False),
        trust=getattr(args, "trust_record", False),
        local_in_name=local_in_name,
        exclude=tuple(getattr(args, "exclude", ())),
    )
    outcomes: list[Outcome] = []
    with nullcontext() if args.outdir is None else output_directory(Path(args.outdir)) as directory:
        for text in args.wheels:
            taken = {outcome.output for outcome in outcomes if outcome.output is not None}
            try:
                outcome = _relabel_one(wheel_path(text), directory, planner, options, taken)
            except VariantBuildError as error:
                report_error(error)
                outcome = Outcome(source=Path(text), error=error)
            for note in outcome.notes:
                report_message(f"{shown_name(outcome.source.name)}: {note}", "warning")
            outcomes.append(outcome)
    if args.json:
        print_json({"version": 1, "wheels": [_describe(outcome) for outcome in outcomes]})
    else:
        for outcome in outcomes:
            if outcome.output is not None:
                print(shown_path(outcome.output))
    return max((outcome.error.exit_code for outcome in outcomes if outcome.error), default=0)


def _relabel_one(
    path: Path,
    directory: Path | None,
    planner: Planner,
    options: _Options,
    taken: set[Path],
) -> Outcome:
    in_place = options.in_place
    if in_place and path.is_symlink():
        raise WheelError(f"{str(path)!r} is a link", hint="name the file itself with --in-place")
    with open_wheel(path) as wheel:
        inventory = verify_wheel(
            wheel,
            trust_record=options.trust,
            local_in_name=options.local_in_name,
            exempt=exemptions(options.exclude),
        )
        plan, warnings = planner(wheel, inventory)
        output = (path.parent if directory is None else directory) / str(plan.file_name)
        if output in taken:
            raise WheelError(f"{str(output)!r} was just written from another wheel")
        if not in_place and is_same_file(output, path):
            raise WheelError(
                f"{str(path)!r} would be replaced with the new wheel of the same name",
                hint="name another directory with -o, or use --in-place",
            )
        apply_edit(wheel, plan, output.parent, keep_mode=in_place)
    if in_place and output != path:
        _remove(path)
    return Outcome(source=path, output=output, plan=plan, notes=(*warnings, *plan.notes))


def _remove(path: Path) -> None:
    try:
        path.unlink()
        sync_directory(path.parent)
    except OSError as error:
        raise write_error(path, error) from error


def _describe(outcome: Outcome) -> dict[str, JSONValue]:
    plan, error = outcome.plan, outcome.error
    tags: Sequence[str] = () if plan is None else sorted(plan.file_name.tags)
    return {
        "input": str(outcome.source),
        "output": None if outcome.output is None else str(outcome.output),
        "project_version": None if plan is None else plan.version,
        "tags": tags,
        "notes": outcome.notes,
        "error": None if error is None else {"message": error.message, "hint": error.hint},
    }
