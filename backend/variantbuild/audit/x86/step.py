"""The effect of one x86 instruction on the state of a function."""

from __future__ import annotations

from collections.abc import Callable

from iced_x86 import (
    ConditionCode,
    FlowControl,
    Instruction,
    Mnemonic,
    OpKind,
    Register,
)

from variantbuild.audit.x86.arithmetic import (
    LOGIC,
    add,
    bit_test,
    borrow,
    compare,
    logic,
    negate,
    shift,
    test,
)
from variantbuild.audit.x86.bitvalues import (
    PLAIN,
    UNKNOWN,
    Origin,
    Value,
    chosen,
    constant,
    join,
    word,
)
from variantbuild.audit.x86.conditions import UNCLEAR, arms_of
from variantbuild.audit.x86.cpufacts import cpuid_facts, xcr0_facts
from variantbuild.audit.x86.operands import (
    Surroundings,
    apply_unmodelled,
    escape,
    source,
    store,
)
from variantbuild.audit.x86.state import (
    ARGUMENTS,
    State,
    added,
    operand_size,
)

_MOVES = frozenset({Mnemonic.MOV, Mnemonic.MOVZX, Mnemonic.MOVSX, Mnemonic.MOVSXD})


def step(each: Instruction, state: State, around: Surroundings) -> None:
    """Update `state` for the instruction `each`, which is no jump."""
    flow = each.flow_control
    if flow in (FlowControl.CALL, FlowControl.INDIRECT_CALL):
        _call(each, state, around)
        return
    known = _RULES.get(each.mnemonic)
    if known is not None:
        known(each, state, around)
    elif each.condition_code != ConditionCode.NONE and flow == FlowControl.NEXT:
        _conditional(each, state, around)
    else:
        apply_unmodelled(each, state, around)


def _call(each: Instruction, state: State, around: Surroundings) -> None:
    target = UNKNOWN
    if each.op0_kind == OpKind.NEAR_BRANCH64:
        target = constant(each.near_branch_target)
    elif each.op_count:
        target = source(each, 0, state, around)
    for register in ARGUMENTS:
        escape(state.registers.get(register, UNKNOWN), state)
    for _, value in [*state.slots.values()]:
        escape(value, state)
    returned = around.call(each, target, state)
    for saved in around.clobbered(target):
        state.registers[saved] = PLAIN if returned.origin == Origin.PLAIN else UNKNOWN
    state.registers[Register.RAX] = returned
    state.flags = UNCLEAR
    state.forget_escaped()


def _move(each: Instruction, state: State, around: Surroundings) -> None:
    value = source(each, 1, state, around)
    if each.mnemonic in (Mnemonic.MOVSX, Mnemonic.MOVSXD) and value.cases is not None:
        width = 8 * operand_size(each, 1)
        sign = 1 << (width - 1)
        if any(case & sign for case, _ in value.cases):
            high = (1 << 64) - (1 << width)
            pairs = tuple((case | high if case & sign else case, f) for case, f in value.cases)
            value = Value(value.origin, tuple(sorted(pairs)))
    elif (
        each.mnemonic in (Mnemonic.MOVSX, Mnemonic.MOVSXD)
        and value.bit(8 * operand_size(each, 1) - 1).one != -1
    ):
        value = Value(value.origin)
    store(each, 0, value, state, around)


def _lea(each: Instruction, state: State, around: Surroundings) -> None:
    value = state.address(each)
    if value.cases is None:
        for register in (each.memory_base, each.memory_index):
            if register not in (Register.NONE, Register.RIP):
                around.give_away(state.read(register), state.facts, each.ip)
    state.write(each.op0_register, value)


def _cpuid(each: Instruction, state: State, around: Surroundings) -> None:
    leaf = state.read(Register.EAX).constant
    subleaf = state.read(Register.ECX).constant
    for number, register in enumerate((Register.RAX, Register.RBX, Register.RCX, Register.RDX)):
        facts = {} if leaf is None else cpuid_facts(leaf, subleaf, number)
        state.registers[register] = word(facts, 32, Origin.ASKED)


