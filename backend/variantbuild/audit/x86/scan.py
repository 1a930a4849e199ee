"""Decodes the code of an x86-64 file once, function by function.

Each function is decoded separately, so that data between functions cannot confuse the decoder.
Python does nothing per instruction: the kinds of instructions of a function are one set, and most
functions have no kind that matters. Calls are searched for as bytes, and only in files with
dispatch.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from itertools import compress
from operator import attrgetter

from iced_x86 import Code, Decoder, Instruction

from variantbuild.audit.x86.instructions import kinds_of, needs_of
from variantbuild.binary.elf import Data, Elf, Section
from variantbuild.binary.elf.symbols import Bounds

_code = attrgetter("code")
_WINDOW = 4 << 20
PROBES = frozenset({Code.CPUID, Code.XGETBV})
# Padding that compilers and linkers put between functions: int3, long nops, and zeros.
_PADDING = re.compile(rb"(?:[\x90\xcc\x00\x66\x2e]|\x0f\x1f[\x00\x40\x44\x80\x84])*")
_NEAR_CALL = re.compile(rb"\xe8")
_SLOT_CALL = re.compile(rb"\xff\x15")
_LONGEST_CALL = 6
_ADDRESSES = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Use:
    """The instructions above the baseline between two addresses, as iced-x86's codes."""

    end: int
    codes: tuple[int, ...]

    @property
    def needs(self) -> frozenset[str]:
        """The needs of the instructions: levels and names of extensions."""
        return frozenset(need for code in self.codes for need in needs_of(code))


@dataclass(kw_only=True, slots=True)
class Scan:
    """The result of decoding: `uses` by the start of a function.

    `probes` are the functions that query the CPU. `packed` and `plain` count functions with vector
    instructions of VEX or EVEX encoding, and of the older one.
    """

    uses: dict[int, Use] = field(default_factory=dict)
    probes: set[int] = field(default_factory=set)
    packed: int = 0
    plain: int = 0

    def add(self, other: Scan) -> None:
        """Add the result for another part of the same file."""
        self.uses.update(other.uses)
        self.probes |= other.probes
        self.packed += other.packed
        self.plain += other.plain


Part = tuple[Section, int, int]
"""A range of a section between two addresses, cut at function starts."""


def parts_of(elf: Elf, bounds: Bounds) -> list[Part]:
    """Cut all code of a file into ranges of about 4 MiB."""
    return [
        (section, start, end)
        for section in code_sections(elf)
        for start, end in _windows(section, bounds)
    ]


def scan_parts(data: Data, bounds: Bounds, parts: Iterable[Part]) -> Scan:
    """Decode every function in `parts`, and the bytes between functions if they are code."""
    scan = Scan()
    kinds = kinds_of()
    for section, start, end in parts:
        raw = _bytes(data, section, start, end)
        for first, last, known in _ranges(bounds, start, end):
            part = raw[first - start : last - start]
            if not known and _PADDING.fullmatch(part):
                continue
            codes = set(map(_code, Decoder(64, part, ip=first)))
            if not codes <= kinds.plain:
                kinds.learn(codes)
                if known or Code.INVALID not in codes:
                    # Between functions, bytes that do not decode are tables, not code.
                    _note(scan, first, last, codes)
    return scan


def _note(scan: Scan, first: int, last: int, codes: set[int]) -> None:
    kinds = kinds_of()
    above = codes & kinds.above
    if above:
        scan.uses[first] = Use(last, tuple(sorted(above)))
    if codes & PROBES:
        scan.probes.add(first)
    scan.packed += not codes.isdisjoint(kinds.packed)
    scan.plain += not codes.isdisjoint(kinds.legacy)


def first_use(data: Data, elf: Elf, start: int, end: int, need: str) -> int:
    """Return the address of the first instruction between two addresses that needs `need`."""
    body = decode_function(data, elf, start, end)
    return next((each.ip for each in body if need in needs_of(each.code)), start)


class Calls:
    """All direct calls of a file, and calls through slots, recognised by their bytes.

    Data that looks like a call is included, but is unlikely to hit one of a few targets by chance.
    """

    def __init__(self, data: Data, elf: Elf) -> None:
        self._places, self._targets = array("Q"), array("Q")
        for section in code_sections(elf):
            # Damaged files claim any size.
            end = section.address + min(section.size, len(data) - section.offset)
            for start in range(section.address, end, _WINDOW):
                raw = _bytes(data, section, start, min(start + _WINDOW + _LONGEST_CALL - 1, end))
                self._collect(raw, start, _NEAR_CALL, 1)
                self._collect(raw, start, _SLOT_CALL, 2)

    def of(self, targets: Set[int]) -> Iterator[int]:
        """Yield the addresses of the calls of any of `targets`."""
        yield from compress(self._places, map(targets.__contains__, self._targets))

    def _collect(self, raw: bytes, start: int, opcode: re.Pattern[bytes], length: int) -> None:
        # The displacements at every offset: four views of the same bytes, in the byte order of this
        # machine, which is that of the file, since iced-x86 only exists for x86-64 and AArch64.
        whole = memoryview(raw)
        views = [whole[by : by + (len(raw) - by) // 4 * 4].cast("i") for by in range(4)]
        found = opcode.finditer(raw, 0, min(_WINDOW + length - 1, max(0, len(raw) - 4)))
        places = [each.start() + length for each in found]
        behind = start + 4
        # Modulo 2 ** 64, as the CPU computes; damaged files have any address.
        self._targets.extend([(behind + at + views[at & 3][at >> 2]) & _ADDRESSES for at in places])
        self._places.extend([(start - length + at) & _ADDRESSES for at in places])


def decode_function(data: Data, elf: Elf, start: int, end: int) -> list[Instruction]:
    """Decode the function between two addresses; empty if the file has no bytes for it."""
    offset = elf.offset_of(start)
    if offset is None:
        return []
    return list(Decoder(64, bytes(data[offset : offset + end - start]), ip=start))


def code_sections(elf: Elf) -> Iterator[Section]:
    """Yield the sections with instructions, or the segments if sections are stripped."""
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


def _windows(section: Section, bounds: Bounds) -> Iterator[tuple[int, int]]:
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
    """Cut a range into functions (True) and the bytes between them (False)."""
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
        # Without any bounds the whole range is one function.
        yield at, end, not bounds.starts


def _bytes(data: Data, section: Section, start: int, end: int) -> bytes:
    offset = section.offset + start - section.address
    return bytes(data[offset : offset + end - start])
