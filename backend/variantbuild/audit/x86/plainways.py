"""The search in files that never ask the CPU: whatever can be reached may run on any CPU.

No state has to be followed there: the search goes from the uses of each feature backwards along
calls, until it meets what the loader or the interpreter calls.
"""

from __future__ import annotations

import functools
import operator
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from variantbuild.audit.x86.program import Program
from variantbuild.audit.x86.roots import Root, Roots
from variantbuild.audit.x86.ways import Needs, Result, Way

#: How many functions are looked at for each feature.
_MOST = 3000


def find_plain_ways(program: Program, uses: dict[int, int], needs: Needs) -> Result:
    """Return a way to each feature in `uses`: a certain one if one is found.

    A way is certain if it begins at a certain root, and each step on it is an instruction that
    control flow gets to.
    """
    search = _Search(program, needs, uses)
    left = functools.reduce(operator.or_, uses.values(), 0)
    while left:
        bit = left & -left
        left ^= bit
        found = search.find(bit, named=True) or search.find(bit, named=False)
        if found is not None:
            (search.result.certain if found.is_certain else search.result.open).append(found.way)
    return search.result


class _Found(NamedTuple):
    way: Way
    is_certain: bool


class _Search:
    def __init__(self, program: Program, needs: Needs, uses: dict[int, int]) -> None:
        self._program, self._needs = program, needs
        self._roots = Roots(program)
        self._uses = uses
        self.result = Result()

    def find(self, bit: int, *, named: bool) -> _Found | None:
        """Return a way to an instruction that needs the fact `bit`.

        If all functions on it have to be `named` by the tables of the file, each is passed from its
        beginning; code between them, such as stubs of the linker, has many entries.
        """
        # The place of the instruction, or of the branch to the function that follows.
        via: dict[int, tuple[int, int]] = {}
        waiting = deque(self._begin(bit, via, named=named))
        loose: Way | None = None
        left = _MOST
        while waiting:
            start = waiting.popleft()
            for root in self._roots.of(start):
                if root.certain and named:
                    return _Found(_way(root, start, via, bit), is_certain=True)
                loose = loose or _way(root, start, via, bit)
            left -= 1
            if not left:
                self.result.exhausted = True
                break
            for caller in sorted(self._program.callers(start)):
                if caller in via or (named and self._program.bounds.locate(caller) < 0):
                    continue
                at = self._program.branch_to(caller, start, exact=named)
                if at >= 0:
                    via[caller] = start, at
                    waiting.append(caller)
        return None if loose is None or named else _Found(loose, is_certain=False)

    def _begin(self, bit: int, via: dict[int, tuple[int, int]], *, named: bool) -> Iterator[int]:
        for start, facts in sorted(self._uses.items()):
            if not facts & bit:
                continue
            body = self._program.body(start)
            among = body.reached() if named else body.blocks.keys()
            for block in (body.blocks[at] for at in among):
                for each in block.body:
                    if self._needs(each) & bit and start not in via:
                        via[start] = start, each.ip
                        yield start


def _way(root: Root, start: int, via: dict[int, tuple[int, int]], bit: int) -> Way:
    functions, at = [start], -1
    while True:
        onward, at = via[functions[-1]]
        if onward == functions[-1]:
            return Way(root, tuple(functions), at, bit, 0)
        functions.append(onward)