def _xgetbv(each: Instruction, state: State, around: Surroundings) -> None:
    facts = xcr0_facts() if state.read(Register.ECX).constant == 0 else {}
    state.registers[Register.RAX] = word(facts, 32, Origin.ASKED)
    state.registers[Register.RDX] = word({}, 32, Origin.ASKED)


def _push(each: Instruction, state: State, around: Surroundings) -> None:
    value = source(each, 0, state, around)
    top = added(state.read(Register.RSP), constant(-8))
    state.registers[Register.RSP] = top
    if top.constant is not None:
        state.store(top.constant, 8, value)
    else:
        around.give_away(value, state.facts, each.ip)


def _pop(each: Instruction, state: State, around: Surroundings) -> None:
    top = state.read(Register.RSP)
    value = UNKNOWN if top.constant is None else state.load(top.constant, 8)
    state.registers[Register.RSP] = added(top, constant(8))
    store(each, 0, value, state, around)


def _leave(each: Instruction, state: State, around: Surroundings) -> None:
    frame = state.read(Register.RBP)
    value = UNKNOWN if frame.constant is None else state.load(frame.constant, 8)
    state.registers[Register.RSP] = added(frame, constant(8))
    state.registers[Register.RBP] = value


def _exchange(each: Instruction, state: State, around: Surroundings) -> None:
    one, other = source(each, 0, state, around), source(each, 1, state, around)
    store(each, 0, other, state, around)
    store(each, 1, one, state, around)


def _conditional(each: Instruction, state: State, around: Surroundings) -> None:
    """SETcc and CMOVcc."""
    arms = arms_of(each.condition_code, state.flags)
    if each.op_count == 1:
        store(each, 0, chosen(arms.yes, arms.no, arms.origin), state, around)
    elif each.mnemonic in _CONDITIONAL_MOVES:
        moved, kept = source(each, 1, state, around), source(each, 0, state, around)
        value = join(moved, arms.yes, kept, arms.no)
        value = value._replace(origin=max(value.origin, arms.origin))
        store(each, 0, value, state, around)
    else:
        apply_unmodelled(each, state, around)


def _system_call(each: Instruction, state: State, around: Surroundings) -> None:
    around.system_call(state.read(Register.RAX))
    apply_unmodelled(each, state, around)


def _nothing(each: Instruction, state: State, around: Surroundings) -> None:
    """NOP and its like."""


_CONDITIONAL_MOVES = frozenset(
    number for name, number in vars(Mnemonic).items() if name.startswith("CMOV")
)
_Rule = Callable[[Instruction, State, Surroundings], None]
_RULES: dict[int, _Rule] = {
    **dict.fromkeys(_MOVES, _move),
    **dict.fromkeys(LOGIC, logic),
    **dict.fromkeys((Mnemonic.ADD, Mnemonic.SUB, Mnemonic.INC, Mnemonic.DEC), add),
    **dict.fromkeys((Mnemonic.SHL, Mnemonic.SHR, Mnemonic.SAR), shift),
    **dict.fromkeys((Mnemonic.NEG, Mnemonic.NOT), negate),
    **dict.fromkeys((Mnemonic.NOP, Mnemonic.ENDBR64, Mnemonic.PAUSE), _nothing),
    Mnemonic.LEA: _lea,
    Mnemonic.TEST: test,
    Mnemonic.CMP: compare,
    Mnemonic.BT: bit_test,
    Mnemonic.SBB: borrow,
    Mnemonic.CPUID: _cpuid,
    Mnemonic.XGETBV: _xgetbv,
    Mnemonic.SYSCALL: _system_call,
    Mnemonic.PUSH: _push,
    Mnemonic.POP: _pop,
    Mnemonic.LEAVE: _leave,
    Mnemonic.XCHG: _exchange,
}
