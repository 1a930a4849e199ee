"""Exempts files that are code for another machine on purpose: firmware, eBPF, other systems."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from variantbuild.audit.report import AuditReport, FileReport


def exempt_files(report: AuditReport, patterns: Sequence[str], arch: str) -> AuditReport:
    """Return `report` with the files that match one of `patterns` counted as data.

    A pattern matches the whole path in the wheel, or the file's name if it has no slash. Code for
    `arch` itself is never exempt: a stamp would claim it unread.
    """
    if not patterns:
        return report
    return replace(report, files=tuple(_exempted(each, patterns, arch) for each in report.files))


def _exempted(file: FileReport, patterns: Sequence[str], arch: str) -> FileReport:
    names = (file.path, PurePosixPath(file.path).name)
    pattern = next((each for each in patterns if any(fnmatchcase(n, each) for n in names)), None)
    if pattern is None or file.role != "host" or not file.machines or arch in file.machines:
        return file
    return replace(file, role="data", fault=None, exempt=pattern)
