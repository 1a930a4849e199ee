"""Output of an audit: a table with findings, and JSON that follows the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from variantbuild.audit.judge.findings import told_once
from variantbuild.cli.terminal import paint, paragraph, report_message, shown_title, table
from variantbuild.types import JSONValue

if TYPE_CHECKING:
    from variantbuild.audit import AuditReport, FileReport, Judgement
    from variantbuild.audit.copies import Copies
    from variantbuild.audit.report import Path

_HEADS = (
    "file",
    "machine",
    "loaded on",
    "needs",
    "chosen at run time",
    "ISA note",
    "glibc",
    "outside levels",
)
#: What JSON calls each kind of evidence, and what the table calls it.
_EVIDENCE = {"instructions": "instructions", "switches": "recorded flags", "note": "ISA note"}
_WORDS = {"runs": "yes", "needs": "no", "unclear": "cannot tell"}
_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


def show_judgement(
    report: AuditReport, judgement: Judgement, expect: str | None, copies: Copies
) -> None:
    """Print a table of the files in a wheel with its copies and choosers, and the findings."""
    machines = {each.machine_names for each in report.files} - {""}
    shared = f"  {machines.pop()}" if len(machines) == 1 else ""
    print(paint(shown_title(report.name, shared), "bold") + shared)
    if not report.has_machine_code:
        print("  no machine code")
    rows = [_HEADS, *(_cells(each, copies, shared=bool(shared)) for each in report.files)]
    if report.files:
        print(table(_without_empty_columns(rows), indent=2, names={0}))
    for name, chooser in copies.choosers.items():
        who = "the loader" if chooser.method == "loader" else "a stub"
        order = ", then ".join(copy.label for copy in chooser.copies)
        print(paragraph(f"  {name}: {who} chooses the first that the CPU runs: {order}"))
    told = told_once(judgement.findings)
    for each, sentence in told:
        print(paragraph(f"  {paint(each.severity, _STYLES[each.severity])}: {sentence}"))
    seen = ", ".join(_EVIDENCE[each] for each in judgement.evidence) or "none"
    variant = str(judgement.variant)
    if expect is not None:
        print(f"  runs on {variant}: {_WORDS[judgement.verdict]}")
    elif variant:
        print(paragraph(f"  declared {variant}; evidence: {seen}"))
    elif report.has_machine_code:
        common, _ = copies.split(report)
        features = sorted(frozenset[str]().union(*(each.features for each in common.files)))
        needs = " and ".join([common.required or "an unknown level", *features])
        print(paragraph(f"  declares no variant; the code needs {needs}"))
    unseen = {each.unseen for each in report.files if each.unseen and each.role != "data"}
    for text in sorted(unseen):
        if not any(text in sentence for _, sentence in told):
            report_message(text)


def _without_empty_columns(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the rows, the heads first, without the columns that say nothing about any file."""
    kept = [i for i in range(len(_HEADS)) if any(row[i] for row in rows[1:])]
    return [tuple(row[i] for i in kept) for row in rows]


def _cells(file: FileReport, copies: Copies, *, shared: bool) -> tuple[str, ...]:
    """Return the cells of a row; the machine that all files share is in the title."""
    code = file.code
    chosen = "" if file.dispatched in (None, file.required) else str(file.dispatched)
    names = [] if code is None else [each.feature for each in code.demands if each.level is None]
    device = [] if file.device is None else [*map(str, file.device.cuda), *file.device.rocm]
    floor = "" if file.glibc_floor is None else ".".join(map(str, file.glibc_floor))
    needs = _needs(file)
    words = " ".join([*names, *device])
    return (
        file.path,
        "" if shared else file.machine_names,
        copies.levels.get(file.path, ""),
        needs,
        chosen,
        file.isa_note or "",
        floor,
        words,
    )


def _needs(file: FileReport) -> str:
    if file.role == "data":
        return "data" if file.exempt is None else "exempt"
    return "unreadable" if file.fault else file.required or "?"


def judgement_json(
    report: AuditReport, judgement: Judgement, expect: str | None, copies: Copies
) -> dict[str, JSONValue]:
    """Return the value of one wheel in audit.schema.json."""
    return {
        "name": report.name,
        "platforms": list(report.platforms),
        "variant": str(judgement.variant),
        "expected": expect is not None,
        "ok": judgement.ok,
        "verdict": judgement.verdict,
        "level": copies.split(report)[0].required,
        "evidence": list(judgement.evidence),
        "files": [_file(each, copies) for each in report.files],
        "choosers": [
            {
                "path": name,
                "method": chooser.method,
                "copies": [
                    {"level": copy.label, "file": copy.file, "libraries": list(copy.libraries)}
                    for copy in chooser.copies
                ],
            }
            for name, chooser in copies.choosers.items()
        ],
        "findings": [
            {
                "severity": each.severity,
                "rule": each.rule,
                "message": each.message,
                "path": each.path,
                "evidence": list(map(str, each.evidence)),
            }
            for each in judgement.findings
        ],
    }


def _file(file: FileReport, copies: Copies) -> dict[str, JSONValue]:
    return {
        "path": file.path,
        "copy": copies.levels.get(file.path),
        "format": file.format,
        "machine": file.machine_names,
        "machines": list(file.machines),
        "level": file.required,
        "isa_note": file.isa_note,
        "switches": [line.asked for line in file.recorded],
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
        "dispatched": file.dispatched,
        "guard": code.guard,
        "obscure": list(code.obscure),
        "demands": [
            {
                "feature": each.feature,
                "level": each.level,
                "functions": each.count,
                "paths": [_path(path) for path in each.paths],
            }
            for each in code.demands
        ],
    }


def _path(path: Path) -> dict[str, JSONValue]:
    return {
        "certain": path.certain,
        "root": path.root,
        "functions": list(path.functions),
        "at": path.at,
        "instruction": path.instruction,
        "given": sorted(path.given),
    }
