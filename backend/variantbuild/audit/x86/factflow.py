"""Follows the facts about the CPU through one function, to a fixed point over its blocks.

At each block those facts hold that hold on every way to it. A block is certain if execution gets to
it whatever the branches say that the audit does not understand; `given` are then the facts that the
branches on answers of the CPU require.
"""

from __future__ import annotations

from heapq import heappop, heappush

from iced_x86 import FlowControl, Instruction, InstructionInfoFactory, OpAccess, Register

from variantbuild.audit.x86.bitvalues import UNKNOWN, Origin, Value, constant
from variantbuild.audit.x86.body import Block, Body
from variantbuild.audit.x86.conditions import Arms, arms_of
from variantbuild.audit.x86.cpufacts import NEVER
from variantbuild.audit.x86.operands import Surroundings
from variantbuild.audit.x86.state import ARGUMENTS, CLOBBERED, FULL, SIZES, STACK, State
from variantbuild.audit.x86.step import step

_PATIENCE = 4  # times that a block is analysed with what comes in, before values are given up
_FARTHEST = 64  # blocks that are searched for the use of a register
_factory = InstructionInfoFactory()
_CALLS = (FlowControl.CALL, FlowControl.INDIRECT_CALL)


class OutOfBudget(Exception):  # noqa: N818 - a signal, not an error
    """More code would have to be followed than is worth it."""


