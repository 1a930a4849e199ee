"""What is known of a file's variables, of what its functions return, and of their arguments.

Everything is assumed not to occur until code is seen that writes, returns or passes it. Functions
are analysed again while that changes: at the fixed point, every writer and caller has been seen.
"""

from __future__ import annotations

from collections.abc import Callable

from variantbuild.audit.x86.around import Around, Visit
from variantbuild.audit.x86.bitvalues import (
    NOTHING,
    PLAIN,
    UNKNOWN,
    Value,
    constant,
    join,
    narrow,
    shifted,
)
from variantbuild.audit.x86.cpufacts import NEVER
from variantbuild.audit.x86.factflow import Flow, OutOfBudget, unknown_arguments
from variantbuild.audit.x86.program import Program
from variantbuild.audit.x86.state import ARGUMENTS, State

_MOST_WRITERS = 64


class Knowledge:
    """The tables of one file, and the analysis of its functions by them."""

    def __init__(self, program: Program, budget: int, called_by_all: Callable[[int], bool]) -> None:
        self.program, self._called_by_all = program, called_by_all
        self.changed = False
        self._left = budget
        self._variables: dict[tuple[int, int], Value] = {}
        self._returned: dict[int, Value] = {}
        self._arguments: dict[int, tuple[Value, ...]] = {}
        self._visits: dict[int, Visit] = {}
        self._pending: list[int] = []

    def begin(self) -> None:
        """Begin a round: everything is analysed again by the tables as they are."""
        self._visits.clear()
        self.changed = False

    def finish(self) -> bool:
        """Analyse what writes to variables in the tables; return whether the tables are final."""
        while self._pending:
            self.visit(self._pending.pop())
        for key in [*self._variables]:
            self._require(self._writers(*key))
        for start in [*self._arguments]:
            self._require(self.program.callers(start))
        for start in [*self._returned]:
            self._require({start})
        while self._pending:
            self.visit(self._pending.pop())
        return not self.changed

    def _require(self, starts: set[int]) -> None:
        self._pending += [each for each in starts if each not in self._visits]

    def visit(self, start: int) -> Visit:
        """Return the analysis of the function at `start`."""
        found = self._visits.get(start)
        if found is None:
            body = self.program.body(start)
            if self._left < 0:
                raise OutOfBudget
            found = self._visits[start] = Visit()
            arguments = self._arguments.get(start)
            if arguments is None:
                # What the interpreter or the loader passes is no answer of the CPU.
                plain = self._called_by_all(start)
                arguments = unknown_arguments(PLAIN if plain else UNKNOWN)
            found.flow = Flow(body, Around(self, found, start), arguments, self._left)
            self._left -= found.flow.steps + body.size // 4 + 20
        return found

    def track_arguments(self, start: int) -> None:
        """Follow what is passed to the function at `start`, which only direct calls lead to."""
        if start not in self._arguments and self.program.is_internal(start):
            self._arguments[start] = (NOTHING,) * len(ARGUMENTS)
            self.changed = True

    def returned(self, start: int) -> Value:
        """Return what the function at `start` returns."""
        if start not in self._returned:
            self._returned[start] = NOTHING
            self._require({start})
            self.changed = True
        return self._returned[start]

    def note_return(self, start: int, value: Value, facts: int) -> None:
        """Add a value that the function at `start` returns."""
        old = self._returned.get(start)
        if old is not None:
            self._returned[start] = self._joined(old, value, facts)

    def note_arguments(self, start: int, state: State) -> None:
        """Add the arguments of one call."""
        old = self._arguments.get(start)
        if old is not None:
            self._arguments[start] = tuple(
                self._joined(value, state.registers.get(register, UNKNOWN), state.facts)
                for register, value in zip(ARGUMENTS, old, strict=True)
            )

    def variable(self, address: int, size: int) -> Value:
        """Return the value of the variable at `address`."""
        key = address, size
        if key not in self._variables:
            self.changed = True
            writers = self._writers(address, size)
            self._variables[key] = self._initial(address, size)
            if len(writers) > _MOST_WRITERS or self._is_shared(address, size):
                self._variables[key] = UNKNOWN
            self._require(writers)
        return self._variables[key]

    def store(self, address: int, size: int, value: Value, facts: int) -> None:
        """Add a value that is written at `address`; of size 0 if any part of an object may be."""
        if not size:
            self.escape(address)
            return
        for (place, width), old in [*self._variables.items()]:
            if place < address + size and address < place + width:
                part = UNKNOWN
                if address <= place and place + width <= address + size and size <= 8:
                    part = narrow(shifted(value, 8 * (place - address)), 8 * width)
                self._variables[place, width] = self._joined(old, part, facts)

    def escape(self, address: int) -> None:
        """Note that any code may write to the object at `address`."""
        for (place, width), old in [*self._variables.items()]:
            if old != UNKNOWN and any(
                self.program.may_reach(address, each) for each in (place, place + width - 1)
            ):
                self._variables[place, width] = UNKNOWN
                self.changed = True

    def _joined(self, old: Value, value: Value, facts: int) -> Value:
        if facts == NEVER:
            return old
        new = join(old, 0, value, facts)
        if new != old:
            self.changed = True
        return new

    def _initial(self, address: int, size: int) -> Value:
        pointer = self.program.image.pointers.get(address)
        if pointer is not None:
            return constant(pointer) if size == 8 else UNKNOWN
        raw = self.program.image.read(address, size)
        return constant(int.from_bytes(raw.ljust(size, b"\0"), "little"))

    def _is_shared(self, address: int, size: int) -> bool:
        """Return whether other files, or data with a pointer, lead to the variable."""
        program = self.program
        if any(
            each.exported
            and not each.function
            and each.address <= address < each.address + each.size
            for each in program.image.symbols
            if each.address
        ):
            return True
        return any(
            program.may_reach(value, address)
            for place, value in program.image.pointers.items()
            if address - 4096 <= value < address + size and place not in program.image.names
        )

    def _writers(self, address: int, size: int) -> set[int]:
        program = self.program
        known = program.object_of(address)
        lowest = known[0] if known is not None else address - 4096
        places = {*program.refs.operands(min(lowest, address - 63), address + size)}
        return {program.function(place) for place in places}
