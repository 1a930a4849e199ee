"""Which x86 code runs without a dispatch check: reachability over direct calls.

Roots are the code that runs at import (initialisers, PyInit) and every function that calls the
Python C API, which the interpreter reaches through pointers. Calls on only one arm of a branch on
CPU features are not followed, nor are pointers, since that is how dispatch works.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator

from iced_x86 import Code, Decoder, FlowControl, Instruction

from variantbuild.audit.dispatch.checknames import PYTHON, names_features
from variantbuild.audit.x86.checks import (
    Flow,
    GuardData,
    data_of_caller,
    data_of_probe,
    flow_of,
    is_probe,
)
from variantbuild.audit.x86.instructions import needs_of
from variantbuild.audit.x86.scan import Calls, Scan, decode_function
from variantbuild.audit.x86.taint import Taint
from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.elf.symbols import Bounds, Slots, Symbol, initializers

_MODELS = ("__cpu_model", "__cpu_features2")
_CALLING = (FlowControl.CALL, FlowControl.INDIRECT_CALL)
_SMALL = 160  # bytes of a function that tests one feature


class Reach:
    """The call graph of one file, walked from its roots as far as needed."""

    def __init__(
        self,
        data: Data,
        elf: Elf,
        symbols: tuple[Symbol, ...],
        bounds: Bounds,
        slots: Slots,
        scan: Scan,
    ) -> None:
        self._data, self._elf, self._symbols = data, elf, symbols
        self._bounds, self._slots, self._scan = bounds, slots, scan
        self._defined = {
            each.name: each.address for each in symbols if each.function and not each.ifunc
        }
        self._stubs = dict(_stubs(data, elf))
        self._objects = {
            each.address: each.size for each in symbols if not each.function and each.size
        }
        self._slot_places = sorted(slots.values)
        self._calls = Calls(data, elf)
        self._followed: set[int] = set()
        self._resolved: dict[int, int] = {}
        self._predicates: dict[int, bool] = {}
        self._probes = self._find_probes()
        self._guard_data = self._find_guard_data()

    def needs(self) -> dict[int, dict[str, int]]:
        """Return the unguarded needs of functions, each with its first instruction's address."""
        imported = set(self._import_roots())
        called_back = set(self._callers_of_python())
        # Where symbols give the size of tables, functions that call Python are roots only if code
        # that runs at import points to them: a module may register some after a dispatch check.
        waiting = called_back - imported if self._elf.section(".symtab") else set()
        nothing: Taint = frozenset()
        left = [(start, nothing) for start in sorted(imported | (called_back - waiting))]
        seen = set(left)
        found: dict[int, dict[str, int]] = {}
        while left:
            start, entry = left.pop()
            body = self._body(start)
            if not body:
                continue
            asks = self._asks(importing=start in imported)
            flow = flow_of(body, start, self._bounds.end(start), asks, entry)
            for need, at in self._unguarded(start, body, flow):
                found.setdefault(start, {}).setdefault(need, at)
            going = [
                (self._function(branch.target), branch.taint)
                for branch in flow.leaves
                if not flow.is_guarded_jump(branch)
            ]
            if waiting:
                going += [(each, nothing) for each in self._pointed_to(body, flow) & waiting]
            for state in going:
                if state[0] >= 0 and state not in seen and (state[0], nothing) not in seen:
                    seen.add(state)
                    left.append(state)
        return found

    def _pointed_to(self, body: list[Instruction], flow: Flow) -> set[int]:
        """Return the functions to which the data that unguarded code refers to points."""
        found: set[int] = set()
        places = [
            each.ip_rel_memory_address
            for each in body
            if each.is_ip_rel_memory_operand and not flow.is_guarded(each.ip)
        ]
        while places:
            address = places.pop()
            if address in self._followed:
                continue
            self._followed.add(address)
            found.add(self._bounds.locate(address))
            at = bisect_left(self._slot_places, address)
            end = address + max(8, self._objects.get(address, 0))
            while at < len(self._slot_places) and self._slot_places[at] < end:
                places.append(self._slots.values[self._slot_places[at]])
                at += 1
        return found

    def _unguarded(
        self, start: int, body: list[Instruction], flow: Flow
    ) -> Iterator[tuple[str, int]]:
        if start not in self._scan.uses:
            return
        for each in body:
            needs = needs_of(each.code)
            if needs and not flow.is_guarded(each.ip):
                yield from ((need, each.ip) for need in needs)

    def _asks(self, *, importing: bool) -> Callable[[Instruction], bool]:
        def asks(instruction: Instruction) -> bool:
            if is_probe(instruction) or self._reads_guard_data(instruction):
                return True
            if instruction.flow_control in _CALLING and self._asks_another(instruction):
                return True
            if instruction.code != Code.CALL_REL32_64:
                return False
            # The code after `if (init() < 0) return NULL` in PyInit is not dispatched.
            return (not importing and self._is_probe_call(instruction)) or self._is_predicate(
                self._function(instruction.near_branch_target)
            )

        return asks

    def _body(self, start: int) -> list[Instruction]:
        return decode_function(self._data, self._elf, start, self._bounds.end(start))

    def _function(self, target: int) -> int:
        """Return the start of the function that a call to `target` reaches; -1 outside the file."""
        known = self._resolved.get(target)
        if known is None:
            known = self._resolved[target] = self._resolve(target)
        return known

    def _resolve(self, target: int) -> int:
        slot = self._stubs.get(target, target)
        if slot in self._slots.names:
            return self._defined.get(self._slots.names[slot], -1)
        return self._bounds.locate(self._slots.values.get(slot, slot))

    def _import_roots(self) -> Iterator[int]:
        yield from (
            start
            for address in initializers(self._data, self._elf, self._slots)
            if (start := self._bounds.locate(address)) >= 0
        )
        yield from (
            each.address
            for each in self._symbols
            if each.function and each.name.startswith("PyInit_")
        )

    def _callers_of_python(self) -> Iterator[int]:
        wanted = {slot for slot, name in self._slots.names.items() if name.startswith(PYTHON)}
        targets = wanted | {stub for stub, slot in self._stubs.items() if slot in wanted}
        for at in self._calls.of(targets):
            caller = self._bounds.locate(at)
            if caller >= 0:
                yield caller

    def _callers_of(self, functions: set[int]) -> dict[int, int]:
        """Count the calls of `functions` by the calling function."""
        slots = {slot for slot, value in self._slots.values.items() if value in functions}
        slots |= {
            slot for slot, name in self._slots.names.items() if self._defined.get(name) in functions
        }
        stubs = {stub for stub, slot in self._stubs.items() if slot in slots}
        found: dict[int, int] = {}
        for at in self._calls.of(functions | slots | stubs):
            caller = self._bounds.locate(at)
            if caller >= 0:
                found[caller] = found.get(caller, 0) + 1
        return found

    def _find_probes(self) -> set[int]:
        probes = {start for start in self._scan.probes if self._bounds.locate(start) == start}
        # A function that calls a CPUID wrapper several times is the one that detects the features.
        finders = {caller for caller, times in self._callers_of(probes).items() if times > 1}
        return probes | finders

    def _find_guard_data(self) -> GuardData:
        found = [place for start in self._probes for place in data_of_probe(self._body(start))]
        for caller in self._callers_of(self._probes):
            found += data_of_caller(self._body(caller), self._is_probe_call)
        found += [(each.address, each.size) for each in self._symbols if each.name in _MODELS]
        writable = [
            range(each.address, each.address + each.memory)
            for each in self._elf.segments
            if each.flags & 2
        ]
        places = [(self._slots.values.get(address, address), size) for address, size in found]
        return GuardData(
            (address, max(size, self._objects.get(address, 0)))
            for address, size in places
            if any(address in span for span in writable)
        )

    def _is_probe_call(self, instruction: Instruction) -> bool:
        return (
            instruction.code == Code.CALL_REL32_64
            and self._function(instruction.near_branch_target) in self._probes
        )

    def _asks_another(self, instruction: Instruction) -> bool:
        """Return whether a call goes to a function of another file that detects CPU features."""
        target = instruction.near_branch_target
        if instruction.is_ip_rel_memory_operand:
            target = instruction.ip_rel_memory_address
        slot = self._stubs.get(target, target)
        return names_features(self._slots.names.get(slot, ""))

    def _is_predicate(self, start: int) -> bool:
        """Return whether the function at `start` only reads the detected features."""
        known = self._predicates.get(start)
        if known is None:
            small = start >= 0 and self._bounds.end(start) - start <= _SMALL
            body = self._body(start) if small else []
            known = any(self._reads_guard_data(each) for each in body) and not any(
                each.flow_control == FlowControl.CALL for each in body
            )
            self._predicates[start] = known
        return known

    def _reads_guard_data(self, instruction: Instruction) -> bool:
        if not instruction.is_ip_rel_memory_operand:
            return False
        address = instruction.ip_rel_memory_address
        return self._slots.values.get(address, address) in self._guard_data


def _stubs(data: Data, elf: Elf) -> Iterator[tuple[int, int]]:
    """Yield (address of a PLT stub, slot it jumps through)."""
    for section in elf.sections:
        if not section.name.startswith(".plt"):
            continue
        raw = bytes(data[section.offset : section.offset + section.size])
        for each in Decoder(64, raw, ip=section.address):
            indirect = each.flow_control == FlowControl.INDIRECT_BRANCH
            if indirect and each.is_ip_rel_memory_operand:
                yield each.ip, each.ip_rel_memory_address
                yield each.ip - 4, each.ip_rel_memory_address  # after endbr64
