"""What a report means for the variant that a wheel declares: findings, each with its evidence.

The rules: code that needs more than declared is an error; a processor named without any evidence
that its flags arrived is an error; using less is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from variantbuild.audit.judge.devices import judge_devices
from variantbuild.audit.judge.findings import Finding
from variantbuild.audit.judge.needs import judge_file, judge_unseen
from variantbuild.audit.judge.wheeltags import judge_tags
from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.isa.levels import highest, includes
from variantbuild.isa.processor import Processor, resolve_processor
from variantbuild.variant import Variant

Evidence = Literal["instructions", "switches", "note"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Judgement:
    """The findings on one wheel for one variant.

    `evidence` says which kinds support the processor that is declared; `found` is the level the
    code needs, None where that cannot be told.
    """

    variant: Variant
    findings: tuple[Finding, ...]
    evidence: tuple[Evidence, ...]
    found: str | None

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


def judge(report: AuditReport, variant: Variant, *, records: bool = False) -> Judgement:
    """Compare what `report` found with what `variant` declares.

    `records` tells that the compilers were asked to record their switches with the same flags that
    name the processor: then a file that records none was compiled without these, and an ISA note,
    which comes from the link, does not stand for them. A wheel without machine code gets no
    finding: it carries no stamp that could be wrong. Raises VariantError where the variant's
    processor is unknown.
    """
    declared = resolve_processor(variant.arch, variant.cpu)
    findings = list(judge_tags(report))
    if report.files:
        findings += judge_devices(report.files, variant.accelerator)
    for file in report.files:
        findings += judge_file(file, variant.arch, declared)
    hosts = [each for each in report.files if each.machine == variant.arch and not each.fault]
    evidence: tuple[Evidence, ...] = ()
    if hosts and not declared.is_baseline:
        evidence = tuple(
            dict.fromkeys(kind for each in hosts for kind in _evidence(each, declared, records))
        )
        findings += _judge_use(hosts, declared, evidence)
        if records and evidence:
            findings += (_bare(each, declared) for each in hosts if not each.switches)
    return Judgement(
        variant=variant, findings=tuple(findings), evidence=evidence, found=report.level
    )


def judge_fit(report: AuditReport, variant: Variant) -> Judgement:
    """Tell whether the files run on a machine of `variant`, whatever the wheel declares.

    Like `judge`, without the rules on what a wheel may claim: evidence, use, guard and labels.
    """
    whole = judge(report, variant)
    rules = ("needs-more", "extension", "unknown-switches", "wrong-machine", "unreadable")
    findings = (*whole.findings, *(judge_unseen(each) for each in report.files if each.unseen))
    return replace(
        whole, findings=tuple(each for each in findings if each.rule in (*rules, "not-audited"))
    )


def _evidence(file: FileReport, declared: Processor, records: bool) -> Iterator[Evidence]:
    if file.code is not None and includes(declared.arch, file.code.level, declared.shown):
        yield "instructions"
    if any(declared.is_reached_by(line) for line in file.switches):
        yield "switches"
    elif file.isa_note == declared.level and not file.switches and not records:
        # Recorded switches that ask for less prove that the link alone was told of the level.
        yield "note"


def _judge_use(
    files: list[FileReport], declared: Processor, evidence: tuple[Evidence, ...]
) -> Iterator[Finding]:
    asked = tuple(dict.fromkeys(line.asked for file in files for line in file.switches))
    recorded = f"the compiler recorded {', '.join(asked)}" if asked else "no switches are recorded"
    if not evidence:
        yield Finding(
            severity="error",
            rule="no-evidence",
            message=f"nothing in the files shows that they were built for {declared.name}: "
            f"{recorded}, and {_note_words(files, declared)}",
            evidence=asked,
        )
        return
    decoded = all(file.code is not None for file in files)
    needs = "holds no instruction above" if decoded else "is not known to need more than"
    known = [file.level for file in files if file.level is not None]
    found = highest(files[0].machine, known)
    if not includes(files[0].machine, found, declared.shown):
        yield Finding(
            severity="warning",
            rule="uses-less",
            message=f"declared {declared.name}, but the code {needs} {found}: "
            f"did the flags arrive? ({recorded})",
            evidence=asked,
        )


def _bare(file: FileReport, declared: Processor) -> Finding:
    return Finding(
        severity="warning",
        rule="uses-less",
        message=f"{file.path} records no switches, as other files do: did the flags for "
        f"{declared.name} arrive there?",
        path=file.path,
    )


def _note_words(files: list[FileReport], declared: Processor) -> str:
    if any(file.isa_note == declared.level for file in files):
        return "the ISA note tells of the link alone"
    return "no ISA note stands for it"
