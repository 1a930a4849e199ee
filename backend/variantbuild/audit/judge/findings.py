"""The values of a judgement: findings with their evidence, and all of them on one wheel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from variantbuild.variant import Variant

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
    "device-absent",
    "device-plan",
    "provenance",
    "contradiction",
    "unknown-suffix",
]
"""`device-absent` is a wheel without any of the device code that was planned, `device-plan` one
with other device code than was planned; `device-code` is about what the label says.
"""

Support = Literal["instructions", "switches", "note"]
"""What shows that a file was compiled for the declared CPU."""

Source = Literal[
    "instructions", "switches", "note", "features", "libraries", "device", "labels", "record"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What a finding rests on: where it was read, and what was read there."""

    source: Source
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing found: how bad, which rule, one sentence, and the file and evidence behind it."""

    severity: Severity
    rule: Rule
    message: str
    path: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The findings on one wheel for one variant.

    `evidence` says what supports the CPU that is declared; `found` is the level that the code
    needs, None where that is not known. Without `has_machine_code` there is nothing to stamp.
    """

    variant: Variant
    findings: tuple[Finding, ...]
    evidence: tuple[Support, ...]
    found: str | None
    has_machine_code: bool

    @property
    def ok(self) -> bool:
        """Tell whether nothing found is an error."""
        return not self.errors

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid the stamp."""
        return tuple(each for each in self.findings if each.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings to be told to the user."""
        return tuple(each for each in self.findings if each.severity == "warning")

    @property
    def is_guarded(self) -> bool:
        """Tell whether every module carries the ISA note of the variant."""
        return all(each.rule != "no-guard" for each in self.findings)


def evidence_of(source: Source, *texts: str) -> tuple[Evidence, ...]:
    """Return evidence that was all read in one place."""
    return tuple(Evidence(source=source, text=text) for text in texts)
