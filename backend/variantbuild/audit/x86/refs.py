"""Everything in the code of a file that refers to another place, recognised by its bytes.

Branches with 32-bit displacements, and operands relative to the instruction pointer. Bytes that
only look like that are included: whoever asks decodes the function to see.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator

from variantbuild.binary.elf.loaded import Loaded

_WINDOW = 1 << 20
_LONGEST = 15
_LEA = b"\x8d"
# Behind the opcode, a displacement of which the highest byte is one that an address needs.
_BRANCH = rb"[\xe8\xe9](?=...[%b])|\x0f(?=[\x80-\x8f]...[%b])"
_RELATIVE = rb"[\x05\x0d\x15\x1d\x25\x2d\x35\x3d](?=...[%b])"
#: Bytes of an immediate operand that may follow the displacement.
_IMMEDIATES = (0, 1, 2, 4)


def _patterns(within: list[tuple[int, int]]) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return the patterns of branches and of operands in memory that is `within` these ranges."""
    lowest = min((start for start, _ in within), default=0)
    largest = max((end for _, end in within), default=0) - lowest
    reach = min(largest >> 24, 127)
    highest = b"\x00-%b%b-\xff" % (re.escape(bytes([reach])), re.escape(bytes([255 - reach])))
    return (
        re.compile(_BRANCH % (highest, highest), re.DOTALL),
        re.compile(_RELATIVE % highest, re.DOTALL),
    )


class Refs:
    """Sorted by target: `branches` of (target, place), and operands of (base, place).

    The target of an operand is its base or a few bytes behind it, depending on the immediate.
    """

    def __init__(self, image: Loaded) -> None:
        self._image = image
        self._code = [(span.start, span.end) for span in image.code]
        self._all = [
            (each.address, each.address + each.memory)
            for each in image.elf.segments
            if each.type == 1
        ]
        branch, relative = _patterns(self._all)
        branches: list[tuple[int, int]] = []
        operands: list[tuple[int, int]] = []
        for start, end in self._code:
            for at in range(start, end, _WINDOW):
                size = min(_WINDOW, end - at)
                raw = image.read(at, size + _LONGEST)
                branches += self._find(raw, at, size, branch, self._code)
                operands += self._find(raw, at, size, relative, self._all)
        branches.sort()
        operands.sort()
        self._branch_targets = array("Q", (target for target, _ in branches))
        self._branch_places = array("Q", (place for _, place in branches))
        self._bases = array("Q", (base for base, _ in operands))
        self._operand_places = array("Q", (place for _, place in operands))

    @staticmethod
    def _find(
        raw: bytes, start: int, size: int, pattern: re.Pattern[bytes], within: list[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        whole = memoryview(raw)
        views = [whole[by : by + (len(raw) - by) // 4 * 4].cast("i") for by in range(4)]
        long = pattern.pattern.startswith(_BRANCH[:4])
        last = len(raw) - 6
        found = []
        for match in pattern.finditer(raw, 0, min(size, max(0, last))):
            place = match.start()
            at = place + 1 + (long and raw[place] == 0x0F)
            target = start + at + 4 + views[at & 3][at >> 2]
            for first, behind in within:
                if first <= target < behind:
                    found.append((target, start + place))
                    break
        return found

    def branches(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield (place, target) of the branches to the addresses from `start` to `end`."""
        at = bisect_left(self._branch_targets, start)
        while at < len(self._branch_targets) and self._branch_targets[at] < end:
            yield self._branch_places[at], self._branch_targets[at]
            at += 1

    def operands(self, start: int, end: int) -> Iterator[int]:
        """Yield the places of operands that may refer to the addresses from `start` to `end`."""
        at = bisect_left(self._bases, start - max(_IMMEDIATES))
        while at < len(self._bases) and self._bases[at] < end:
            yield self._operand_places[at]
            at += 1

    def addresses(self, start: int, end: int) -> Iterator[int]:
        """Yield the addresses from `start` to `end` that LEA may take."""
        at = bisect_left(self._bases, start)
        while at < len(self._bases) and self._bases[at] < end:
            if self._image.read(self._operand_places[at] - 1, 1) == _LEA:
                yield self._bases[at]
            at += 1
