"""`variantbuild audit`: what machine code wheels hold, what it needs, whether that is declared."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.cli.options import check_label, wheel_path
from variantbuild.cli.terminal import paint, print_json, report_error, report_message, table
from variantbuild.errors import VariantBuildError, VariantError, WheelError
from variantbuild.types import JSONValue

if TYPE_CHECKING:
    from variantbuild.audit import AuditReport, FileReport, Judgement
    from variantbuild.audit.reading import Progress
    from variantbuild.variant import Variant

_HEADS = ("file", "machine", "needs", "chosen at run time", "ISA note", "glibc", "outside levels")
_LARGEST_RECORD = 16 << 20
_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


def configure_parser(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `audit`."""
    parser.add_argument("wheels", nargs="+", metavar="WHEEL", help="a wheel file, anyone's")
    parser.add_argument(
        "--expect",
        metavar="TARGET",
        help="tell whether the wheel runs on a machine of TARGET (v2, zen4, …), whatever it says",
    )
    parser.add_argument("--json", action="store_true", help="machine-readable output")


def execute(args: argparse.Namespace, env: Mapping[str, str]) -> int:
    """Audit each wheel; 0 where nothing is wrong, 1 where something is, 2 where one is no wheel."""
    from variantbuild.audit import audit_wheel

    if args.expect is not None:
        check_label("--expect", args.expect)
    code = 0
    rows: list[JSONValue] = []
    for text in args.wheels:
        try:
            path = wheel_path(text)
            report = audit_wheel(path, progress=_progress(path.name))
            judgement = _with_record(path, report, _judgement(report, args.expect))
        except VariantBuildError as error:
            report_error(error)
            code = 2
            if not isinstance(error, WheelError):
                return code
            continue
        code = max(code, 0 if judgement.ok else 1)
        if args.json:
            rows.append(_row(report, judgement, args.expect))
        else:
            _show(report, judgement, args.expect)
    if args.json:
        print_json({"version": 1, "wheels": rows})
    return code


def declared_variant(report: AuditReport) -> Variant:
    """Return the variant that a wheel's platform tags or local version declare.

    A wheel that declares none gets the variant that names nothing on its files' machine.
    """
    from variantbuild.tags.platform import split_platform
    from variantbuild.variant import Variant

    arch = next((each.machine for each in report.files if each.role == "host"), "") or "x86_64"
    found = []
    for tag in report.platforms:
        try:
            found.append(split_platform(tag)[1])
        except VariantError:
            continue  # the suffix of another tool
    named = [each for each in found if each.arch and not each.is_baseline]
    if named:
        return named[0]
    local = report.name.split("-")[1].partition("+")[2] if report.name.count("-") > 1 else ""
    try:
        return Variant.parse(local, arch)
    except VariantError:
        return Variant(arch=arch)


def _judgement(report: AuditReport, expect: str | None) -> Judgement:
    from dataclasses import replace

    from variantbuild.audit import judge, judge_fit
    from variantbuild.variant import Variant

    declared = declared_variant(report)
    if expect is not None:
        return judge_fit(report, Variant.parse(expect, declared.arch))
    judgement = judge(report, declared)
    if declared.is_baseline:
        # The wheel names no processor: what it needs is told, and not held against it.
        findings = tuple(
            replace(each, severity="warning") if each.rule == "needs-more" else each
            for each in judgement.findings
        )
        return replace(judgement, findings=findings)
    return judgement


def _with_record(path: Path, report: AuditReport, judgement: Judgement) -> Judgement:
    """Add what the wheel's own record, where it has one, says otherwise than its files."""
    from dataclasses import replace

    from variantbuild.stamp.sbom import MEMBER, compare_provenance, parse_provenance
    from variantbuild.wheel import open_wheel

    with open_wheel(path) as wheel:
        found = [each for each in wheel.members if each.name.endswith(f".dist-info/{MEMBER}")]
        if not found:
            return judgement
        recorded = parse_provenance(wheel.read(found[0], limit=_LARGEST_RECORD))
    findings = (*judgement.findings, *compare_provenance(recorded, report))
    return replace(judgement, findings=findings)