class Flow:
    """The result for one function: the `facts` at each block, and what each `certain` one requires.

    Raises OutOfBudget after `limit` steps."""

    def __init__(
        self, body: Body, around: Surroundings, arguments: tuple[Value, ...], limit: int
    ) -> None:
        self.body, self._around, self._limit = body, around, limit
        self._states: dict[int, State] = {}
        self._arms: dict[int, Arms] = {}
        self._visits: dict[int, int] = {}
        self._order = body.order()
        self._from = -1
        self.steps = 0
        self._run(arguments)
        self.facts = {at: state.facts for at, state in self._states.items()}
        self.certain = self._find_certain()

    def _run(self, arguments: tuple[Value, ...]) -> None:
        entry = State()
        entry.registers[Register.RSP] = constant(STACK)
        for register, value in zip(ARGUMENTS, arguments, strict=False):
            entry.registers[register] = value
        blank = State()
        blank.registers[Register.RSP] = constant(STACK - (1 << 16))
        left: list[tuple[int, int]] = []
        self._reach(self.body.start, entry, left)
        for each in self.body.entries:
            self._reach(each, blank, left)
        while left:
            self._from, at = heappop(left)
            if at in self.body.blocks:
                self._block(at, self._states[at].copy(), left)

    def _reach(self, at: int, state: State, left: list[tuple[int, int]]) -> None:
        known = self._states.get(at)
        order = self._order.get(at, 0)
        if known is None:
            self._states[at] = state.copy()
        else:
            visits = self._visits.get(at, 0)
            if order <= self._from:  # a loop
                visits = self._visits[at] = visits + 1
            changed, lost = known.merge(state, widen=visits > _PATIENCE)
            for each in lost:
                if not (self._around.has_code(each.value) and self._is_dead(each.register, at)):
                    self._around.give_away(each.value, each.facts, at)
            if not changed:
                return
        if (order, at) not in left:
            heappush(left, (order, at))

    def _is_dead(self, register: int, at: int) -> bool:
        """Return whether no code reads `register` from the block `at` on, before it is written."""
        if not register:
            return False
        left, seen = [at], {at}
        while left:
            block = self.body.blocks.get(left.pop())
            if block is None or block.leaves or len(seen) > _FARTHEST:
                return False
            use = _first_use(block, register)
            if use is None and block.body[-1].flow_control == FlowControl.RETURN:
                use = self._around.returns_in(register)
            elif use is None and not block.next:
                return False
            if use:
                return False
            if use is None:
                more = [each for each in block.next if each not in seen]
                seen.update(more)
                left += more
        return True

    def _block(self, at: int, state: State, left: list[tuple[int, int]]) -> None:
        block = self.body.blocks[at]
        calls = block.unresolved
        self.steps += len(block.steps()) + 4
        if self.steps > self._limit:
            raise OutOfBudget
        for each in block.steps():
            if each.flow_control in _CALLS:
                calls = True
            if each.flow_control in (FlowControl.NEXT, *_CALLS):
                step(each, state, self._around)
            else:
                self._leave(each, block.leaves, state)
        if block.leaves and block.body[-1].flow_control in (FlowControl.NEXT, *_CALLS):
            self._around.jump(block.body[-1], block.leaves, state)
        if calls and self.body.loose:
            self._loosen(state, left)
        last = block.body[-1]
        if last.flow_control == FlowControl.CONDITIONAL_BRANCH:
            arms = arms_of(last.condition_code, state.flags)
            self._arms[at] = arms
            taken = last.near_branch_target
            for following in block.next:
                more = arms.yes if following == taken else arms.no
                if taken == last.next_ip:
                    more = arms.yes & arms.no
                if more == NEVER:
                    continue
                ahead = state.copy()
                ahead.facts |= more
                self._reach(following, ahead, left)
            return
        for following in block.next:
            self._reach(following, state, left)

    def _leave(self, each: Instruction, leaves: list[int], state: State) -> None:
        if each.flow_control != FlowControl.CONDITIONAL_BRANCH:
            self._around.jump(each, leaves, state)
            return
        arms = arms_of(each.condition_code, state.flags)
        for target in leaves:
            ahead = state.copy()
            ahead.facts |= arms.yes if target == each.near_branch_target else arms.no
            if ahead.facts != NEVER:
                self._around.jump(each, [target], ahead)

    def _loosen(self, state: State, left: list[tuple[int, int]]) -> None:
        loose = State(state.facts)
        loose.registers[Register.RSP] = constant(STACK - (1 << 16))
        for each in self.body.loose:
            self._reach(each, loose, left)

    def _find_certain(self) -> dict[int, int]:
        certain = {self.body.start: 0}
        left = [self.body.start]
        while left:
            at = left.pop()
            block = self.body.blocks.get(at)
            if block is None:
                continue
            given = certain[at]
            ways: list[tuple[int, int]] = [(each, given) for each in block.next]
            arms = self._arms.get(at)
            if arms is not None and arms.origin != Origin.UNKNOWN:
                taken = block.body[-1].near_branch_target
                ways = [(each, given) for each in block.next if arms.can_be(yes=each == taken)]
                if arms.origin == Origin.ASKED and (joined := self._join_of(at)) is not None:
                    ways.append((joined, given))
            elif len(block.next) > 1 or (arms is not None and block.leaves):
                joined = self._join_of(at)
                ways = [] if joined is None else [(joined, given)]
            for each, needs in ways:
                if each not in self._states or needs == NEVER:
                    continue
                known = certain.get(each)
                if known is None or needs.bit_count() < known.bit_count():
                    certain[each] = needs
                    left.append(each)
        return certain

    def _join_of(self, at: int) -> int | None:
        """Return the nearest block that every way from the block `at` passes; None if none."""
        for candidate in self._behind(at):
            if candidate != at and not self._escapes(at, candidate):
                return candidate
        return None

    def _behind(self, at: int) -> list[int]:
        found: list[int] = []
        left = [*self.body.blocks[at].next]
        seen = set(left)
        while left and len(found) < 200:
            each = left.pop(0)
            found.append(each)
            for following in self.body.blocks[each].next if each in self.body.blocks else ():
                if following not in seen:
                    seen.add(following)
                    left.append(following)
        return found

    def _escapes(self, at: int, without: int) -> bool:
        """Return whether the function can end after `at` without passing `without`."""
        left, seen = [*self.body.blocks[at].next], {at}
        if self.body.blocks[at].leaves:
            return True
        while left:
            each = left.pop()
            if each == without or each in seen:
                continue
            seen.add(each)
            block = self.body.blocks.get(each)
            if block is None or not block.next or block.leaves or len(seen) > 400:
                return True
            left += block.next
        return False


def _first_use(block: Block, register: int) -> bool | None:
    """Return whether `register` is read before it is written; None if it is not used."""
    for each in block.body:
        used = [
            one.access
            for one in _factory.info(each).used_registers()
            if FULL[one.register] == register
        ]
        if any(access not in (OpAccess.WRITE, OpAccess.NONE) for access in used):
            return True
        if each.flow_control in _CALLS and register in CLOBBERED:
            return register != Register.RAX  # what callees keep may be used behind them
        if used and not any(SIZES[one] < 4 for one in _written(each, register)):
            return False
    return None


def _written(each: Instruction, register: int) -> list[int]:
    used = _factory.info(each).used_registers()
    return [one.register for one in used if FULL[one.register] == register]


def unknown_arguments(known: Value = UNKNOWN) -> tuple[Value, ...]:
    """Return arguments of which nothing is known but their origin."""
    return (known,) * len(ARGUMENTS)
