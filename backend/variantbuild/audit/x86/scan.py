"""Decodes the code of an x86-64 file once, function by function, to find what is worth following.

Python does nothing per instruction: the kinds of instructions of a function are one set, and most
functions have no kind that matters. All bytes that are mapped executable are decoded, whatever the
section headers say.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter

from iced_x86 import Code, Decoder

from variantbuild.audit.x86.instructions import PROBES, kinds_of, needs_of
from variantbuild.binary.elf import Data
from variantbuild.binary.elf.loaded import Loaded, Span
from variantbuild.binary.elf.symbols import Bounds

_code = attrgetter("code")
_WINDOW = 4 << 20
_LONGEST = 15
# Padding that compilers and linkers put between functions: int3, long nops, and zeros.
_PADDING = re.compile(rb"(?:[\x90\xcc\x00\x66\x2e]|\x0f\x1f[\x00\x40\x44\x80\x84])*")


@dataclass(kw_only=True, slots=True)
class Scan:
    """The result of decoding: `uses` are what functions need as facts, by their start.

    `probes` are the functions that query the CPU, `calls` those that call the system directly.
    `packed` and `plain` count functions with vector instructions of VEX or EVEX encoding, and of
    the older one.
    """

    uses: dict[int, int] = field(default_factory=dict)
    probes: set[int] = field(default_factory=set)
    calls: set[int] = field(default_factory=set)
    packed: int = 0
    plain: int = 0

    def add(self, other: Scan) -> None:
        """Add the result for another part of the same file."""
        self.uses.update(other.uses)
        self.probes |= other.probes
        self.calls |= other.calls
        self.packed += other.packed
        self.plain += other.plain


Part = tuple[Span, int, int]
"""A range of a span between two addresses, cut at function starts."""


def parts_of(image: Loaded, bounds: Bounds) -> list[Part]:
    """Cut all code of a file into ranges of about 4 MiB."""
    return [(span, start, end) for span in image.code for start, end in _windows(span, bounds)]


def scan_parts(data: Data, bounds: Bounds, parts: Iterable[Part]) -> Scan:
    """Decode every function in `parts`, and the bytes between functions if they are code."""
    scan = Scan()
    kinds = kinds_of()
    for span, start, end in parts:
        behind = min(end + _LONGEST, span.end)
        offset = span.offset + start - span.start
        raw = bytes(data[offset : offset + behind - start])
        for first, last, known in _ranges(bounds, start, end):
            part = raw[first - start : last - start]
            if not known and _PADDING.fullmatch(part):
                continue
            codes = set(map(_code, Decoder(64, part, ip=first)))
            if not codes <= kinds.plain:
                if Code.INVALID in codes and last < behind:
                    # An instruction may go on behind what a symbol calls the end.
                    codes = _codes_to(raw[first - start :], first, last)
                kinds.learn(codes)
                _note(scan, first, codes)
    return scan


def _codes_to(raw: bytes, first: int, last: int) -> set[int]:
    codes: set[int] = set()
    for each in Decoder(64, raw, ip=first):
        if each.ip >= last:
            break
        codes.add(each.code)
    return codes


def _note(scan: Scan, first: int, codes: set[int]) -> None:
    kinds = kinds_of()
    needs = 0
    for code in codes & kinds.above:
        needs |= needs_of(code)
    if needs:
        scan.uses[first] = needs
    if codes & PROBES:
        scan.probes.add(first)
    if Code.SYSCALL in codes:
        scan.calls.add(first)
    scan.packed += not codes.isdisjoint(kinds.packed)
    scan.plain += not codes.isdisjoint(kinds.legacy)


def _windows(span: Span, bounds: Bounds) -> Iterator[tuple[int, int]]:
    start, end = span.start, span.end
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
