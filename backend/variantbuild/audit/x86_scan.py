"""Decode the code of an x86-64 file: which function needs what, and who calls whom.

Two passes: the first only counts kinds of instructions, with nothing per instruction in Python,
and settles files that hold baseline code alone. The second goes function by function, so that
data between functions cannot put the decoder out of step.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter

from iced_x86 import Code, Decoder, Instruction

from variantbuild.audit.symbols import Bounds
from variantbuild.audit.x86_needs import needs_of
from variantbuild.elf import Data, Elf, Section

_code = attrgetter("code")
_WINDOW = 4 << 20
PROBES = frozenset({Code.CPUID, Code.XGETBV})
_CALLS = frozenset({Code.CALL_REL32_64, Code.CALL_RM64})


@dataclass(kw_only=True, slots=True)
class Scan:
    """What the second pass collects.

    `uses` maps a function's start to what it needs: need to (count, first address). `callers` and
    `callees` are parallel: a direct call, or a call through the slot at an address (`via_slots`).
    `probes` are the functions that ask the processor what it is.
    """

    uses: dict[int, dict[str, tuple[int, int]]] = field(default_factory=dict)
    callers: array[int] = field(default_factory=lambda: array("Q"))
    callees: array[int] = field(default_factory=lambda: array("Q"))
    probes: set[int] = field(default_factory=set)


def count_codes(data: Data, elf: Elf, bounds: Bounds) -> Counter[int]:
    """Count the instructions of all executable sections by iced-x86's code."""
    counts: Counter[int] = Counter()
    for section in code_sections(elf):
        for start, end in _windows(section, bounds):
            counts.update(map(_code, _decoder(data, elf, section, start, end)))
    return counts


def scan_functions(
    data: Data, elf: Elf, bounds: Bounds, hot: frozenset[int], most: int | None = None
) -> Scan:
    """Go through every function and collect the instructions whose code is in `hot`, and calls.

    With `most`, stop once so many functions are found, and leave calls out.
    """
    scan = Scan()
    wanted = hot if most is not None else hot | PROBES | _CALLS
    for section in code_sections(elf):
        for start, end in _windows(section, bounds):
            raw = _bytes(data, section, start, end)
            for first, last, known in _ranges(bounds, start, end):
                part = raw[first - start : last - start]
                found = list(Decoder(64, part, ip=first))
                codes = list(map(_code, found))
                if wanted.isdisjoint(codes) or (not known and Code.INVALID in codes):
                    # Between functions, bytes that do not decode are tables, not code.
                    continue
                _collect(scan, first, compress(found, map(wanted.__contains__, codes)))
                if most is not None and len(scan.uses) >= most:
                    return scan
    return scan


def decode_function(data: Data, elf: Elf, start: int, end: int) -> list[Instruction]:
    """Decode the function between two addresses; empty where the file holds no bytes for it."""
    offset = elf.offset_of(start)
    if offset is None:
        return []
    return list(Decoder(64, bytes(data[offset : offset + end - start]), ip=start))


def code_sections(elf: Elf) -> Iterator[Section]:
    """Yield the sections that hold instructions, or the segments where sections are stripped."""
    yield from (each for each in elf.sections if each.executable and each.size)
    if elf.sections:
        return
    for segment in elf.segments:
        if segment.executable:
            yield Section(
                name="segment",
                type=1,
                flags=6,
                address=segment.address,
                offset=segment.offset,
                size=segment.size,
                link=0,
                entry_size=0,
            )


def _collect(scan: Scan, function: int, instructions: Iterator[Instruction]) -> None:
    for each in instructions:
        code = each.code
        if code == Code.CALL_REL32_64:
            scan.callers.append(function)
            scan.callees.append(each.near_branch_target)
        elif code == Code.CALL_RM64:
            if each.is_ip_rel_memory_operand:
                scan.callers.append(function)
                scan.callees.append(each.ip_rel_memory_address)
        elif code in PROBES:
            scan.probes.add(function)
        else:
            uses = scan.uses.setdefault(function, {})
            for need in needs_of(code):
                count, first = uses.get(need, (0, each.ip))
                uses[need] = (count + 1, first)


def _windows(section: Section, bounds: Bounds) -> Iterator[tuple[int, int]]:
    """Cut a section at function starts into stretches of about 4 MiB."""
    from bisect import bisect_left

    start, end = section.address, section.address + section.size
    while end - start > 2 * _WINDOW:
        at = bisect_left(bounds.starts, start + _WINDOW)
        cut = bounds.starts[at] if at < len(bounds.starts) else end
        if cut >= end:
            break
        yield start, cut
        start = cut
    yield start, end


def _ranges(bounds: Bounds, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
    """Cut a stretch into functions (True) and what lies between them (False)."""
    from bisect import bisect_left

    at = start
    for i in range(bisect_left(bounds.starts, start), len(bounds.starts)):
        first, last = bounds.starts[i], min(bounds.ends[i], end)
        if first >= end:
            break
        if first > at:
            yield at, first, False
        yield first, last, True
        at = max(at, last)
    if at < end:
        # Without any bounds the whole stretch is one function.
        yield at, end, not bounds.starts


def _bytes(data: Data, section: Section, start: int, end: int) -> bytes:
    offset = section.offset + start - section.address
    return bytes(data[offset : offset + end - start])


def _decoder(data: Data, elf: Elf, section: Section, start: int, end: int) -> Decoder:
    return Decoder(elf.bits, _bytes(data, section, start, end), ip=start)
