"""What machine code a wheel holds, and whether it may carry the variant it declares.

report = audit_wheel(path)               reads bytes, never the plan
judgement = judge(report, variant)       findings, each with its evidence
passage = pass_gate(judgement, "error")  the variant to stamp, or AuditError
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.audit.gate import Passage, Policy, pass_gate
from variantbuild.audit.judge import Finding, Judgement, judge
from variantbuild.audit.members import audit_members
from variantbuild.audit.report import AuditReport, FileReport

if TYPE_CHECKING:
    from variantbuild.elf import Data

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
    "pass_gate",
]


def audit_wheel(path: Path) -> AuditReport:
    """Read the machine code of a wheel file. Nothing is unpacked to disk.

    Raises WheelError where `path` is no readable archive.
    """
    platforms = tuple(path.stem.rsplit("-", 1)[-1].split("."))
    return audit_members(_wheel_members(path), name=path.name, platforms=platforms)


def audit_files(paths: list[Path], *, name: str) -> AuditReport:
    """Read loose modules, as editable builds leave them in the tree; `name` is for messages."""
    return audit_members(((each.name, each.read_bytes()) for each in paths), name=name)


def _wheel_members(path: Path) -> Iterator[tuple[str, Data]]:
    import zipfile

    from variantbuild.errors import WheelError

    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield info.filename, archive.read(info)
    except (OSError, zipfile.BadZipFile) as error:
        raise WheelError(f"{path} cannot be read as a wheel: {error}") from error
