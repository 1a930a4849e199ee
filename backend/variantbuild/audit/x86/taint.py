"""Follows the result of a dispatch check through one x86 function: registers, flags, stack slots.

A forward may-analysis over basic blocks: the result of a check is tainted, so is what is computed
from tainted values, and a conditional jump on tainted flags depends on the CPU.
"""

from __future__ import annotations

from collections.abc import Set
from itertools import takewhile

from iced_x86 import (
    ConditionCode,
    FlowControl,
    Instruction,
    Mnemonic,
    OpKind,
    Register,
    RegisterExt,
)

from variantbuild.audit.x86.blocks import Blocks
from variantbuild.audit.x86.scan import PROBES

Place = tuple[int, int]  # (register, 0), or (frame register, displacement) for a stack slot
Taint = frozenset[Place]

FLAGS: Place = (-1, 0)
_ANSWERS = ((Register.RAX, 0), (Register.RBX, 0), (Register.RCX, 0), (Register.RDX, 0))
ARGUMENTS = frozenset(
    (register, 0)
    for register in (
        Register.RDI,
        Register.RSI,
        Register.RDX,
        Register.RCX,
        Register.R8,
        Register.R9,
    )
)
_CLOBBERED = ARGUMENTS | {(Register.RAX, 0), (Register.R10, 0), (Register.R11, 0), FLAGS}
_PURE_WRITES = frozenset(
    {Mnemonic.MOV, Mnemonic.LEA, Mnemonic.MOVZX, Mnemonic.MOVSX, Mnemonic.MOVSXD, Mnemonic.POP}
)
_BYTES = frozenset(
    {Register.DIL, Register.SIL, Register.DL, Register.CL, Register.R8L, Register.R9L}
)


def deciding_blocks(
    blocks: Blocks, asking: Set[int], entry: Taint
) -> tuple[set[int], dict[int, Taint]]:
    """Return the blocks that end in a CPU-dependent jump, and the taint at each branch.

    `asking` are the addresses of instructions that read a result, `entry` is what is tainted on
    entry. The second value maps the address of each call or jump to the taint there.
    """
    deciding: set[int] = set()
    at_branches: dict[int, Taint] = {}
    states: dict[int, Taint] = {0: entry}
    left = [0]
    while left:
        block = left.pop()
        state = set(states[block])
        untouched = block == 0
        for each in blocks.instructions(block):
            if each.flow_control != FlowControl.NEXT:
                at_branches[each.ip] = at_branches.get(each.ip, frozenset()) | frozenset(state)
            if each.flow_control == FlowControl.CONDITIONAL_BRANCH and FLAGS in state:
                deciding.add(block)
            asked = each.ip in asking or (untouched and _tests_boolean(each))
            _step(each, state, asked=asked)
            untouched = untouched and each.flow_control == FlowControl.NEXT
        for following in blocks.next[block]:
            merged = states.get(following, frozenset()) | state
            if following not in states or merged != states[following]:
                states[following] = merged
                left.append(following)
    return deciding, at_branches


def tests_argument(body: list[Instruction]) -> bool:
    """Return whether a function tests a boolean argument before its first jump."""
    straight = takewhile(_goes_on, body)
    return any(map(_tests_boolean, straight))


def _goes_on(each: Instruction) -> bool:
    return each.flow_control == FlowControl.NEXT


def _step(each: Instruction, state: set[Place], *, asked: bool) -> None:
    """Update `state` for the instruction; `asked` if it reads the result of a check."""
    if each.flow_control in (FlowControl.CALL, FlowControl.INDIRECT_CALL):
        state -= _CLOBBERED
        if asked:
            state.add((Register.RAX, 0))
        return
    if each.code in PROBES:
        state.update(_ANSWERS)
        return
    tainted = asked or _reads_tainted(each, state)
    if each.op_count and each.mnemonic not in (Mnemonic.TEST, Mnemonic.CMP, Mnemonic.BT):
        place = _place(each, 0)
        if place is not None and tainted:
            state.add(place)
        elif place is not None and _overwrites(each):
            state.discard(place)
    if each.rflags_modified:
        (state.add if tainted else state.discard)(FLAGS)


def _reads_tainted(each: Instruction, state: set[Place]) -> bool:
    if not state:
        return False
    if each.condition_code != ConditionCode.NONE and FLAGS in state:
        return True
    if each.mnemonic in (Mnemonic.SBB, Mnemonic.ADC) and FLAGS in state:
        return True
    first = 1 if each.mnemonic in _PURE_WRITES else 0
    if _zeroes(each):
        return False
    if (each.memory_base, 0) in state and each.memory_base != Register.RSP:
        return True  # the data at the tainted address
    return any(_place(each, i) in state for i in range(first, each.op_count))


def _overwrites(each: Instruction) -> bool:
    sets = each.condition_code != ConditionCode.NONE and each.op_count == 1
    return each.mnemonic in _PURE_WRITES or _zeroes(each) or sets


def _zeroes(each: Instruction) -> bool:
    return (
        each.mnemonic in (Mnemonic.XOR, Mnemonic.SUB)
        and each.op0_kind == OpKind.REGISTER
        and each.op1_kind == OpKind.REGISTER
        and each.op0_register == each.op1_register
    )


def _place(each: Instruction, operand: int) -> Place | None:
    kind = each.op_kind(operand)
    if kind == OpKind.REGISTER:
        return RegisterExt.full_register(each.op_register(operand)), 0
    if kind == OpKind.MEMORY and each.memory_base in (Register.RSP, Register.RBP):
        return each.memory_base, each.memory_displacement or 1
    return None


def _tests_boolean(each: Instruction) -> bool:
    # `f(bool have_it, …)`: the feature is passed on as an argument (crc32fast does so).
    return (
        each.mnemonic == Mnemonic.TEST
        and each.op0_kind == OpKind.REGISTER
        and each.op0_register in _BYTES
        and (each.op1_kind != OpKind.REGISTER or each.op1_register == each.op0_register)
    )
