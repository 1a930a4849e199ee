"""Finds the blocks of a function that run on only one result of a dispatch check."""

from __future__ import annotations

from collections.abc import Sequence, Set

_EARLY = 8  # only this many checks from the start of a function count

Successors = Sequence[Sequence[int]]
"""For each basic block, in order of address, its successors."""


def reach(following: Successors, start: int, without: Set[int]) -> set[int]:
    """Return `start` and the blocks that can be reached from it without passing `without`."""
    found, left = ({start}, [start]) if start not in without else (set(), [])
    while left:
        for each in following[left.pop()]:
            if each not in without and each not in found:
                found.add(each)
                left.append(each)
    return found


def guarded_blocks(
    following: Successors, deciding: set[int], calls: Sequence[Set[int]]
) -> tuple[set[int], set[int]]:
    """Return the blocks on only one arm of a block in `deciding`, which ends in a check's branch.

    `calls` are the targets of each block's calls. The second value is the targets that both arms of
    one check call: compilers may duplicate the code after a branch in both arms.
    """
    guarded: set[int] = set()
    on_both: set[int] = set()
    for n, block in enumerate(sorted(deciding)):
        if len(following[block]) == 2:
            # Up to the next check, for loops that check in each iteration; and beyond it, for
            # `if (!have_it) return`, which is among the first checks.
            for without in (deciding, {block}) if n < _EARLY else (deciding,):
                one, other = (reach(following, each, without) for each in following[block])
                guarded |= one ^ other
                on_both |= _called(calls, one - other) & _called(calls, other - one)
    return guarded, on_both


def _called(calls: Sequence[Set[int]], blocks: set[int]) -> set[int]:
    return {target for block in blocks for target in calls[block]}