def _progress(name: str) -> Progress | None:
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int, member: str) -> None:
        share = 100 * done // max(total, 1)
        text = f"\r\x1b[K{name}: {share} % {member}"[:110]
        print(text if done < total else "\r\x1b[K", end="", file=sys.stderr, flush=True)

    return show


def _show(report: AuditReport, judgement: Judgement, expect: str | None) -> None:
    print(paint(report.name, "bold"))
    if not report.has_machine_code:
        print("  no machine code")
    rows = [
        ("file", "machine", "needs", "chosen at run time", "ISA note", "glibc", "outside levels")
    ]
    print(
        table([*rows, *(_cells(each) for each in report.files)] if report.files else [], indent=2)
    )
    for each in judgement.findings:
        print(f"  {paint(each.severity, _STYLES[each.severity])}: {each.message}")
    seen = ", ".join(judgement.evidence) or "none"
    variant = str(judgement.variant)
    if expect is not None:
        print(f"  runs on {variant}: {'yes' if judgement.ok else 'no'}")
    elif variant:
        print(f"  declared {variant}; evidence: {seen}")
    else:
        print(f"  declares no variant; the code needs {report.level or 'what cannot be told'}")
    unseen = {each.unseen for each in report.files if each.unseen}
    for text in sorted(unseen):
        report_message(text)


def _cells(file: FileReport) -> tuple[str, ...]:
    code = file.code
    chosen = "" if code is None or code.dispatched == code.level else code.dispatched
    names = [] if code is None else [each.name for each in code.extensions]
    device = [] if file.device is None else [*map(str, file.device.cuda), *file.device.rocm]
    floor = "" if file.glibc_floor is None else ".".join(map(str, file.glibc_floor))
    needs = "unreadable" if file.fault else file.level or "?"
    words = " ".join([*names, *device])
    return (file.path, file.machine_names, needs, chosen, file.isa_note or "", floor, words)


def _row(report: AuditReport, judgement: Judgement, expect: str | None) -> dict[str, JSONValue]:
    return {
        "name": report.name,
        "platforms": list(report.platforms),
        "variant": str(judgement.variant),
        "expected": expect is not None,
        "ok": judgement.ok,
        "level": report.level,
        "evidence": list(judgement.evidence),
        "files": [_file(each) for each in report.files],
        "findings": [
            {
                "severity": each.severity,
                "rule": each.rule,
                "message": each.message,
                "path": each.path,
                "evidence": list(each.evidence),
            }
            for each in judgement.findings
        ],
    }


def _file(file: FileReport) -> dict[str, JSONValue]:
    return {
        "path": file.path,
        "format": file.format,
        "machine": file.machine_names,
        "level": file.level,
        "isa_note": file.isa_note,
        "switches": [line.asked for line in file.switches],
        "needed": list(file.needed),
        "glibc": None if file.glibc_floor is None else ".".join(map(str, file.glibc_floor)),
        "cuda": [] if file.device is None else [str(each) for each in file.device.cuda],
        "rocm": [] if file.device is None else list(file.device.rocm),
        "unseen": file.unseen,
        "fault": file.fault,
        "code": _code(file),
    }


def _code(file: FileReport) -> JSONValue:
    code = file.code
    if code is None:
        return None
    return {
        "decoder": code.decoder,
        "bytes": code.size,
        "level": code.level,
        "dispatched": code.dispatched,
        "guard": code.guard,
        "functions_by_need": dict(code.counts),
        "extensions": [
            {"name": each.name, "count": each.count, "dispatched": each.dispatched}
            for each in code.extensions
        ],
        "functions": [
            {
                "name": each.name,
                "address": each.address,
                "at": each.at,
                "instruction": each.instruction,
                "needs": each.needs,
                "guarded": each.guarded,
            }
            for each in code.functions
        ],
    }
