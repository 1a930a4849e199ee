"""The effect of integer arithmetic on the state of a function: results and flags."""

from __future__ import annotations

from iced_x86 import ConditionCode, Instruction, Mnemonic, OpKind

from variantbuild.audit.x86.bitvalues import (
    Value,
    bitwise,
    chosen,
    constant,
    narrow,
    shifted,
    spread,
)
from variantbuild.audit.x86.conditions import Flags, arms_of
from variantbuild.audit.x86.operands import Surroundings, apply_unmodelled, source, store
from variantbuild.audit.x86.state import State, added, operand_size

LOGIC = {Mnemonic.AND: "and", Mnemonic.OR: "or", Mnemonic.XOR: "xor"}


def logic(each: Instruction, state: State, around: Surroundings) -> None:
    """AND, OR and XOR."""
    width = 8 * operand_size(each, 0)
    same = (
        each.op0_kind == OpKind.REGISTER
        and each.op1_kind == OpKind.REGISTER
        and each.op0_register == each.op1_register
    )
    if same and each.mnemonic == Mnemonic.XOR:
        value = constant(0)
    else:
        one, other = source(each, 0, state, around), source(each, 1, state, around)
        value = one if same else narrow(bitwise(LOGIC[each.mnemonic], one, other), width)
        _keep(each, (one, other), value, state, around)
    store(each, 0, value, state, around)
    state.flags = Flags(value, 0, width, None, value.origin)


def test(each: Instruction, state: State, around: Surroundings) -> None:
    """TEST."""
    one, other = source(each, 0, state, around), source(each, 1, state, around)
    same = each.op0_kind == each.op1_kind and each.op0_register == each.op1_register
    value = one if same else bitwise("and", one, other)
    state.flags = Flags(value, 0, 8 * operand_size(each, 0), None, value.origin)


def compare(each: Instruction, state: State, around: Surroundings) -> None:
    """CMP."""
    one, other = source(each, 0, state, around), source(each, 1, state, around)
    origin = max(one.origin, other.origin)
    number, width = other.constant, 8 * operand_size(each, 0)
    if number is None or width > 64:
        state.flags = Flags(None, origin=origin)
    else:
        state.flags = Flags(one, number, width, None, origin)


def bit_test(each: Instruction, state: State, around: Surroundings) -> None:
    """BT, BTS, BTR and BTC."""
    value, number = source(each, 0, state, around), source(each, 1, state, around).constant
    if number is None or each.op0_kind != OpKind.REGISTER or each.mnemonic != Mnemonic.BT:
        apply_unmodelled(each, state, around)
        return
    bit = value.bit(number % (8 * operand_size(each, 0)))
    state.flags = Flags(None, carry=bit, origin=value.origin)


def shift(each: Instruction, state: State, around: Surroundings) -> None:
    """SHL, SHR and SAR."""
    by, value = source(each, 1, state, around).constant, source(each, 0, state, around)
    width = 8 * operand_size(each, 0)
    if by is None or (each.mnemonic == Mnemonic.SAR and value.bit(width - 1).one != -1):
        apply_unmodelled(each, state, around)
        return
    by %= 64 if width == 64 else 32
    value = narrow(shifted(value, -by if each.mnemonic == Mnemonic.SHL else by), width)
    store(each, 0, value, state, around)
    state.flags = Flags(value, 0, width, None, value.origin)


def add(each: Instruction, state: State, around: Surroundings) -> None:
    """ADD, SUB, INC and DEC."""
    one, other = source(each, 0, state, around), _second(each, state, around)
    if each.mnemonic in (Mnemonic.SUB, Mnemonic.DEC):
        same = each.op_count > 1 and each.op0_kind == each.op1_kind == OpKind.REGISTER
        if same and each.op0_register == each.op1_register:
            one, other = constant(0), constant(0)
        number = other.constant
        other = Value(other.origin) if number is None else constant(-number)
    width = 8 * operand_size(each, 0)
    value = narrow(added(one, other), width)
    _keep(each, (one, other), value, state, around)
    store(each, 0, value, state, around)
    compares = each.mnemonic in (Mnemonic.SUB, Mnemonic.DEC)
    number = -(other.constant or 0) & (1 << width) - 1
    known = compares and other.constant is not None
    state.flags = Flags(one if known else None, number, width, None, value.origin)


def _keep(
    each: Instruction, read: tuple[Value, ...], value: Value, state: State, around: Surroundings
) -> None:
    """Give away what was `read` if the result does not list its constants any more."""
    if value.cases is None:
        for one in read:
            around.give_away(one, state.facts, each.ip)


def _second(each: Instruction, state: State, around: Surroundings) -> Value:
    return constant(1) if each.op_count == 1 else source(each, 1, state, around)


def negate(each: Instruction, state: State, around: Surroundings) -> None:
    """NEG and NOT."""
    value, width = source(each, 0, state, around), 8 * operand_size(each, 0)
    if each.mnemonic == Mnemonic.NOT:
        value = narrow(bitwise("xor", value, constant((1 << width) - 1)), width)
    elif value.cases is not None and all(case <= 1 for case, _ in value.cases):
        state.flags = Flags(None, carry=value.bit(0), origin=value.origin)
        value = narrow(spread(value.bit(0), value.origin), width)
    else:
        apply_unmodelled(each, state, around)
        return
    store(each, 0, value, state, around)


def borrow(each: Instruction, state: State, around: Surroundings) -> None:
    """SBB of a register with itself, which spreads the carry flag over it."""
    same = each.op0_kind == each.op1_kind and each.op0_register == each.op1_register
    if not same:
        apply_unmodelled(each, state, around)
        return
    arms = arms_of(ConditionCode.B, state.flags)
    value = Value(arms.origin, None, (), chosen(arms.yes, arms.no, arms.origin).bit(0))
    store(each, 0, narrow(value, 8 * operand_size(each, 0)), state, around)
