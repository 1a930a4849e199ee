"""What one file needs beyond the declared CPU: findings, each with its evidence.

Decoded instructions take precedence over recorded flags, and those over the ISA note, which only
shows the options of the linker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from variantbuild.audit.judge.findings import Evidence, Finding, Source, evidence_of
from variantbuild.audit.report import NOT_FOLLOWED, Code, Demand, FileReport
from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import baseline, highest, includes
from variantbuild.isa.processor import Processor, resolve_processor
from variantbuild.values import dataclass


def judge_file(
    file: FileReport, arch: str, declared: Processor, sibling: str | None = None
) -> Iterator[Finding]:
    """Yield what prevents, or may prevent, `file` from running on `declared`, a CPU of `arch`.

    `sibling` is a module that Python code may load in its place.
    """
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
    found = _judge_needs(file, arch, declared)
    yield from found if sibling is None else (_maybe_chosen(each, sibling) for each in found)
    yield from _judge_guard(file, arch, declared)


def _maybe_chosen(finding: Finding, sibling: str) -> Finding:
    """Return `finding` as one that may not matter, as Python code may load `sibling` instead.

    An ISA note is a requirement in any case.
    """
    if finding.rule != "needs-more" or any(each.source == "note" for each in finding.evidence):
        return finding
    return replace(
        finding,
        severity="warning",
        rule="cannot-tell",
        message=f"{finding.message}; judging by their names, Python code may load "
        f"{sibling} instead, which the audit cannot see",
    )


#: Registers that the operating system saves, as features.
_SAVED = frozenset({"ymm", "zmm", "tile"})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Need:
    """A level that a file needs: the evidence, and whether it is only a warning."""

    level: str
    source: Source
    shown_by: str
    evidence: tuple[Evidence, ...]
    is_warning: bool = False


def _judge_needs(file: FileReport, arch: str, declared: Processor) -> Iterator[Finding]:
    if file.code is not None and declared.has is not None:
        yield from _judge_code(file, file.code, declared, declared.has)
    # With dispatch at run time, some translation units are compiled for a higher level on purpose.
    # If all are, the dispatch code itself needs it.
    chooses = any(
        line.unknown is None and includes(arch, declared.level, line.level)
        for line in file.recorded
    )
    dispatches = file.code is not None and file.code.guard is not None and chooses
    for line in file.recorded:
        if line.unknown is not None and not declared.is_called(line.unknown):
            yield Finding(
                severity="warning" if dispatches else "error",
                rule="unknown-switches",
                message=f"{file.path} was compiled with {line.asked}, from which the "
                f"level that it needs cannot be determined",
                path=file.path,
                evidence=evidence_of("switches", line.asked),
            )
    needs = tuple(_needs(file, declared, dispatches=dispatches))
    undecided = _undecided_needs(file, needs)
    needs = tuple(each for each in needs if each not in undecided)
    for is_warning in (False, True):
        if same := [each for each in needs if each.is_warning == is_warning]:
            yield _needs_more(file, declared, same)
    if undecided:
        certain = highest(arch, [each.level for each in needs]) if needs else declared.name
        yield _undecided(file, certain, undecided)


def _needs(file: FileReport, declared: Processor, *, dispatches: bool) -> Iterator[_Need]:
    """Yield each sign that the file needs a level above that of `declared`, the best one first."""
    arch = declared.arch
    if file.code is not None and declared.has is not None:
        yield from _need_by_code(arch, file.code.needed(declared.has))
    for line in file.recorded:
        known = line.unknown is None or declared.is_called(line.unknown)
        if known and not includes(arch, declared.level, line.level):
            yield _Need(
                level=line.level,
                source="switches",
                shown_by=f"its recorded {line.asked}",
                evidence=evidence_of("switches", line.asked),
                is_warning=dispatches,
            )
    if file.isa_note is not None and not includes(arch, declared.level, file.isa_note):
        note = evidence_of("note", f"ISA note: {file.isa_note}")
        yield _Need(level=file.isa_note, source="note", shown_by="its ISA note", evidence=note)


def _undecided_needs(file: FileReport, needs: Sequence[_Need]) -> tuple[_Need, ...]:
    """Return the recorded flags that only the decoder could show to be needed.

    Units that are compiled for more than others may be chosen at run time.
    """
    known = [line.level for line in file.recorded if line.unknown is None]
    if not file.lacks_decoder or not known:
        return ()
    lowest = architecture(file.machine).lowest(known).name
    return tuple(
        each
        for each in needs
        if each.source == "switches" and not includes(file.machine, lowest, each.level)
    )


def _need_by_code(arch: str, needed: Sequence[Demand]) -> Iterator[_Need]:
    """Yield what the instructions need, if any level has it."""
    levels = [each.level for each in needed if each.level is not None]
    if levels:
        level = highest(arch, levels)
        first = next((each for each in needed if each.level == level), needed[0])
        yield _Need(
            level=level,
            source="instructions",
            shown_by=f"its instructions ({first.paths[0]})",
            evidence=evidence_of("instructions", *(str(each.paths[0]) for each in needed)),
        )


def _undecided(file: FileReport, certain: str, needs: Sequence[_Need]) -> Finding:
    """Return what can be said of units that are compiled for more, without their instructions."""
    words = dict.fromkeys(one.text for each in needs for one in each.evidence)
    return Finding(
        severity="error",
        rule="no-decoder",
        message=f"whether {file.path} needs more than {certain} cannot be told without the "
        f"decoder of instructions: some of its sources were compiled with {', '.join(words)}, "
        "others were not, as for code that is chosen at run time",
        path=file.path,
        evidence=tuple(dict.fromkeys(one for each in needs for one in each.evidence)),
    )


def _needs_more(file: FileReport, declared: Processor, needs: Sequence[_Need]) -> Finding:
    """Return the one finding for the fact that all `needs` show: a file needs too high a level."""
    level = highest(declared.arch, [each.level for each in needs])
    decisive = [each for each in needs if each.level == level]
    # Without a decisive one, the level is the lowest that includes several (armv8.9a, armv9.0a).
    shown = {each.source: each.shown_by for each in reversed(decisive)}
    *others, last = tuple(reversed(shown.values())) or [each.shown_by for each in needs]
    shown_by = f"{', '.join(others)} and {last}" if others else last
    return Finding(
        severity="warning" if needs[0].is_warning else "error",
        rule="needs-more",
        message=f"{file.path} needs {level} by {shown_by}, more than {declared.name} has",
        path=file.path,
        evidence=tuple(dict.fromkeys(one for each in needs for one in each.evidence)),
    )


def _judge_code(
    file: FileReport, code: Code, declared: Processor, has: frozenset[str]
) -> Iterator[Finding]:
    """Yield what the instructions need beyond `has`, and what they may need."""
    beyond = [each for each in code.needed(has) if each.level is None]
    if beyond and not any(each.level for each in code.needed(has)):
        yield Finding(
            severity="error",
            rule="needs-more",
            message=f"{file.path} needs {', '.join(each.feature for each in beyond)} by its "
            f"instructions ({beyond[0].paths[0]}), which not every {declared.name} CPU has",
            path=file.path,
            evidence=evidence_of("instructions", *(str(each.paths[0]) for each in beyond)),
        )
    unclear = code.unclear(has)
    if unclear or code.obscure:
        yield _cannot_tell(file, code, declared, unclear)


def _cannot_tell(
    file: FileReport, code: Code, declared: Processor, unclear: Sequence[Demand]
) -> Finding:
    """Return the finding that names the functions, the way in, and what would settle it."""
    reasons = list(code.obscure)
    if unclear:
        names = ", ".join(dict.fromkeys(each.level or each.feature for each in unclear))
        first = min((each.paths[0] for each in unclear), key=lambda path: len(path.functions))
        if {each.feature for each in unclear} <= _SAVED:
            reasons.append(
                "the dispatch check before that code asks CPUID, but not XGETBV whether the "
                f"operating system saves the registers ({first})"
            )
        elif first.root == NOT_FOLLOWED:
            reasons.append(
                f"too much code leads to that for {names} to follow all of it "
                f"({first.functions[-1]})"
            )
        else:
            reasons.append(f"no dispatch check was found before code for {names} ({first})")
    return Finding(
        severity="warning",
        rule="cannot-tell",
        message=f"the audit cannot tell whether {file.path} needs more than {declared.name}: "
        f"{'; '.join(reasons)}; run it on a {declared.name} CPU to find out",
        path=file.path,
        evidence=evidence_of(
            "instructions",
            *(str(path) for each in unclear for path in each.paths),
            *code.obscure,
        ),
    )


def _judge_guard(file: FileReport, arch: str, declared: Processor) -> Iterator[Finding]:
    wanted = declared.level if arch == "x86_64" else baseline(arch)
    if wanted == baseline(arch) or file.kind == "object":
        return
    if file.isa_note == wanted:
        yield from _judge_beyond_note(file, declared)
        return
    if file.code is not None and file.required == baseline(arch) and not file.features:
        return  # every CPU runs it, such as a library that `repair` grafted
    yield Finding(
        severity="warning",
        rule="no-guard",
        message=f"{file.path} has no ISA note for {wanted}: on a CPU below that level "
        f"it fails with an illegal instruction instead of ImportError",
        path=file.path,
        evidence=evidence_of("note", f"ISA note: {file.isa_note or 'none'}"),
    )


def _judge_beyond_note(file: FileReport, declared: Processor) -> Iterator[Finding]:
    """Yield what a module for a named CPU uses without a check, and its ISA note does not ask for.

    Such a module has been compiled for more than a level, which only its instructions show.
    """
    if declared.features is None or file.code is None:
        return
    level = resolve_processor(declared.arch, declared.level).has
    used = [] if level is None else [each.feature for each in file.code.needed(level)]
    if used:
        yield Finding(
            severity="warning",
            rule="no-guard",
            message=f"{file.path} uses {', '.join(used)}, which its ISA note for {declared.level} "
            f"does not ask for: on a {declared.level} CPU without that it fails with an illegal "
            "instruction instead of ImportError",
            path=file.path,
            evidence=evidence_of("features", *used),
        )


def judge_unseen(file: FileReport) -> Finding:
    """Note that `file` was not inspected, and why."""
    return Finding(
        severity="note",
        rule="static-library" if file.format == "ar" else "not-audited",
        message=f"{file.path} was not inspected: {file.unseen}",
        path=file.path,
    )
