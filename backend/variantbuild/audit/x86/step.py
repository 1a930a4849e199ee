"""The effect of one x86 instruction on the state of a function.

What is not modelled makes its results unknown, as iced-x86 lists the registers that it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from iced_x86 import (
    Code,
    ConditionCode,
    FlowControl,
    Instruction,
    InstructionInfoFactory,
    Mnemonic,
    OpAccess,
    OpKind,
    Register,
)

from variantbuild.audit.x86.bitvalues import (
    PLAIN,
    UNKNOWN,
    Origin,
    Value,
    bitwise,
    chosen,
    constant,
    join,
    narrow,
    shifted,
    spread,
    word,
)
from variantbuild.audit.x86.conditions import UNCLEAR, Flags, arms_of
from variantbuild.audit.x86.cpufacts import cpuid_facts, xcr0_facts
from variantbuild.audit.x86.state import (
    ARGUMENTS,
    State,
    added,
    on_stack,
    operand_size,
)

_WRITES = frozenset(
    {OpAccess.WRITE, OpAccess.READ_WRITE, OpAccess.COND_WRITE, OpAccess.READ_COND_WRITE}
)
_factory = InstructionInfoFactory()
_LOGIC = {Mnemonic.AND: "and", Mnemonic.OR: "or", Mnemonic.XOR: "xor"}
_MOVES = frozenset({Mnemonic.MOV, Mnemonic.MOVZX, Mnemonic.MOVSX, Mnemonic.MOVSXD})
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
        _other(each, state, around)


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


def _store(
    each: Instruction, operand: int, value: Value, state: State, around: Surroundings
) -> None:
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
        _escape(value, state)
    for place, _ in address.cases or ():
        if not on_stack(place):
            around.store(place, size, value, state.facts)
    if address.cases is None:
        base = state.read(each.memory_base) if each.memory_base != Register.NONE else UNKNOWN
        for place, _ in base.cases or ():
            around.store(place, 0, UNKNOWN, state.facts)


def _escape(value: Value, state: State) -> None:
    low = min((case for case, _ in value.cases or () if on_stack(case)), default=None)
    if low is not None:
        state.escaped = low if state.escaped is None else min(low, state.escaped)


def _call(each: Instruction, state: State, around: Surroundings) -> None:
    target = UNKNOWN
    if each.op0_kind == OpKind.NEAR_BRANCH64:
        target = constant(each.near_branch_target)
    elif each.op_count:
        target = source(each, 0, state, around)
    for register in ARGUMENTS:
        _escape(state.registers.get(register, UNKNOWN), state)
    for _, value in [*state.slots.values()]:
        _escape(value, state)
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
    _store(each, 0, value, state, around)


def _lea(each: Instruction, state: State, around: Surroundings) -> None:
    value = state.address(each)
    if value.cases is None:
        for register in (each.memory_base, each.memory_index):
            if register not in (Register.NONE, Register.RIP):
                around.give_away(state.read(register), state.facts, each.ip)
    state.write(each.op0_register, value)


def _logic(each: Instruction, state: State, around: Surroundings) -> None:
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
        value = one if same else narrow(bitwise(_LOGIC[each.mnemonic], one, other), width)
        _keep(each, (one, other), value, state, around)
    _store(each, 0, value, state, around)
    state.flags = Flags(value, 0, width, None, value.origin)


def _test(each: Instruction, state: State, around: Surroundings) -> None:
    one, other = source(each, 0, state, around), source(each, 1, state, around)
    same = each.op0_kind == each.op1_kind and each.op0_register == each.op1_register
    value = one if same else bitwise("and", one, other)
    state.flags = Flags(value, 0, 8 * operand_size(each, 0), None, value.origin)


def _compare(each: Instruction, state: State, around: Surroundings) -> None:
    one, other = source(each, 0, state, around), source(each, 1, state, around)
    origin = max(one.origin, other.origin)
    number, width = other.constant, 8 * operand_size(each, 0)
    if number is None or width > 64:
        state.flags = Flags(None, origin=origin)
    else:
        state.flags = Flags(one, number, width, None, origin)


def _bit_test(each: Instruction, state: State, around: Surroundings) -> None:
    value, number = source(each, 0, state, around), source(each, 1, state, around).constant
    if number is None or each.op0_kind != OpKind.REGISTER or each.mnemonic != Mnemonic.BT:
        _other(each, state, around)
        return
    bit = value.bit(number % (8 * operand_size(each, 0)))
    state.flags = Flags(None, carry=bit, origin=value.origin)


def _shift(each: Instruction, state: State, around: Surroundings) -> None:
    by, value = source(each, 1, state, around).constant, source(each, 0, state, around)
    width = 8 * operand_size(each, 0)
    if by is None or (each.mnemonic == Mnemonic.SAR and value.bit(width - 1).one != -1):
        _other(each, state, around)
        return
    by %= 64 if width == 64 else 32
    value = narrow(shifted(value, -by if each.mnemonic == Mnemonic.SHL else by), width)
    _store(each, 0, value, state, around)
    state.flags = Flags(value, 0, width, None, value.origin)


def _add(each: Instruction, state: State, around: Surroundings) -> None:
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
    _store(each, 0, value, state, around)
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


def _negate(each: Instruction, state: State, around: Surroundings) -> None:
    value, width = source(each, 0, state, around), 8 * operand_size(each, 0)
    if each.mnemonic == Mnemonic.NOT:
        value = narrow(bitwise("xor", value, constant((1 << width) - 1)), width)
    elif value.cases is not None and all(case <= 1 for case, _ in value.cases):
        state.flags = Flags(None, carry=value.bit(0), origin=value.origin)
        value = narrow(spread(value.bit(0), value.origin), width)
    else:
        _other(each, state, around)
        return
    _store(each, 0, value, state, around)


def _borrow(each: Instruction, state: State, around: Surroundings) -> None:
    same = each.op0_kind == each.op1_kind and each.op0_register == each.op1_register
    if not same:
        _other(each, state, around)
        return
    arms = arms_of(ConditionCode.B, state.flags)
    value = Value(arms.origin, None, (), chosen(arms.yes, arms.no, arms.origin).bit(0))
    _store(each, 0, narrow(value, 8 * operand_size(each, 0)), state, around)


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
    _store(each, 0, value, state, around)


def _leave(each: Instruction, state: State, around: Surroundings) -> None:
    frame = state.read(Register.RBP)
    value = UNKNOWN if frame.constant is None else state.load(frame.constant, 8)
    state.registers[Register.RSP] = added(frame, constant(8))
    state.registers[Register.RBP] = value


def _exchange(each: Instruction, state: State, around: Surroundings) -> None:
    one, other = source(each, 0, state, around), source(each, 1, state, around)
    _store(each, 0, other, state, around)
    _store(each, 1, one, state, around)


def _conditional(each: Instruction, state: State, around: Surroundings) -> None:
    """SETcc and CMOVcc."""
    arms = arms_of(each.condition_code, state.flags)
    if each.op_count == 1:
        _store(each, 0, chosen(arms.yes, arms.no, arms.origin), state, around)
    elif each.mnemonic in _CONDITIONAL_MOVES:
        moved, kept = source(each, 1, state, around), source(each, 0, state, around)
        value = join(moved, arms.yes, kept, arms.no)
        value = value._replace(origin=max(value.origin, arms.origin))
        _store(each, 0, value, state, around)
    else:
        _other(each, state, around)


def _other(each: Instruction, state: State, around: Surroundings) -> None:
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
    for used in info.used_registers():
        if used.access in _WRITES:
            state.write(used.register, blank)
    for operand in range(each.op_count):
        if each.op_kind(operand) == OpKind.MEMORY and info.op_access(operand) in _WRITES:
            _store(each, operand, blank, state, around)
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


def _system_call(each: Instruction, state: State, around: Surroundings) -> None:
    around.system_call(state.read(Register.RAX))
    _other(each, state, around)


def _nothing(each: Instruction, state: State, around: Surroundings) -> None:
    """NOP and its like."""


_CONDITIONAL_MOVES = frozenset(
    number for name, number in vars(Mnemonic).items() if name.startswith("CMOV")
)
_Rule = Callable[[Instruction, State, Surroundings], None]
_RULES: dict[int, _Rule] = {
    **dict.fromkeys(_MOVES, _move),
    **dict.fromkeys(_LOGIC, _logic),
    **dict.fromkeys((Mnemonic.ADD, Mnemonic.SUB, Mnemonic.INC, Mnemonic.DEC), _add),
    **dict.fromkeys((Mnemonic.SHL, Mnemonic.SHR, Mnemonic.SAR), _shift),
    **dict.fromkeys((Mnemonic.NEG, Mnemonic.NOT), _negate),
    **dict.fromkeys((Mnemonic.NOP, Mnemonic.ENDBR64, Mnemonic.PAUSE), _nothing),
    Mnemonic.LEA: _lea,
    Mnemonic.TEST: _test,
    Mnemonic.CMP: _compare,
    Mnemonic.BT: _bit_test,
    Mnemonic.SBB: _borrow,
    Mnemonic.CPUID: _cpuid,
    Mnemonic.XGETBV: _xgetbv,
    Mnemonic.SYSCALL: _system_call,
    Mnemonic.PUSH: _push,
    Mnemonic.POP: _pop,
    Mnemonic.LEAVE: _leave,
    Mnemonic.XCHG: _exchange,
}
assert Code.INVALID not in _RULES
