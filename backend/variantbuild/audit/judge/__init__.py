"""Judges what a report means for the declared variant: findings, each with its evidence.

The rules: code that needs more than declared is an error, and so is a declared CPU without any
evidence that its flags took effect; using less is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from variantbuild.audit.judge.devicecompare import PlannedDevices, judge_planned
from variantbuild.audit.judge.devicelabel import judge_devices
from variantbuild.audit.judge.findings import Finding, Judgement, Support, evidence_of
from variantbuild.audit.judge.needs import judge_file, judge_unseen
from variantbuild.audit.judge.siblings import find_siblings
from variantbuild.audit.judge.wheeltags import judge_tags
from variantbuild.audit.report import AuditReport, FileReport
from variantbuild.isa.levels import highest, includes
from variantbuild.isa.processor import Processor, resolve_processor
from variantbuild.variant import Variant


def judge(
    report: AuditReport,
    variant: Variant,
    *,
    records: bool = False,
    planned: PlannedDevices | None = None,
) -> Judgement:
    """Compare what `report` found with what `variant` declares.

    With `records` the flags that name the CPU also made the compilers record their flags: then a
    file without recorded flags was compiled without these flags, and the ISA note, which comes from
    the link, is not evidence of them. `planned` is the device code that the build should have
    produced, None if unknown. For a wheel without machine code only the device code is judged: it
    gets no stamp that could be wrong.
    """
    declared = resolve_processor(variant.arch, variant.cpu)
    differences = () if planned is None else judge_planned([report], planned)
    absent = any(each.rule == "device-absent" for each in differences)
    findings = [*differences, *judge_tags(report)]
    if report.files:
        # A label that promises missing device code is reported once.
        findings += judge_devices(report.files, None if absent else variant.accelerator)
    siblings = find_siblings(report.files)
    for file in report.files:
        findings += judge_file(file, variant.arch, declared, siblings.get(file.path))
    hosts = [each for each in report.files if _is_for(each, variant.arch)]
    evidence: tuple[Support, ...] = ()
    if hosts and not declared.is_baseline:
        shown = (kind for each in hosts for kind in _evidence(each, declared, records=records))
        evidence = tuple(dict.fromkeys(shown))
        findings += _judge_use(hosts, declared, evidence)
        if records and evidence:
            bare = (each for each in hosts if each.format == "elf" and not each.recorded)
            findings += (_bare(each, declared) for each in bare)
    elif report.platforms and report.has_machine_code and not declared.is_baseline:
        findings += _judge_devices_alone(report, declared)
    return Judgement(
        variant=variant,
        findings=_without_repeats(findings),
        evidence=evidence,
        found=report.level,
        has_machine_code=report.has_machine_code,
    )


def _without_repeats(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return `findings` with one about the machine of each file: the first, about its tags."""
    seen: set[str | None] = set()
    kept = []
    for each in findings:
        if each.rule == "wrong-machine" and each.path is not None:
            if each.path in seen:
                continue
            seen.add(each.path)
        kept.append(each)
    return tuple(kept)


def judge_in_place(
    reports: Sequence[AuditReport],
    variant: Variant,
    *,
    records: bool = False,
    planned: PlannedDevices | None = None,
) -> Judgement:
    """Compare what an editable build produced with `variant`, as `judge` does for a wheel.

    Device code is compared over all `reports` together: the project decides which module contains
    it.
    """
    made = [report for report in reports if report.has_machine_code]
    findings: list[Finding] = []
    if made and planned is not None:
        findings += judge_planned(made, planned)
    support: list[Support] = []
    for report in made:
        with_devices = any(file.device for file in report.files)
        declared = variant if with_devices else replace(variant, accelerator=None)
        if not declared.is_empty:
            judged = judge(report, declared, records=records)
            findings += judged.findings
            support += judged.evidence
    return Judgement(
        variant=variant,
        findings=tuple(findings),
        evidence=tuple(dict.fromkeys(support)),
        found=None,
        has_machine_code=bool(made),
    )


