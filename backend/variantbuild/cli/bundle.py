"""`variantbuild bundle`: join wheels for several CPUs into one that chooses when it is loaded."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from variantbuild.bundle.checkrun import Checked
from variantbuild.bundle.joining import Bundled, Options, bundle_wheels
from variantbuild.cli.options import add_exclude_option, wheel_path
from variantbuild.cli.terminal import print_json, report_message, shown_path
from variantbuild.errors import BundleError
from variantbuild.host.sourcedate import read_source_date
from variantbuild.host.staging import output_directory
from variantbuild.types import JSONValue


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `bundle`."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel for one level")
    parser.add_argument(
        "-o", "--outdir", metavar="DIR", default="dist", help="output directory (dist)"
    )
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
        help="members that may differ: the baseline's copy is used; may be repeated",
    )
    add_exclude_option(parser)
    parser.add_argument(
        "--max-growth",
        type=_ratio,
        metavar="RATIO",
        help="refuse a bundle of more than RATIO times the baseline's size",
    )
    parser.add_argument(
        "--check",
        metavar="COMMAND",
        help="run COMMAND at each level; fail where it does not load the level's copy",
    )
    parser.add_argument(
        "--split", action="store_true", help="split a bundle: write one wheel per level"
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
    """Bundle the wheels, or check or split one; print the paths that were written."""
    paths = [wheel_path(text) for text in args.wheels]
    if args.split:
        return _split(args, paths)
    if args.check is not None:
        from variantbuild.bundle.checkrun import split_command

        split_command(args.check)  # a mistake is reported before anything is written
    if args.check is not None and len(paths) == 1:
        return _check(args, paths[0], env)
    options = Options(
        method=args.method,
        take_baseline=tuple(args.take_baseline),
        exclude=tuple(args.exclude),
        max_growth=args.max_growth,
        epoch=read_source_date(env),
        check=args.check,
    )
    with output_directory(Path(args.outdir)) as directory:
        bundled = bundle_wheels(paths, directory, options, env)
    for note in bundled.notes:
        report_message(note, "warning")
    _report_checked(bundled.checked)
    if args.json:
        print_json({"version": 1, **describe_bundle(bundled)})
    else:
        report_message(summary(bundled), "note")
        print(shown_path(bundled.path))
    return 0


def _split(args: argparse.Namespace, paths: Sequence[Path]) -> int:
    from variantbuild.bundle.splitting import split_bundle

    if args.check is not None or len(paths) != 1:
        raise BundleError("--split takes one bundle, and no --check")
    with output_directory(Path(args.outdir)) as directory:
        made = split_bundle(paths[0], directory)
    if args.json:
        print_json({"version": 1, "split": [str(path) for path in made]})
    else:
        for path in made:
            print(shown_path(path))
    return 0


def _check(args: argparse.Namespace, path: Path, env: Mapping[str, str]) -> int:
    """Check a finished bundle, without writing anything."""
    from variantbuild.bundle.checkrun import check_levels

    checked = check_levels(path, args.check, env)
    if args.json:
        print_json({"version": 1, "checked": _checked_json(checked)})
    else:
        _report_checked(checked)
    return 0


def _report_checked(checked: Sequence[Checked]) -> None:
    for each in checked:
        if each.skipped:
            report_message(f"{each.level} is not checked: {each.how}", "warning")
        else:
            report_message(f"{each.level}: its copies are loaded ({each.how})")


def _checked_json(checked: Sequence[Checked]) -> list[JSONValue]:
    return [{"level": each.level, "how": each.how, "skipped": each.skipped} for each in checked]


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
        "checked": _checked_json(bundled.checked),
    }
