"""What machine code a wheel holds, and whether it may carry the variant it declares.

report = audit_wheel(path)               reads bytes, never the plan
judgement = judge(report, variant)       findings, each with its evidence
passage = pass_gate(judgement, "error")  the variant to stamp, or AuditError
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.audit.files import audit_members
from variantbuild.audit.judge import Judgement, judge, judge_fit
from variantbuild.audit.judge.findings import Finding
from variantbuild.audit.judge.gate import Passage, Policy, pass_gate
from variantbuild.audit.report import AuditReport, FileReport

if TYPE_CHECKING:
    from variantbuild.audit.reading import Progress

__all__ = [
    "AuditReport",
    "FileReport",
    "Finding",
    "Judgement",
    "Passage",
    "Policy",
    "audit_files",
    "audit_members",
    "audit_wheel",
    "judge",
    "judge_fit",
    "pass_gate",
]


def audit_wheel(path: Path, *, jobs: int = 2, progress: Progress | None = None) -> AuditReport:
    """Read the machine code of a wheel file, in `jobs` processes. Nothing is unpacked to disk.

    Raises WheelError where `path` is no readable archive.
    """
    from variantbuild.audit.reading import read_reports

    platforms = tuple(path.stem.rsplit("-", 1)[-1].split("."))
    files = read_reports(path, jobs=jobs, progress=progress)
    return AuditReport(name=path.name, platforms=platforms, files=files)


def audit_files(paths: list[Path], *, name: str) -> AuditReport:
    """Read loose modules, as editable builds leave them in the tree; `name` is for messages."""
    return audit_members(((each.name, each.read_bytes()) for each in paths), name=name)
