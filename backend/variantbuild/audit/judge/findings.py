"""The values of a judgement: findings with their evidence, and the judgement of one wheel."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from variantbuild.audit.report import Verdict
from variantbuild.values import dataclass
from variantbuild.variant import Variant

Severity = Literal["error", "warning", "note"]
Rule = Literal[
    "needs-more",
    "cannot-tell",
    "unknown-switches",
    "no-decoder",
    "no-evidence",
    "uses-less",
    "no-guard",
    "wrong-machine",
    "unreadable",
    "not-audited",
    "static-library",
    "code-in-any",
    "libc-floor",
    "device-code",
    "device-absent",
    "device-plan",
    "provenance",
    "contradiction",
    "unknown-suffix",
]
"""`device-absent`: none of the planned device code is there. `device-plan`: the device code differs
from the plan. `device-code`: it differs from the label. `static-library`: it was not inspected,
and is not loaded as it is, so no verdict depends on it.
"""

Support = Literal["instructions", "switches", "note"]
"""What shows that a file was compiled for the declared CPU."""

Source = Literal[
    "instructions", "switches", "note", "features", "libraries", "device", "labels", "record"
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """The basis of a finding: the place that was read, and its content."""

    source: Source
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One finding: severity, rule and message, with the file and the evidence."""

    severity: Severity
    rule: Rule
    message: str
    path: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The findings on one wheel for one variant.

    `evidence` says what supports the CPU that is declared; `found` is the level that the code
    needs, None if unknown. Without `has_machine_code` there is nothing to stamp.
    """

    variant: Variant
    findings: tuple[Finding, ...]
    evidence: tuple[Support, ...]
    found: str | None
    has_machine_code: bool

    @property
    def ok(self) -> bool:
        """Whether none of the findings is an error."""
        return not self.errors

    @property
    def verdict(self) -> Verdict:
        """Whether the files run: by errors they need more, by some warnings none can tell."""
        if self.errors:
            return "needs"
        open_rules = ("cannot-tell", "not-audited")
        return "unclear" if any(each.rule in open_rules for each in self.findings) else "runs"

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that prevent the stamp."""
        return tuple(each for each in self.findings if each.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings to report to the user."""
        return tuple(each for each in self.findings if each.severity == "warning")

    @property
    def has_isa_notes(self) -> bool:
        """Whether every module has the ISA note of the variant."""
        return all(each.rule != "no-guard" for each in self.findings)


def told_once(findings: Iterable[Finding]) -> tuple[tuple[Finding, str], ...]:
    """Return the first finding of each kind, and the sentence that tells of all that are like it.

    Findings are alike if they say the same of other files, apart from details in brackets.
    """
    groups: dict[tuple[Severity, Rule, str], list[Finding]] = {}
    for each in findings:
        said = each.message.replace(each.path, "") if each.path else each.message
        kind = re.sub(r"\([^()]*\)", "", said) if each.path else said
        groups.setdefault((each.severity, each.rule, kind), []).append(each)
    return tuple((same[0], _sentence(same)) for same in groups.values())


def _sentence(same: list[Finding]) -> str:
    others = len(same) - 1
    if not others:
        return same[0].message
    return f"{same[0].message} (the same for {others} other file{'s' if others > 1 else ''})"


def evidence_of(source: Source, *texts: str) -> tuple[Evidence, ...]:
    """Return pieces of evidence from the same place."""
    return tuple(Evidence(source=source, text=text) for text in texts)
