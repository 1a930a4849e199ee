"""The state of a function's registers, stack and flags at one point, as abstract values."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from iced_x86 import Instruction, MemorySizeExt, OpKind, Register, RegisterExt

from variantbuild.audit.x86.bitvalues import (
    PLAIN,
    UNKNOWN,
    WORD,
    Value,
    bitwise,
    constant,
    join,
    narrow,
    shifted,
)
from variantbuild.audit.x86.conditions import UNCLEAR, Flags

if TYPE_CHECKING:
    from iced_x86._iced_x86_py import Register as Register_

#: Where the stack pointer of each function stands at its entry: an address of no file.
STACK = 0x7E00_0000_0000_0000
_REACH = 1 << 24
_NUMBERS = sorted({n for k, n in vars(Register).items() if k[0] != "_" and isinstance(n, int)})
#: The full register and the size in bytes of every register.
FULL = {n: int(RegisterExt.full_register(cast("Register_", n))) for n in _NUMBERS}
SIZES = {n: RegisterExt.size(cast("Register_", n)) for n in _NUMBERS}
_HIGH = frozenset({Register.AH, Register.BH, Register.CH, Register.DH})
ARGUMENTS = (Register.RDI, Register.RSI, Register.RDX, Register.RCX, Register.R8, Register.R9)
CLOBBERED = (*ARGUMENTS, Register.RAX, Register.R10, Register.R11)


def on_stack(address: int) -> bool:
    """Return whether `address` is in the frame of the function, or in that of its caller."""
    return abs(address - STACK) < _REACH


class Lost(NamedTuple):
    """A value that is not known any more where two states meet, and where it was known.

    `register` had it; 0 for a stack slot.
    """

    value: Value
    facts: int
    register: int = 0


class State:
    """Values of registers and stack slots, the flags, and the facts that hold here.

    `escaped` is the lowest stack address that other functions may know.
    """

    __slots__ = ("escaped", "facts", "flags", "registers", "slots")

    def __init__(self, facts: int = 0) -> None:
        self.facts = facts
        self.registers: dict[int, Value] = {}
        self.slots: dict[int, tuple[int, Value]] = {}
        self.flags: Flags = UNCLEAR
        self.escaped: int | None = None

    def copy(self) -> State:
        """Return a copy that changes on its own."""
        other = State(self.facts)
        other.registers, other.slots = dict(self.registers), dict(self.slots)
        other.flags, other.escaped = self.flags, self.escaped
        return other

    def merge(self, other: State, *, widen: bool = False) -> tuple[bool, list[Lost]]:
        """Join `other` into this state.

        With `widen` a value that still changes is given up: loops count. Return whether anything
        changed, and the values of which the joined state does not list all
        constants any more, each with the facts where it was known.
        """
        mine, theirs = self.facts, other.facts
        lost: list[Lost] = []
        changed = mine & theirs != mine
        for register in [*self.registers]:
            old = self.registers[register]
            new = other.registers.get(register)
            if new is None:
                lost.append(Lost(old, mine, register))
                del self.registers[register]
                changed = True
            elif new is not old:
                joined = join(old, mine, new, theirs)
                if widen and joined != old:
                    joined = Value(joined.origin)
                if joined.cases is None:
                    lost += [Lost(old, mine, register), Lost(new, theirs, register)]
                changed = changed or joined != old
                self.registers[register] = joined
        lost += [Lost(v, theirs, r) for r, v in other.registers.items() if r not in self.registers]
        for place in [*self.slots]:
            size, value = self.slots[place]
            there = other.slots.get(place)
            if there is None or there[0] != size:
                lost.append(Lost(value, mine))
                del self.slots[place]
                changed = True
            elif there[1] is not value:
                joined = join(value, mine, there[1], theirs)
                if widen and joined != value:
                    joined = Value(joined.origin)
                if joined.cases is None:
                    lost += [Lost(value, mine), Lost(there[1], theirs)]
                changed = changed or joined != value
                self.slots[place] = size, joined
        lost += [Lost(v, theirs) for p, (_, v) in other.slots.items() if p not in self.slots]
        if self.flags is not UNCLEAR and self.flags != other.flags:
            self.flags, changed = UNCLEAR, True
        low = min((e for e in (self.escaped, other.escaped) if e is not None), default=None)
        changed = changed or low != self.escaped
        self.escaped, self.facts = low, mine & theirs
        return changed, [each for each in lost if each.value.cases]

    def read(self, register: int) -> Value:
        """Return the value of a register of any size."""
        full = FULL[register]
        value = self.registers.get(full, UNKNOWN)
        if full == register or (value.cases is None and not value.bits and register not in _HIGH):
            return value
        if register in _HIGH:
            value = shifted(value, 8)
        return narrow(value, 8 * SIZES[register])

    def write(self, register: int, value: Value) -> None:
        """Set a register of any size; those of 8 and 16 bits leave the other bits as they are."""
        full, size = FULL[register], SIZES[register]
        if size == 4:
            value = narrow(value, 32)
        elif size < 4 and register in _HIGH:
            value = UNKNOWN if value.origin else PLAIN
        elif size < 4 and value.cases is None and not value.bits:
            pass
        elif size < 4:
            mask = (1 << 8 * size) - 1
            kept = bitwise("and", self.registers.get(full, UNKNOWN), constant(WORD & ~mask))
            value = bitwise("or", kept, narrow(value, 8 * size))
        self.registers[full] = value

    def load(self, address: int, size: int) -> Value:
        """Return the value of a stack slot."""
        known = self.slots.get(address)
        if known is not None and known[0] == size:
            return known[1]
        for place, (width, value) in self.slots.items():
            if place <= address and address + size <= place + width:
                return narrow(shifted(value, 8 * (address - place)), 8 * size)
        return UNKNOWN

    def store(self, address: int, size: int, value: Value) -> None:
        """Set a stack slot."""
        for place in [*self.slots]:
            if place < address + size and address < place + self.slots[place][0]:
                del self.slots[place]
        self.slots[address] = size, value

    def forget_escaped(self) -> None:
        """Forget what a called function may have changed on the stack."""
        if self.escaped is not None:
            for place in [*self.slots]:
                if place >= self.escaped:
                    del self.slots[place]

    def address(self, each: Instruction) -> Value:
        """Return the address of the memory operand of an instruction."""
        if each.is_ip_rel_memory_operand:
            return constant(each.ip_rel_memory_address)
        total = constant(each.memory_displacement & WORD)
        if each.memory_base != Register.NONE:
            total = added(total, self.read(each.memory_base))
        if each.memory_index != Register.NONE:
            index = self.read(each.memory_index)
            number = index.constant
            if number is None:
                return UNKNOWN if max(total.origin, index.origin) else PLAIN
            total = added(total, constant(number * each.memory_index_scale))
        return total


def added(one: Value, other: Value) -> Value:
    """Return the sum of two values, known only if one of them is a constant."""
    for left, right in ((one, other), (other, one)):
        number = right.constant
        if number is not None and left.cases is not None:
            pairs = tuple(sorted((case + number & WORD, facts) for case, facts in left.cases))
            return Value(max(one.origin, other.origin), pairs)
        if number == 0:
            return left
    return Value(max(one.origin, other.origin))


def operand_size(each: Instruction, operand: int) -> int:
    """Return the size of an operand in bytes; 0 if it has none."""
    kind = each.op_kind(operand)
    if kind == OpKind.REGISTER:
        return SIZES[each.op_register(operand)]
    return MemorySizeExt.size(each.memory_size) if kind == OpKind.MEMORY else 0
