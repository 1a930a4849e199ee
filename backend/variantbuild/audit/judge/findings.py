"""The values of a judgement: one finding, with its rule and evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
Rule = Literal[
    "needs-more",
    "extension",
    "unknown-switches",
    "no-evidence",
    "uses-less",
    "no-guard",
    "wrong-machine",
    "unreadable",
    "not-audited",
    "code-in-any",
    "libc-floor",
    "device-code",
    "provenance",
    "contradiction",
    "unknown-suffix",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing found: how bad, which rule, one sentence, and the file and evidence behind it."""

    severity: Severity
    rule: Rule
    message: str
    path: str | None = None
    evidence: tuple[str, ...] = ()
