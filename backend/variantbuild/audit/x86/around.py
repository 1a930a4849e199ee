"""What the code around a function tells, and what the function does to others, for its analysis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from iced_x86 import FlowControl, Instruction, OpKind, Register

from variantbuild.audit.dispatch.checknames import names_features
from variantbuild.audit.x86.bitvalues import PLAIN, UNKNOWN, Value, constant, join
from variantbuild.audit.x86.cpufacts import NEVER
from variantbuild.audit.x86.factflow import Flow
from variantbuild.audit.x86.program import Program
from variantbuild.audit.x86.state import ARGUMENTS, CLOBBERED, State, on_stack

_NO_ANSWER = frozenset({"getauxval", "__getauxval", "dlsym", "__cpu_indicator_init"})
#: Functions that make memory executable, with the argument that says so, and its bits or numbers.
_PROTECTS = {"mprotect": 2, "mmap": 2, "mmap64": 2, "pkey_mprotect": 2}
_SYSCALLS = frozenset({9, 10, 329})
_EXECUTABLE = 4


@dataclass(frozen=True, slots=True)
class Edge:
    """A call or jump at `at` to the function at `target`, where `facts` hold.

    It is `exact` if the code leads there and nowhere else.
    """

    at: int
    target: int
    facts: int
    exact: bool


@dataclass(slots=True)
class Visit:
    """What one function does to others: its flow, calls, and addresses that it gives away.

    `returns` are the functions whose addresses it returns, -1 for anything else.
    """

    flow: Flow | None = None
    edges: dict[tuple[int, int], Edge] = field(default_factory=dict)
    given: dict[int, tuple[int, int]] = field(default_factory=dict)
    returns: set[int] = field(default_factory=set)
    makers: set[str] = field(default_factory=set)


class Tables(Protocol):
    """What is known of the file's variables, of its functions' results and arguments."""

    program: Program

    def variable(self, address: int, size: int) -> Value:
        """Return the value of the variable at `address`."""

    def store(self, address: int, size: int, value: Value, facts: int) -> None:
        """Add a value that is written at `address`; of size 0 if any part of an object may be."""

    def escape(self, address: int) -> None:
        """Note that any code may write to the object at `address`."""

    def returned(self, start: int) -> Value:
        """Return what the function at `start` returns."""

    def note_return(self, start: int, value: Value, facts: int) -> None:
        """Add a value that the function at `start` returns."""

    def note_arguments(self, start: int, state: State) -> None:
        """Add the arguments of one call."""


class Around:
    """The surroundings of one function while it is analysed."""

    def __init__(self, knowledge: Tables, visit: Visit, start: int) -> None:
        self._knowledge, self._visit, self._start = knowledge, visit, start
        self._program = knowledge.program

    def load(self, address: int, size: int) -> Value:
        """Return the value of a variable, or of constant data."""
        program = self._program
        image = program.image
        if address in image.names and address not in image.pointers:
            return UNKNOWN
        if address in image.resolvers or not program.is_mapped(address):
            return UNKNOWN
        if program.is_fixed(address) or address in image.names:
            pointer = image.pointers.get(address)
            if pointer is not None:
                return constant(pointer) if size == 8 else UNKNOWN
            raw = image.read(address, size)
            return constant(int.from_bytes(raw.ljust(size, b"\0"), "little"))
        return self._knowledge.variable(address, size)

    def store(self, address: int, size: int, value: Value, facts: int) -> None:
        """Note that a variable is written, and the addresses that are stored in it."""
        self._knowledge.store(address, size, value, facts)
        self.give_away(value, facts, address)

    def call(self, each: Instruction, target: Value, state: State) -> Value:
        """Note a call."""
        return self._transfer(each, target, state)

    def jump(self, each: Instruction, leaves: list[int], state: State) -> None:
        """Note a jump out of the function, or its return."""
        if each.flow_control == FlowControl.RETURN:
            value = state.registers.get(Register.RAX, UNKNOWN)
            self._return(value, state.facts)
            self._give(value, state.facts, each.ip, returned=True)
            second = state.registers.get(Register.RDX, UNKNOWN)
            if self.returns_in(Register.RDX) and self.has_code(second):
                self.give_away(second, state.facts, each.ip)
            return
        if each.flow_control == FlowControl.INDIRECT_BRANCH and not leaves:
            target = UNKNOWN
            if each.op0_kind == OpKind.REGISTER:
                target = state.read(each.op0_register)
            elif each.op0_kind == OpKind.MEMORY:
                address = state.address(each).constant
                if address is not None and not on_stack(address):
                    name = self._program.image.names.get(address)
                    target = self.load(address, 8)
                    if name is not None and address not in self._program.image.pointers:
                        self._return(self._imported(name, state), state.facts)
                        return
            self._return(self._transfer(each, target, state), state.facts)
            return
        for leaf in leaves:
            self._return(self._transfer(each, constant(leaf), state), state.facts)

    def system_call(self, number: Value) -> None:
        """Note a system call."""
        if number.cases is None or any(case in _SYSCALLS for case, _ in number.cases):
            self._visit.makers.add("a system call")

    def clobbered(self, target: Value) -> Iterable[int]:
        """Return the registers that a call of `target` may change, besides the stack pointer."""
        if target.constant is None:
            return CLOBBERED
        start = self._program.target(target.constant).start
        return CLOBBERED if start < 0 else self._program.clobbered(self._program.function(start))

    def has_code(self, value: Value) -> bool:
        """Return whether `value` may be the address of a function."""
        return any(self._program.image.is_code(case) for case, _ in value.cases or ())

    def returns_in(self, register: int) -> bool:
        """Return whether the caller may use what the function leaves in `register`."""
        if register == Register.RDX:
            return self._start not in self._program.resolvers
        return register == Register.RAX or register not in CLOBBERED

    def give_away(self, value: Value, facts: int, at: int) -> None:
        """Note that `value` leaves what is followed."""
        self._give(value, facts, at, returned=False)

    def _give(self, value: Value, facts: int, at: int, *, returned: bool) -> None:
        image = self._program.image
        if returned and value.cases is None:
            self._visit.returns.add(-1)
        for case, more in value.cases or ():
            if returned:
                self._visit.returns.add(self._program.function(case) if image.is_code(case) else -1)
            if on_stack(case):
                continue
            if image.is_code(case):
                start = self._program.function(case)
                old, _ = self._visit.given.get(start, (NEVER, at))
                self._visit.given[start] = (old & (facts | more), at)
            elif self._program.is_mapped(case) and case > 1 << 12:
                self._knowledge.escape(case)

    def _return(self, value: Value, facts: int) -> None:
        self._knowledge.note_return(self._start, value, facts)

    def _transfer(self, each: Instruction, target: Value, state: State) -> Value:
        for register in ARGUMENTS:
            value = state.registers.get(register)
            if value is not None and value.cases:
                self.give_away(value, state.facts, each.ip)
        if state.escaped is not None:
            for place, (_, value) in state.slots.items():
                if place >= state.escaped:
                    self.give_away(value, state.facts, each.ip)
        slot = each.ip_rel_memory_address if each.is_ip_rel_memory_operand else -1
        names = self._program.image.names
        if slot in names and slot not in self._program.image.pointers:
            return self._imported(names[slot], state)
        if not target.cases:
            return UNKNOWN
        result: Value | None = None
        for case, facts in target.cases:
            value = self._enter(each, case, facts, state, exact=len(target.cases) == 1)
            result = value if result is None else join(result, 0, value, facts)
        return result or UNKNOWN

    def _enter(
        self, each: Instruction, case: int, facts: int, state: State, *, exact: bool
    ) -> Value:
        target = self._program.target(case)
        if target.name:
            return self._imported(target.name, state)
        if target.start < 0:
            return UNKNOWN
        start = self._program.function(target.start)
        old = self._visit.edges.get((each.ip, start))
        holds = (state.facts | facts) & (NEVER if old is None else old.facts)
        self._visit.edges[each.ip, start] = Edge(each.ip, start, holds, exact)
        self._knowledge.note_arguments(start, state)
        return self._knowledge.returned(start)

    def _imported(self, name: str, state: State) -> Value:
        argument = _PROTECTS.get(name)
        if argument is not None:
            value = state.registers.get(ARGUMENTS[argument], UNKNOWN)
            if value.bit(2).one != NEVER:
                self._visit.makers.add(name)
        if name == "syscall":
            value = state.registers.get(ARGUMENTS[0], UNKNOWN)
            if value.cases is None or any(case in _SYSCALLS for case, _ in value.cases):
                self._visit.makers.add(name)
        return UNKNOWN if name in _NO_ANSWER or names_features(name) else PLAIN
