"""`variantbuild audit`: the machine code in wheels, what it requires, what the wheel declares."""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.cli.auditview import judgement_json, show_judgement
from variantbuild.cli.options import add_exclude_option, check_label, unused_excludes, wheel_path
from variantbuild.cli.terminal import (
    print_json,
    report_error,
    report_message,
    rewrite_line,
    rewrites_lines,
    shown_name,
)
from variantbuild.errors import VariantBuildError, WheelError
from variantbuild.types import JSONValue

if TYPE_CHECKING:
    from variantbuild.audit import AuditReport, Finding, Judgement
    from variantbuild.audit.copies import Copies
    from variantbuild.audit.reading import Progress
    from variantbuild.stamp.declared import Declared
    from variantbuild.wheel import Wheel

_LARGEST_RECORD = 2 << 20
#: Exit codes, the most serious last.
_WORST = (0, 3, 1, 2)
_WHEEL = re.compile(r"[^/]+\.dist-info/WHEEL")


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `audit`."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel file, from any tool")
    parser.add_argument(
        "--expect",
        metavar="TARGET",
        help="check whether the wheel runs on TARGET (v2, zen4, …), whatever it declares",
    )
    add_exclude_option(parser)
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Audit each wheel; 0 without errors, 1 with errors, 2 if one is not a wheel.

    With --expect 3 if it cannot be told whether a wheel runs, and none needs more.
    """
    from variantbuild.audit import audit_wheel
    from variantbuild.audit.exempt import exempt_files
    from variantbuild.stamp.exemptions import recorded_exemptions

    if args.expect is not None:
        check_label("--expect", args.expect)
    codes = [0]
    rows: list[JSONValue] = []
    for text in args.wheels:
        try:
            path = wheel_path(text)
            report = audit_wheel(path, progress=_progress(path.name))
            recorded = _recorded(path)
            exempt = (*args.exclude, *recorded_exemptions(recorded))
            report = exempt_files(report, exempt, _architecture(report))
            copies = _copies(path)
            judgement = _judgement(path, report, args.expect, copies)
            judgement = _with_record(path, recorded, report, judgement)
        except VariantBuildError as error:
            report_error(error)
            codes.append(2)
            if not isinstance(error, WheelError):
                return 2
            continue
        for warning in unused_excludes(report, args.exclude):
            report_message(f"{shown_name(path.name)}: {warning}", "warning")
        codes.append(_exit_code(judgement, expected=args.expect is not None))
        if args.json:
            rows.append(judgement_json(report, judgement, args.expect, copies))
        else:
            show_judgement(report, judgement, args.expect, copies)
    if args.json:
        print_json({"version": 2, "wheels": rows})
    return max(codes, key=_WORST.index)


def _exit_code(judgement: Judgement, *, expected: bool) -> int:
    if expected:
        return {"runs": 0, "unclear": 3, "needs": 1}[judgement.verdict]
    return 0 if judgement.ok else 1


def _declared(path: Path, report: AuditReport) -> tuple[Declared, tuple[Finding, ...]]:
    """Return what the wheel declares, and findings about that."""
    from variantbuild.audit import Finding
    from variantbuild.audit.judge.findings import evidence_of
    from variantbuild.stamp.declared import declare

    in_wheel, findings = _tags_in_wheel(path)
    declared = declare(
        report.name,
        version="".join(report.name.split("-")[1:2]),
        file_platforms=report.platforms,
        wheel_platforms=in_wheel,
    )
    contradictions = (
        Finding(
            severity="error",
            rule="contradiction",
            message=str(each),
            evidence=evidence_of("labels", *dict.fromkeys(claim.text for claim in each.claims)),
        )
        for each in declared.contradictions
    )
    unknown = (
        Finding(severity="warning", rule="unknown-suffix", message=error.message)
        for error in declared.unknown
    )
    return declared, (*findings, *contradictions, *unknown)


def _tags_in_wheel(path: Path) -> tuple[tuple[str, ...] | None, tuple[Finding, ...]]:
    """Return the platforms of the tags in WHEEL, None with a finding if it cannot be read.

    A wheel whose WHEEL is missing or malformed is audited as well.
    """
    from variantbuild.audit import Finding
    from variantbuild.wheel import UnsoundWheelError, open_wheel
    from variantbuild.wheel.distinfo.metadata import read_platforms

    with open_wheel(path) as wheel:
        name = next((each.name for each in wheel.members if _WHEEL.fullmatch(each.name)), None)
        if name is None:
            return None, ()
        try:
            data = wheel.read(wheel.member(name), limit=_LARGEST_RECORD)
            return read_platforms(data, name) or None, ()
        except UnsoundWheelError as error:
            message = f"the tags in {name} cannot be read: {error.reason}"
            finding = Finding(severity="warning", rule="unreadable", message=message, path=name)
            return None, (finding,)


def _architecture(report: AuditReport) -> str:
    """Return the architecture of the wheel's tags; '' for `any` and several."""
    from variantbuild.tags.platform import PlatformTag

    found: set[str] = set()
    for tag in report.platforms:
        with contextlib.suppress(VariantBuildError):
            found.update(PlatformTag.parse(tag).architectures)
    return found.pop() if len(found) == 1 else ""


