"""`variantbuild bundle`: join wheels for several CPUs into one that chooses when it is loaded."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from variantbuild.bundle.joining import Bundled, Options, bundle_wheels
from variantbuild.cli.options import add_exclude_option, wheel_path
from variantbuild.cli.terminal import print_json, report_message, shown_path
from variantbuild.host.staging import output_directory
from variantbuild.types import JSONValue


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `bundle`."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel for one level")
    parser.add_argument("-o", "--outdir", metavar="DIR", default="dist", help="output (dist)")
    parser.add_argument(
        "--method",
        choices=("auto", "loader", "stub"),
        default="auto",
        help="who chooses: glibc's loader or a compiled stub (auto: the best on every system)",
    )
    parser.add_argument(
        "--take-baseline",
        action="append",
        default=[],
        metavar="PATTERN",
        help="members that may differ, of which the baseline's is taken; may be repeated",
    )
    add_exclude_option(parser)
    parser.add_argument(
        "--max-growth",
        type=_ratio,
        metavar="RATIO",
        help="refuse a bundle of more than RATIO times the baseline's size",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def _ratio(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return value


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Bundle the wheels and print the path of the bundle."""
    paths = [wheel_path(text) for text in args.wheels]
    options = Options(
        method=args.method,
        take_baseline=tuple(args.take_baseline),
        exclude=tuple(args.exclude),
        max_growth=args.max_growth,
        epoch=_epoch(env),
    )
    with output_directory(Path(args.outdir)) as directory:
        bundled = bundle_wheels(paths, directory, options, env)
    for note in bundled.notes:
        report_message(note, "warning")
    if args.json:
        print_json({"version": 1, **describe_bundle(bundled)})
    else:
        report_message(summary(bundled), "note")
        print(shown_path(bundled.path))
    return 0


def _epoch(env: Mapping[str, str]) -> int | None:
    value = env.get("SOURCE_DATE_EPOCH", "")
    return int(value) if value.isascii() and value.isdigit() else None


def summary(bundled: Bundled) -> str:
    """Return one line on what was bundled, how, and what it costs."""
    growth = f"{bundled.size / bundled.baseline_size:.2f} times the size of the baseline"
    if bundled.method is None:
        return "every module is the same at every level: the bundle is the baseline's wheel"
    copied = sum(not choice.is_single for choice in bundled.choices)
    modules = f"{copied} module{'s' if copied != 1 else ''}"
    return (
        f"{modules} with copies for {', '.join(reversed(bundled.labels))}; method "
        f"{bundled.method} ({bundled.chosen.reason}); {growth}"
    )


def describe_bundle(bundled: Bundled) -> dict[str, JSONValue]:
    """Return the value of bundle.schema.json, without `version`."""
    return {
        "path": str(bundled.path),
        "method": bundled.method,
        "reason": bundled.chosen.reason,
        "levels": list(bundled.labels),
        "size": bundled.size,
        "baseline_size": bundled.baseline_size,
        "modules": [
            {
                "path": choice.name,
                "copies": [row.label for row in choice.rows],
                "folded": dict(choice.folded),
            }
            for choice in bundled.choices
        ],
        "notes": list(bundled.notes),
    }
