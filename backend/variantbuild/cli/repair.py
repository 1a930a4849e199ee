"""`variantbuild repair`: graft libraries, then write the policy tag and the variant."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from variantbuild.cli.options import wheel_path
from variantbuild.cli.terminal import (
    print_json,
    report_error,
    report_message,
    shown_name,
    shown_path,
)
from variantbuild.errors import VariantBuildError
from variantbuild.host.staging import output_directory
from variantbuild.repair.pipeline import Options, Repaired, repair_wheel
from variantbuild.tags.manylinux import parse_policy
from variantbuild.tags.platform import machine_of
from variantbuild.types import JSONValue
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outcome:
    source: Path
    repaired: Repaired | None = None
    error: VariantBuildError | None = None


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `repair`."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel file")
    parser.add_argument(
        "-w",
        "--wheel-dir",
        metavar="DIR",
        default="wheelhouse",
        help="output directory (wheelhouse)",
    )
    parser.add_argument(
        "--policy",
        metavar="P",
        help="the policy to reach, such as manylinux_2_28 (default: the lowest)",
    )
    parser.add_argument(
        "--tag-only", action="store_true", help="only write the correct tag, graft nothing"
    )
    parser.add_argument(
        "--no-generic",
        action="store_true",
        help="leave out the generic tag, even if ISA notes would allow it",
    )
    parser.add_argument(
        "--exclude",
        metavar="PATTERN",
        action="append",
        default=[],
        help="a library that is not grafted, or files for other machines, such as '*.bpf.o', that "
        "count as data; may be repeated",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Repair each wheel and print the path of the new one; a failure does not stop the others."""
    options = Options(
        policy=None if args.policy is None else parse_policy(args.policy),
        machine=machine_of(args.policy or ""),
        tag_only=args.tag_only,
        generic=not args.no_generic,
        exclude=tuple(args.exclude),
    )
    outcomes = []
    with output_directory(Path(args.wheel_dir)) as directory:
        for text in args.wheels:
            outcome = _repair_one(text, directory, options, env)
            outcomes.append(outcome)
            _report(outcome, paths=not args.json)
    if args.json:
        print_json({"version": 1, "wheels": [_describe(outcome) for outcome in outcomes]})
    return max((outcome.error.exit_code for outcome in outcomes if outcome.error), default=0)


def _report(outcome: _Outcome, *, paths: bool) -> None:
    if outcome.error is not None:
        report_error(outcome.error)
    elif outcome.repaired is not None:
        for note in outcome.repaired.notes:
            report_message(f"{shown_name(outcome.source.name)}: {note}", "warning")
        if paths:
            print(shown_path(outcome.repaired.path), flush=True)


def _repair_one(text: str, directory: Path, options: Options, env: Mapping[str, str]) -> _Outcome:
    source = Path(text)
    try:
        repaired = repair_wheel(wheel_path(text), directory, options, env)
        return _Outcome(source=source, repaired=repaired)
    except VariantBuildError as error:
        return _Outcome(source=source, error=error)


def _describe(outcome: _Outcome) -> dict[str, JSONValue]:
    repaired, error = outcome.repaired, outcome.error
    return {
        "input": str(outcome.source),
        "output": None if repaired is None else str(repaired.path),
        "policy": None if repaired is None else repaired.policy,
        "variant": None if repaired is None else repaired.variant,
        "notes": [] if repaired is None else list(repaired.notes),
        "error": None if error is None else {"message": error.message, "hint": error.hint},
    }
