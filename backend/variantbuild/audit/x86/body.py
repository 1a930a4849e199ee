"""The code of one function as its flow reaches it: instructions, blocks, and where they lead.

Instructions are decoded where control flow gets to, so that data between them, and jumps into the
middle of an instruction, do not mislead. Code that no jump leads to (landing pads of exceptions)
follows on any call.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from dataclasses import dataclass, field

from iced_x86 import Code, Decoder, FlowControl, Instruction, Mnemonic, OpKind, Register

from variantbuild.binary.elf.loaded import Loaded

_LONGEST = 15
_MOST_ENTRIES = 4096
_TABLE_WITHIN = 24  # instructions before a jump through a table that load its address
_PADDING = frozenset({Mnemonic.NOP, Mnemonic.INT3, Mnemonic.UD2})
_VECTORS = frozenset(
    number
    for name, number in vars(Register).items()
    if name.startswith(("XMM", "YMM", "ZMM", "ST", "MM")) and isinstance(number, int)
) | frozenset(getattr(Register, f"K{n}") for n in range(8))
_ENDING = frozenset(
    {
        FlowControl.UNCONDITIONAL_BRANCH, FlowControl.RETURN, FlowControl.INDIRECT_BRANCH,
        FlowControl.EXCEPTION,
    }
)  # fmt: skip


@dataclass(slots=True)
class Block:
    """A run of instructions; `next` are the blocks after it, the branch's target first.

    `leaves` are targets of its last jump outside of the function, `unresolved` is true for a jump
    through a register that is not known to be a table.
    """

    body: list[Instruction]
    next: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    unresolved: bool = False
    switches: bool = False
    _steps: list[Instruction] | None = None

    def steps(self) -> list[Instruction]:
        """Return the instructions that do more than compute vectors, which are not followed."""
        if self._steps is None:
            self._steps = [each for each in self.body if not _only_vectors(each)]
        return self._steps


def _only_vectors(each: Instruction) -> bool:
    if (
        not each.op_count
        or each.op0_kind != OpKind.REGISTER
        or each.op0_register not in _VECTORS
        or each.rflags_modified
    ):
        return False
    return all(
        each.op_kind(operand) != OpKind.REGISTER or each.op_register(operand) in _VECTORS
        for operand in range(1, each.op_count)
    )


class Body:
    """The blocks of the code between two addresses, by their start; `start` is the first one's."""

    def __init__(self, image: Loaded, start: int, end: int, entries: frozenset[int]) -> None:
        self.image, self.start, self.end = image, start, end
        self.entries = frozenset(each for each in entries if start < each < end)
        self._raw = image.read(start, end - start + _LONGEST)
        self._at: dict[int, Instruction] = {}
        self._leads: dict[int, tuple[list[int], list[int], bool, bool]] = {}
        self._tables: set[int] = set()
        self._follow([start, *sorted(self.entries)])
        self.loose = self._follow_loose()
        self.blocks = self._cut()
        self.size = len(self._at)

    def order(self) -> dict[int, int]:
        """Return the place of each block in an order in which it comes after those before it.

        Only the blocks that jumps back lead to, and what follows, come before some.
        """
        done: list[int] = []
        seen: set[int] = set()
        for first in (*sorted((*self.loose, *self.entries), reverse=True), self.start):
            if first in seen or first not in self.blocks:
                continue
            seen.add(first)
            stack = [(first, iter(self.blocks[first].next))]
            while stack:
                at, following = stack[-1]
                onward = next((each for each in following if each not in seen), None)
                if onward is None:
                    done.append(at)
                    stack.pop()
                elif onward in self.blocks:
                    seen.add(onward)
                    stack.append((onward, iter(self.blocks[onward].next)))
        return {at: place for place, at in enumerate(reversed(done))}

    def reached(self) -> frozenset[int]:
        """Return the blocks that are reached from the start, not from other entries alone."""
        seen: set[int] = set()
        left = [self.start]
        while left:
            at = left.pop()
            if at in self.blocks and at not in seen:
                seen.add(at)
                left += self.blocks[at].next
        return frozenset(seen)

    def has(self, place: int) -> bool:
        """Return whether an instruction that is reached begins at `place`."""
        return place in self._at

    def _follow(self, left: list[int]) -> None:
        while left:
            at = left.pop()
            if at in self._at or not self.start <= at < self.end:
                continue
            chunk = self._raw[at - self.start :]
            for each in Decoder(64, chunk, ip=at):
                if each.ip in self._at or each.ip >= self.end:
                    break
                self._at[each.ip] = each
                if each.code == Code.INVALID:
                    break
                flow = each.flow_control
                if flow in (FlowControl.NEXT, FlowControl.CALL, FlowControl.INDIRECT_CALL):
                    continue
                left += self._branch(each, flow)
                if flow in _ENDING:
                    break

    def _branch(self, each: Instruction, flow: int) -> list[int]:
        inside: list[int] = []
        leaves: list[int] = []
        unresolved = switches = False
        if flow == FlowControl.INDIRECT_BRANCH:
            targets = self._table_targets(each)
            switches = targets is not None
            unresolved = targets is None
        elif each.op_count and each.op0_kind == OpKind.NEAR_BRANCH64:
            targets = [each.near_branch_target]
        else:
            targets = []
        for target in dict.fromkeys(targets or ()):
            (inside if self.start <= target < self.end else leaves).append(target)
        self._leads[each.ip] = inside, leaves, unresolved, switches
        return inside

    def _table_targets(self, jump: Instruction) -> list[int] | None:
        """Return the targets of a jump through a table of offsets or addresses; None if unknown."""
        if jump.op0_kind == OpKind.MEMORY:
            if jump.is_ip_rel_memory_operand or jump.memory_index == Register.NONE:
                return None
            return self._pointers(jump, self._before(jump))
        before = self._before(jump)
        for each in reversed(before):
            if each.mnemonic == Mnemonic.MOVSXD and each.op1_kind == OpKind.MEMORY:
                base = self._address_in(each.memory_base, before)
                return None if base is None else self._offsets(base, before)
            if (
                each.mnemonic == Mnemonic.MOV
                and each.op1_kind == OpKind.MEMORY
                and each.op0_register == jump.op0_register
                and each.memory_index != Register.NONE
            ):
                return self._pointers(each, before)
        return None

    def _before(self, jump: Instruction) -> list[Instruction]:
        places = sorted(self._at)
        at = bisect_left(places, jump.ip)
        return [self._at[place] for place in places[max(0, at - 200) : at]]

    @staticmethod
    def _address_in(register: int, before: list[Instruction]) -> int | None:
        for each in reversed(before):
            if each.mnemonic == Mnemonic.LEA and each.op0_register == register:
                return each.ip_rel_memory_address if each.is_ip_rel_memory_operand else None
        return None

    def _bound(self, before: list[Instruction]) -> int | None:
        for each in reversed(before[-_TABLE_WITHIN:]):
            if (
                each.mnemonic == Mnemonic.CMP
                and each.op1_kind != OpKind.REGISTER
                and each.op1_kind != OpKind.MEMORY
            ):
                return min(each.immediate(1) + 1, _MOST_ENTRIES)
        return None

    def _offsets(self, base: int, before: list[Instruction]) -> list[int]:
        self._tables.add(base)
        bound = self._bound(before)
        raw = self.image.read(base, 4 * _MOST_ENTRIES)
        found: list[int] = []
        for i, (offset,) in enumerate(struct.iter_unpack("<i", raw[: len(raw) // 4 * 4])):
            target = base + offset
            if not self.image.is_code(target) or (i and base + 4 * i in self._tables):
                break
            if (bound is not None and i < bound) or self.start <= target < self.end:
                found.append(target)
            elif bound is None or i >= bound:
                break
        return found

    def _pointers(self, each: Instruction, before: list[Instruction]) -> list[int] | None:
        base: int | None = each.memory_displacement
        if each.memory_base != Register.NONE:
            base = self._address_in(each.memory_base, before)
        if base is None:
            return None
        found: list[int] = []
        for i in range(_MOST_ENTRIES):
            target = self.image.pointers.get(base + 8 * i)
            if target is None or not self.image.is_code(target):
                break
            found.append(target)
        return found or None

    def _follow_loose(self) -> frozenset[int]:
        """Follow the code that no jump leads to, if exceptions or unknown jumps could."""
        may = any(
            each.flow_control in (FlowControl.CALL, FlowControl.INDIRECT_CALL)
            for each in self._at.values()
        ) or any(unresolved for _, _, unresolved, _ in self._leads.values())
        found: set[int] = set()
        if not may:
            return frozenset()
        covered = sorted((each.ip, each.next_ip) for each in self._at.values())
        at = self.start
        gaps: list[tuple[int, int]] = []
        for first, behind in [*covered, (self.end, self.end)]:
            if first > at:
                gaps.append((at, min(first, self.end)))
            at = max(at, behind)
        for first, last in gaps:
            for each in Decoder(64, self._raw[first - self.start : last - self.start], ip=first):
                if each.code == Code.INVALID:
                    break
                if each.mnemonic not in _PADDING and each.ip not in self._at:
                    found.add(each.ip)
                    self._follow([each.ip])
                    break
        return frozenset(found)

    def _cut(self) -> dict[int, Block]:
        firsts = {self.start, *self.entries, *self.loose}
        places = sorted(self._at)
        for at, (inside, _, _, _) in self._leads.items():
            firsts.update(inside)
            firsts.add(self._at[at].next_ip)
        blocks: dict[int, Block] = {}
        for first in places:
            if first not in firsts and first in blocks:
                continue
            if first not in firsts:
                continue
            blocks[first] = self._block(first, firsts)
        return blocks

    def _block(self, first: int, firsts: set[int]) -> Block:
        block = Block([])
        at = first
        while (each := self._at.get(at)) is not None:
            block.body.append(each)
            if each.ip in self._leads:
                inside, block.leaves, block.unresolved, block.switches = self._leads[each.ip]
                block.next = [target for target in inside if target in self._at]
                if each.flow_control not in _ENDING and each.next_ip in self._at:
                    block.next.append(each.next_ip)
                elif each.flow_control not in _ENDING and each.next_ip >= self.end:
                    block.leaves = [*block.leaves, each.next_ip]
                return block
            if each.code == Code.INVALID:
                return block
            at = each.next_ip
            if at in firsts and at in self._at:
                block.next = [at]
                return block
        if at >= self.end:
            block.leaves = [at]
        return block
