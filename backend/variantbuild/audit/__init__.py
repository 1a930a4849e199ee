"""Audits the machine code of a wheel, and decides whether it may be stamped.

report = audit_wheel(path)               reads the bytes, never the plan
judgement = judge(report, variant)       findings, each with its evidence
outcome = decide(variant, judgement, "error", "built")  Stamped, Unstamped or Refused
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.audit.files import audit_members
from variantbuild.audit.judge import judge, judge_finished, judge_fit, judge_in_place
from variantbuild.audit.judge.findings import Evidence, Finding, Judgement
from variantbuild.audit.judge.hints import Product
from variantbuild.audit.judge.outcome import (
    Outcome,
    Policy,
    Refused,
    Stamped,
    Unstamped,
    decide,
)
from variantbuild.audit.report import AuditReport, FileReport

if TYPE_CHECKING:
    from variantbuild.audit.reading import Progress
    from variantbuild.wheel import Wheel

__all__ = [
    "AuditReport",
    "Evidence",
    "FileReport",
    "Finding",
    "Judgement",
    "Outcome",
    "Policy",
    "Product",
    "Refused",
    "Stamped",
    "Unstamped",
    "audit_files",
    "audit_members",
    "audit_open_wheel",
    "audit_wheel",
    "decide",
    "judge",
    "judge_finished",
    "judge_fit",
    "judge_in_place",
]


def audit_wheel(path: Path, *, jobs: int = 2, progress: Progress | None = None) -> AuditReport:
    """Read the machine code of a wheel file, in `jobs` processes. Nothing is unpacked to disk.

    Raises WheelError if `path` is not a readable archive.
    """
    from variantbuild.wheel import open_wheel

    with open_wheel(path) as wheel:
        return audit_open_wheel(wheel, jobs=jobs, progress=progress)


def audit_open_wheel(
    wheel: Wheel, *, jobs: int = 1, progress: Progress | None = None
) -> AuditReport:
    """Read the machine code of a wheel that is open, as `audit_wheel` does."""
    from variantbuild.audit.reading import read_reports

    path = wheel.path
    platforms = tuple(path.stem.rsplit("-", 1)[-1].split("."))
    files = read_reports(wheel, jobs=jobs, progress=progress)
    return AuditReport(name=path.name, platforms=platforms, files=files)


def audit_files(paths: list[Path], *, name: str) -> AuditReport:
    """Read loose modules, as editable builds leave them in the tree; `name` is for messages."""
    return audit_members(((each.name, each.read_bytes()) for each in paths), name=name)
