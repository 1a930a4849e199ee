"""What one file needs beyond the declared CPU: findings, each with its evidence.

Decoded instructions take precedence over recorded flags, and those over the ISA note, which only
shows what the link was given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from variantbuild.audit.judge.findings import Evidence, Finding, evidence_of
from variantbuild.audit.report import Code, FileReport, Function
from variantbuild.isa.levels import baseline, includes
from variantbuild.isa.processor import Processor


def judge_file(file: FileReport, arch: str, declared: Processor) -> Iterator[Finding]:
    """Yield what prevents `file` from running on `declared`, a CPU of `arch`, or may do so."""
    if file.fault is not None:
        yield Finding(
            severity="error",
            rule="unreadable",
            message=f"{file.path} cannot be read: {file.fault}",
            path=file.path,
        )
        return
    if file.role != "host":
        return
    if file.machines and arch not in file.machines:
        yield Finding(
            severity="error",
            rule="wrong-machine",
            message=f"{file.path} is for {file.machine_names}, not for {arch}",
            path=file.path,
        )
        return
    if file.format != "elf":
        yield judge_unseen(file)
        return
    yield from _judge_needs(file, arch, declared)
    yield from _judge_guard(file, arch, declared)


def _judge_needs(file: FileReport, arch: str, declared: Processor) -> Iterator[Finding]:
    if file.isa_note is not None and not includes(arch, declared.level, file.isa_note):
        note = Evidence(source="note", text=f"ISA note: {file.isa_note}")
        yield _needs_more(file, declared, "its ISA note", file.isa_note, note)
    if file.code is not None:
        yield from _judge_code(file, file.code, arch, declared)
    # With dispatch at run time, some units are compiled for more on purpose. Where every unit is,
    # the dispatch itself needs more.
    chooses = any(
        line.unknown is None and includes(arch, declared.level, line.level)
        for line in file.switches
    )
    dispatches = file.code is not None and file.code.guard is not None and chooses
    for line in file.switches:
        if line.unknown is not None and not declared.is_called(line.unknown):
            yield Finding(
                severity="warning" if dispatches else "error",
                rule="unknown-switches",
                message=f"{file.path} was compiled with {line.asked}, from which the "
                f"level that it needs cannot be determined",
                path=file.path,
                evidence=evidence_of("switches", line.asked),
            )
        elif not includes(arch, declared.level, line.level):
            recorded = Evidence(source="switches", text=line.asked)
            reason = f"its recorded {line.asked}"
            found = _needs_more(file, declared, reason, line.level, recorded)
            yield replace(found, severity="warning") if dispatches else found


def _judge_code(file: FileReport, code: Code, arch: str, declared: Processor) -> Iterator[Finding]:
    if declared.has is not None:
        yield from _judge_features(file, code, declared, declared.has)
        return
    if not includes(arch, declared.level, code.level):
        culprits = [each for each in code.functions if not each.guarded]
        yield _by_instructions(file, code.level, culprits, f"more than {declared.name} has")
    missing = [
        each.name
        for each in code.extensions
        if not each.dispatched and (declared.features is None or each.name not in declared.features)
    ]
    if missing:
        yield Finding(
            severity="warning",
            rule="extension",
            message=f"{file.path} uses {', '.join(missing)} without a dispatch check, and "
            f"not every {declared.name} CPU has that",
            path=file.path,
            evidence=evidence_of("features", *missing),
        )


def _judge_features(
    file: FileReport, code: Code, declared: Processor, has: frozenset[str]
) -> Iterator[Finding]:
    """Compare feature by feature, for architectures whose levels do not order them."""
    missing = {each.name for each in code.extensions if not each.dispatched} - has
    if missing:
        culprits = [each for each in code.functions if each.needs in missing and not each.guarded]
        names = ", ".join(sorted(missing))
        yield _by_instructions(file, names, culprits, f"which not every {declared.name} CPU has")


def _by_instructions(
    file: FileReport, needs: str, culprits: Sequence[Function], verdict: str
) -> Finding:
    first = culprits[0] if culprits else None
    where = "" if first is None else f" ({first.name}: {first.instruction} at {first.at:#x})"
    return Finding(
        severity="error",
        rule="needs-more",
        message=f"{file.path} needs {needs} by its instructions{where}, {verdict}",
        path=file.path,
        evidence=evidence_of(
            "instructions",
            *(f"{each.name} at {each.at:#x}: {each.instruction}" for each in culprits),
        ),
    )


def _needs_more(
    file: FileReport, declared: Processor, reason: str, level: str, evidence: Evidence
) -> Finding:
    return Finding(
        severity="error",
        rule="needs-more",
        message=f"{file.path} needs {level} by {reason}, more than {declared.name} has",
        path=file.path,
        evidence=(evidence,),
    )


def _judge_guard(file: FileReport, arch: str, declared: Processor) -> Iterator[Finding]:
    wanted = declared.level if arch == "x86_64" else baseline(arch)
    if wanted == baseline(arch) or file.kind == "object" or file.isa_note == wanted:
        return
    yield Finding(
        severity="warning",
        rule="no-guard",
        message=f"{file.path} has no ISA note for {wanted}: on a CPU below that level "
        f"it fails with an illegal instruction instead of ImportError",
        path=file.path,
        evidence=evidence_of("note", f"ISA note: {file.isa_note or 'none'}"),
    )


def judge_unseen(file: FileReport) -> Finding:
    """Note that `file` was not inspected, and why."""
    return Finding(
        severity="note",
        rule="not-audited",
        message=f"{file.path} was not inspected: {file.unseen}",
        path=file.path,
    )
