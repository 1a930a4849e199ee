"""The basic blocks of one x86 function and their successors."""

from __future__ import annotations

from collections.abc import Iterator

from iced_x86 import FlowControl, Instruction, OpKind

JUMPS = frozenset({FlowControl.UNCONDITIONAL_BRANCH, FlowControl.CONDITIONAL_BRANCH})
_ENDING = JUMPS | {FlowControl.RETURN, FlowControl.INDIRECT_BRANCH, FlowControl.EXCEPTION}


class Blocks:
    """Runs of instructions without jumps, in order of address; `next` are their successors.

    Jumps through tables have no successors here: code that is only reached by them counts as
    unchecked.
    """

    def __init__(self, body: list[Instruction]) -> None:
        self._body = body
        targets = {
            each.near_branch_target
            for each in body
            if each.flow_control in JUMPS and each.op0_kind == OpKind.NEAR_BRANCH64
        }
        self._firsts = [0]
        for i in range(1, len(body)):
            if body[i].ip in targets or body[i - 1].flow_control in _ENDING:
                self._firsts.append(i)
        self._by_address = {body[first].ip: n for n, first in enumerate(self._firsts)}
        self.next = [self._successors(n) for n in range(len(self._firsts))]

    def instructions(self, block: int) -> Iterator[Instruction]:
        """Yield the instructions of a block."""
        for i in range(self._firsts[block], self._end(block)):
            yield self._body[i]

    def span(self, block: int) -> range:
        """Return the addresses of a block."""
        return range(self._body[self._firsts[block]].ip, self._body[self._end(block) - 1].next_ip)

    def _end(self, block: int) -> int:
        return self._firsts[block + 1] if block + 1 < len(self._firsts) else len(self._body)

    def _successors(self, block: int) -> list[int]:
        last = self._body[self._end(block) - 1]
        found = []
        if last.flow_control in JUMPS and last.near_branch_target in self._by_address:
            found.append(self._by_address[last.near_branch_target])
        ends = last.flow_control in _ENDING
        falls = not ends or last.flow_control == FlowControl.CONDITIONAL_BRANCH
        if falls and block + 1 < len(self._firsts):
            found.append(block + 1)
        return found
