"""TZCNT, which the baseline executes as BSF: the result differs for zero, and so do the flags.

Compilers use it for the baseline too, where the operand is not zero. Here that must be seen: a
branch on zero before it, and no use of the flags behind it.
"""

from __future__ import annotations

from iced_x86 import (
    ConditionCode,
    FlowControl,
    Instruction,
    Mnemonic,
    OpKind,
    Register,
    RegisterExt,
    RflagsBits,
)

from variantbuild.audit.x86.body import Body
from variantbuild.audit.x86.operands import written_registers
from variantbuild.audit.x86.state import FULL

_CALLS = (FlowControl.CALL, FlowControl.INDIRECT_CALL)
_FROM_RESULT = frozenset(
    {
        Mnemonic.AND, Mnemonic.OR, Mnemonic.XOR, Mnemonic.SUB, Mnemonic.ADD, Mnemonic.SHR,
        Mnemonic.SHL, Mnemonic.INC, Mnemonic.DEC, Mnemonic.NEG, Mnemonic.BTR, Mnemonic.ANDN,
    }
)  # fmt: skip
_KEPT = (Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15)
State = tuple[frozenset[int], int | None]


def harmless_counts(body: Body) -> frozenset[int]:
    """Return the addresses of the TZCNT instructions whose result is that of BSF."""
    states: dict[int, State] = {}
    left = []
    for start in (body.start, *body.entries, *body.loose):
        states[start] = frozenset(), None
        left.append(start)
    harmless: dict[int, bool] = {}
    while left:
        at = left.pop()
        block = body.blocks.get(at)
        if block is None:
            continue
        known, tested = states[at]
        for i, each in enumerate(block.body):
            if each.mnemonic == Mnemonic.TZCNT:
                operand = each.op1_register if each.op1_kind == OpKind.REGISTER else Register.NONE
                harmless[each.ip] = RegisterExt.full_register(operand) in known and _flags_unused(
                    block.body[i + 1 :]
                )
            known, tested = _after(each, known, tested)
        last = block.body[-1]
        for following in block.next:
            more = known
            if last.condition_code in (ConditionCode.E, ConditionCode.NE) and tested is not None:
                jumps = following == last.near_branch_target
                if jumps == (last.condition_code == ConditionCode.NE):
                    more = known | {tested}
            old = states.get(following)
            new = (more, None) if old is None else (old[0] & more, None)
            if new != old:
                states[following] = new
                left.append(following)
    return frozenset(at for at, is_harmless in harmless.items() if is_harmless)


def _after(
    each: Instruction, known: frozenset[int], tested: int | None
) -> tuple[frozenset[int], int | None]:
    """Return the registers that are not zero, and the one whose zero flag is set, after `each`."""
    if each.flow_control in _CALLS:
        return known & frozenset(_KEPT), None
    first = RegisterExt.full_register(each.op0_register) if each.op_count else Register.NONE
    same = each.op_count == 2 and each.op0_kind == each.op1_kind == OpKind.REGISTER
    if each.mnemonic == Mnemonic.TEST:
        return known, first if same and each.op0_register == each.op1_register else None
    if each.mnemonic == Mnemonic.CMP:
        zero = each.op1_kind != OpKind.REGISTER and each.op1_kind != OpKind.MEMORY
        return known, first if zero and each.immediate(1) == 0 else None
    written = {FULL[one] for one in written_registers(each)}
    kept = known - written
    if each.mnemonic == Mnemonic.MOV and same:
        source = RegisterExt.full_register(each.op1_register)
        if source in known and RegisterExt.size(each.op0_register) >= 4:
            kept |= {first}
        return kept, first if tested == source else (None if tested in written else tested)
    immediate = each.op_count == 2 and each.op1_kind not in (OpKind.REGISTER, OpKind.MEMORY)
    sets = each.mnemonic == Mnemonic.BTS
    if each.mnemonic in (Mnemonic.OR, Mnemonic.MOV):
        sets = immediate and each.immediate(1) != 0
    if sets and each.op0_kind == OpKind.REGISTER:
        return kept | {first}, first
    if each.rflags_modified:
        from_result = each.mnemonic in _FROM_RESULT and each.op0_kind == OpKind.REGISTER
        return kept, first if from_result else None
    return kept, None if tested in written else tested


def _flags_unused(following: list[Instruction]) -> bool:
    read = RflagsBits.CF | RflagsBits.ZF
    for each in following:
        if each.rflags_read & read:
            return False
        if each.rflags_modified & RflagsBits.CF and each.rflags_modified & RflagsBits.ZF:
            return True
    return True