def judge_finished(report: AuditReport, variant: Variant) -> Judgement:
    """Judge a finished wheel; without a label, needing more than the baseline is only a warning.

    Such a wheel does not name a CPU, so none of its claims could be wrong.
    """
    judgement = judge(report, variant)
    if not variant.is_baseline:
        return judgement
    findings = tuple(
        replace(each, severity="warning") if each.rule in ("needs-more", "no-decoder") else each
        for each in judgement.findings
    )
    return replace(judgement, findings=findings)


def judge_fit(report: AuditReport, variant: Variant) -> Judgement:
    """Check whether the files run on a machine of `variant`, whatever the wheel declares.

    Like `judge`, without the rules on what a wheel may claim: evidence, use, ISA notes and labels.
    """
    whole = judge(report, variant)
    rules = (
        "needs-more",
        "no-decoder",
        "cannot-tell",
        "unknown-switches",
        "wrong-machine",
        "unreadable",
    )
    findings = (*whole.findings, *(judge_unseen(each) for each in report.files if each.unseen))
    return replace(
        whole, findings=tuple(each for each in findings if each.rule in (*rules, "not-audited"))
    )


def _is_for(file: FileReport, arch: str) -> bool:
    # A static library does not name its machine, but its code needs evidence like other code.
    return file.role == "host" and not file.fault and (not file.machines or arch in file.machines)


def _evidence(file: FileReport, declared: Processor, *, records: bool) -> Iterator[Support]:
    if (
        file.code is not None
        and file.level is not None
        and includes(declared.arch, file.level, declared.shown)
    ):
        yield "instructions"
    if any(declared.is_reached_by(line) for line in file.recorded):
        yield "switches"
    elif file.isa_note == declared.level and not file.recorded and not records:
        # Recorded flags for a lower level prove that only the linker was given the level.
        yield "note"


def _judge_use(
    files: list[FileReport], declared: Processor, evidence: tuple[Support, ...]
) -> Iterator[Finding]:
    asked = tuple(dict.fromkeys(line.asked for file in files for line in file.recorded))
    recorded = f"the compiler recorded {', '.join(asked)}" if asked else "no flags are recorded"
    if not evidence:
        yield Finding(
            severity="error",
            rule="no-evidence",
            message=f"nothing in the files shows that they were compiled for {declared.name}: "
            f"{recorded}, and {_note_words(files, declared)}",
            evidence=evidence_of("switches", *asked),
        )
        return
    decoded = all(file.code is not None for file in files if file.format == "elf")
    needs = "holds no instruction above" if decoded else "is not known to need more than"
    known = [file.level for file in files if file.level is not None]
    found = highest(declared.arch, known)
    if not includes(declared.arch, found, declared.shown):
        why = f"did the compiler flags take effect? ({recorded})"
        if "switches" in evidence:
            why = f"it was compiled for {declared.name} ({recorded}), but uses nothing more"
        yield Finding(
            severity="warning",
            rule="uses-less",
            message=f"declared {declared.name}, but the code {needs} {found}: {why}",
            evidence=evidence_of("switches", *asked),
        )


def _judge_devices_alone(report: AuditReport, declared: Processor) -> Iterator[Finding]:
    """Yield an error if a wheel that names a CPU has nothing but GPU code."""
    if all(each.role != "host" for each in report.files):
        yield Finding(
            severity="error",
            rule="no-evidence",
            message=f"the wheel contains code for GPUs only, none for {declared.name}: "
            '`cpu = "none"` labels it by its GPU code alone',
        )


def _bare(file: FileReport, declared: Processor) -> Finding:
    return Finding(
        severity="warning",
        rule="uses-less",
        message=f"{file.path} records no compiler flags, unlike other files: did the flags for "
        f"{declared.name} take effect there?",
        path=file.path,
    )


def _note_words(files: list[FileReport], declared: Processor) -> str:
    if any(file.isa_note == declared.level for file in files):
        return "the ISA note only shows the options of the linker"
    return "no ISA note contains it"
