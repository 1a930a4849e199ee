"""Operands of x86 instructions: how their values are read and written in a function's state.

What is not modelled makes its results unknown, as iced-x86 lists the registers that it writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from iced_x86 import Instruction, InstructionInfoFactory, OpAccess, OpKind, Register

from variantbuild.audit.x86.bitvalues import PLAIN, UNKNOWN, Origin, Value, constant, join, narrow
from variantbuild.audit.x86.conditions import Flags
from variantbuild.audit.x86.state import State, on_stack, operand_size

_factory = InstructionInfoFactory()
_WRITES = frozenset(
    {OpAccess.WRITE, OpAccess.READ_WRITE, OpAccess.COND_WRITE, OpAccess.READ_COND_WRITE}
)
_IMMEDIATES = frozenset(
    {
        OpKind.IMMEDIATE8, OpKind.IMMEDIATE16, OpKind.IMMEDIATE32, OpKind.IMMEDIATE64,
        OpKind.IMMEDIATE8TO16, OpKind.IMMEDIATE8TO32, OpKind.IMMEDIATE8TO64,
        OpKind.IMMEDIATE32TO64,
    }
)  # fmt: skip


class Surroundings(Protocol):
    """What a function's code refers to outside of it: variables of the file and functions."""

    def load(self, address: int, size: int) -> Value:
        """Return the value of a variable of the file."""

    def store(self, address: int, size: int, value: Value, facts: int) -> None:
        """Note that a variable is written where `facts` hold."""

    def call(self, each: Instruction, target: Value, state: State) -> Value:
        """Note a call, and return the value that it returns."""

    def system_call(self, number: Value) -> None:
        """Note a system call."""

    def jump(self, each: Instruction, leaves: list[int], state: State) -> None:
        """Note a jump, a return, or the end of the function's code, which leads to `leaves`."""

    def clobbered(self, target: Value) -> Iterable[int]:
        """Return the registers that a call of `target` may change, besides the stack pointer."""

    def has_code(self, value: Value) -> bool:
        """Return whether `value` may be the address of a function."""

    def returns_in(self, register: int) -> bool:
        """Return whether the caller may use what the function leaves in `register`."""

    def give_away(self, value: Value, facts: int, at: int) -> None:
        """Note that `value` leaves what is followed: any code may get it."""


def written_registers(each: Instruction) -> tuple[int, ...]:
    """Return the registers that an instruction may write, by their parts: EAX for 32 bits."""
    used = _factory.info(each).used_registers()
    return tuple(one.register for one in used if one.access in _WRITES)


def source(each: Instruction, operand: int, state: State, around: Surroundings) -> Value:
    """Return the value of an operand."""
    kind = each.op_kind(operand)
    if kind == OpKind.REGISTER:
        return state.read(each.op_register(operand))
    if kind in _IMMEDIATES:
        return narrow(constant(each.immediate(operand)), 8 * max(1, operand_size(each, 0)))
    if kind == OpKind.MEMORY and not each.segment_prefix:
        return _load(state.address(each), operand_size(each, operand), state, around)
    return UNKNOWN


def _load(address: Value, size: int, state: State, around: Surroundings) -> Value:
    if not address.cases or size > 8:
        return PLAIN if address.cases == () else UNKNOWN
    found: Value | None = None
    for place, facts in address.cases:
        value = state.load(place, size) if on_stack(place) else around.load(place, size)
        found = value if found is None else join(found, 0, value, facts)
    return UNKNOWN if found is None else found


def store(
    each: Instruction, operand: int, value: Value, state: State, around: Surroundings
) -> None:
    """Write `value` to an operand."""
    if each.op_kind(operand) == OpKind.REGISTER:
        state.write(each.op_register(operand), value)
        return
    if each.op_kind(operand) != OpKind.MEMORY:
        return
    size = operand_size(each, operand)
    address = state.address(each)
    single = address.constant
    if single is not None and on_stack(single):
        state.store(single, size, value)
        return
    if single is None:
        around.give_away(value, state.facts, each.ip)
        escape(value, state)
    for place, _ in address.cases or ():
        if not on_stack(place):
            around.store(place, size, value, state.facts)
    if address.cases is None:
        base = state.read(each.memory_base) if each.memory_base != Register.NONE else UNKNOWN
        for place, _ in base.cases or ():
            around.store(place, 0, UNKNOWN, state.facts)


def escape(value: Value, state: State) -> None:
    """Note that the part of the stack that `value` points at may be changed by any code."""
    low = min((case for case, _ in value.cases or () if on_stack(case)), default=None)
    if low is not None:
        state.escaped = low if state.escaped is None else min(low, state.escaped)


def apply_unmodelled(each: Instruction, state: State, around: Surroundings) -> None:
    """Any other instruction: what it reads is given away, what it writes is as unknown as that."""
    info = _factory.info(each)
    origin = Origin.PLAIN
    for operand in range(each.op_count):
        kind = each.op_kind(operand)
        access = info.op_access(operand)
        if kind in (OpKind.REGISTER, OpKind.MEMORY) and access not in (
            OpAccess.WRITE,
            OpAccess.NONE,
        ):
            value = source(each, operand, state, around)
            around.give_away(value, state.facts, each.ip)
            origin = max(origin, value.origin)
    if each.rflags_read:
        origin = max(origin, state.flags.origin)
    blank = Value(origin)
    for register in written_registers(each):
        state.write(register, blank)
    for operand in range(each.op_count):
        if each.op_kind(operand) == OpKind.MEMORY and info.op_access(operand) in _WRITES:
            store(each, operand, blank, state, around)
    if each.is_string_instruction:
        place = state.registers.get(Register.RDI, UNKNOWN)
        for case, _ in place.cases or ():
            if on_stack(case):
                state.escaped = case if state.escaped is None else min(case, state.escaped)
                state.forget_escaped()
            else:
                around.store(case, 0, UNKNOWN, state.facts)
    if each.rflags_modified:
        state.flags = Flags(None, origin=origin)