def _copies(path: Path) -> Copies:
    """Return the copies in a bundle; none for other wheels."""
    from variantbuild.audit.copies import find_copies
    from variantbuild.wheel import open_wheel

    with open_wheel(path) as wheel:
        return find_copies(wheel)


def _judgement(path: Path, report: AuditReport, expect: str | None, copies: Copies) -> Judgement:
    from dataclasses import replace

    from variantbuild.audit import judge_finished, judge_fit
    from variantbuild.audit.copies import judge_copies
    from variantbuild.variant import Variant

    declared, claims = _declared(path, report)
    machine = next((each.machine for each in report.files if each.role == "host"), "") or "x86_64"
    variant = declared.variant or Variant(arch=machine)
    if expect is not None:
        return judge_copies(report, copies, Variant.parse(expect, variant.arch), judge_fit)
    judgement = judge_copies(report, copies, variant, judge_finished)
    return replace(judgement, findings=(*claims, *judgement.findings))


def _recorded(path: Path) -> Mapping[str, str]:
    from variantbuild.stamp.exemptions import read_record
    from variantbuild.wheel import open_wheel

    with open_wheel(path) as wheel:
        return read_record(wheel)


def _with_record(
    path: Path, recorded: Mapping[str, str], report: AuditReport, judgement: Judgement
) -> Judgement:
    """Add where the wheel's own record, or its file name, differs from its contents."""
    from dataclasses import replace

    from variantbuild.stamp.sbom import compare_provenance
    from variantbuild.wheel import open_wheel

    with open_wheel(path) as wheel:
        renamed = tuple(_renamed(path.name, wheel))
    differs = compare_provenance(recorded, report) if recorded else ()
    return replace(judgement, findings=(*judgement.findings, *renamed, *differs))


def _renamed(name: str, wheel: Wheel) -> Iterator[Finding]:
    """Yield a warning for a local version that only the file name has."""
    from variantbuild.audit import Finding
    from variantbuild.wheel.filename import is_public_version

    named = "".join(name.split("-")[1:2])
    for member in wheel.members.names:
        stem, dist_info, _ = member.partition(".dist-info/METADATA")
        version = stem.rpartition("-")[2]
        if dist_info and is_public_version(version, named):
            yield Finding(
                severity="warning",
                rule="contradiction",
                message=f"the file name has the version {named}, and the wheel {version}: "
                "`variantbuild patch` writes the file name's version into it",
            )


def _progress(name: str) -> Progress | None:
    if not rewrites_lines(sys.stderr):
        return None

    def show(done: int, total: int, member: str) -> None:
        share = 100 * done // max(total, 1)
        text = f"{name}  {member}" if done < total else ""
        rewrite_line(sys.stderr, text, f"  {share} %" if text else "")

    return show
