"""Which files of a bundle are copies for one level only, and what that means for a judgement.

A copy is chosen on CPUs of its level alone: it is judged by that level, and all other files by what
the wheel is for.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from variantbuild.audit.judge.findings import Finding, Judgement
from variantbuild.audit.report import AuditReport
from variantbuild.binary.choosers import Chooser, read_chooser
from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.isa.cpus import known_cpus
from variantbuild.isa.levels import baseline, includes
from variantbuild.values import dataclass
from variantbuild.variant import Variant
from variantbuild.wheel import Wheel
from variantbuild.wheel.machinecode import find_machine_code, read_machine_code
from variantbuild.wheel.unsound import UnsoundWheelError, naming_wheel

#: Choosers are small: a larger file is not read for a table.
_LARGEST = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """The choosers of a wheel by member name, and the level of each copy by member name."""

    choosers: Mapping[str, Chooser]
    levels: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.choosers)

    def split(self, report: AuditReport) -> tuple[AuditReport, dict[str, AuditReport]]:
        """Return the report on what every CPU loads, and one for each level on its copies."""
        common = tuple(each for each in report.files if each.path not in self.levels)
        parts: dict[str, AuditReport] = {}
        for level in dict.fromkeys(self.levels.values()):
            files = tuple(each for each in report.files if self.levels.get(each.path) == level)
            if files:
                parts[level] = replace(report, files=files)
        return replace(report, files=common), parts


def find_copies(wheel: Wheel) -> Copies:
    """Read the choosers of a wheel; a file that two levels share is of the lower one.

    Raises UnsoundWheelError for a member that cannot be inflated, and for a table of copies that
    contradicts itself or the wheel.
    """
    with naming_wheel(wheel.path.name):
        return _find_copies(wheel)


def _find_copies(wheel: Wheel) -> Copies:
    choosers: dict[str, Chooser] = {}
    levels: dict[str, str] = {}
    lowest: set[str] = set()
    for member, found in find_machine_code(wheel):
        if found.format != "elf" or found.role != "host" or member.size > _LARGEST:
            continue
        chooser = _chooser(wheel, member.name)
        if chooser is None:
            continue
        fault = table_fault(chooser, found.machines[0]) or _missing(wheel, member.name, chooser)
        if fault is not None:
            raise UnsoundWheelError(fault, member=member.name)
        choosers[member.name] = chooser
        lowest.add(chooser.copies[-1].label)
        for place, label in copied_files(member.name, chooser):
            known = levels.get(place)
            if known is None or includes(found.machines[0], known, label):
                levels[place] = label
    kept = {place: level for place, level in levels.items() if level not in lowest}
    return Copies(choosers=choosers, levels=kept)


def table_fault(chooser: Chooser, arch: str) -> str | None:
    """Return what is wrong with the labels of a table of copies for `arch`; None if they are sound.

    Whoever reads a table may rely on it: each label is a CPU of `arch`, none is there twice, and
    the last is the baseline, which every CPU runs.
    """
    labels = [copy.label for copy in chooser.copies]
    for label in labels:
        if label not in known_cpus(arch):
            return f"its table of copies names {label!r}, which is not a level or CPU of {arch}"
        if labels.count(label) > 1:
            return f"its table of copies names {label} twice"
    if labels[-1] != baseline(arch):
        return f"its table of copies does not end with the baseline, {baseline(arch)}"
    return None


def _missing(wheel: Wheel, name: str, chooser: Chooser) -> str | None:
    for place, label in copied_files(name, chooser):
        if place == name or place not in wheel:
            return f"the copy for {label} in its table of copies, {place}, is not in the wheel"
    return None


def copied_files(name: str, chooser: Chooser) -> Iterator[tuple[str, str]]:
    """Yield (member, level) of the files that the chooser called `name` may load."""
    directory = posixpath.dirname(name)
    for copy in chooser.copies:
        for file in (copy.file, *copy.libraries):
            yield posixpath.normpath(posixpath.join(directory, file)), copy.label


def _chooser(wheel: Wheel, name: str) -> Chooser | None:
    data = read_machine_code(wheel, wheel.member(name))
    try:
        return read_chooser(parse_elf(data), data)
    except ElfError:
        return None


def judge_copies(
    report: AuditReport,
    copies: Copies,
    variant: Variant,
    judge: Callable[[AuditReport, Variant], Judgement],
) -> Judgement:
    """Judge a report with `judge`: the copies of each level by that level, the rest by `variant`.

    Without copies this is `judge(report, variant)`.
    """
    common, parts = copies.split(report)
    whole = judge(common, variant)
    findings: dict[Finding, None] = dict.fromkeys(whole.findings)
    for level, part in parts.items():
        judged = judge(part, Variant(arch=variant.arch, cpu=level))
        findings.update(dict.fromkeys(judged.findings))
    return replace(
        whole,
        findings=tuple(findings),
        has_machine_code=report.has_machine_code,
    )
