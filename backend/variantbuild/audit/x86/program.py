"""One x86-64 file for the flow analysis: its functions, their bodies, and what refers to them."""

from __future__ import annotations

import functools
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from iced_x86 import (
    Decoder,
    FlowControl,
    Mnemonic,
    OpKind,
    Register,
)

from variantbuild.audit.x86.body import Body
from variantbuild.audit.x86.operands import written_registers
from variantbuild.audit.x86.plausible import may_be_code
from variantbuild.audit.x86.refs import Refs
from variantbuild.audit.x86.state import CLOBBERED, FULL
from variantbuild.binary.elf.loaded import Loaded
from variantbuild.binary.elf.symbols import Bounds

_LEAVING = frozenset(
    {FlowControl.CALL, FlowControl.INDIRECT_CALL, FlowControl.INTERRUPT, FlowControl.EXCEPTION}
)
_GNU_RELRO = 0x6474E552
_FARTHEST = 4096  # bytes of an object whose size is not known


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call leads: the function at `start`, or the imported `name`."""

    start: int = -1
    name: str = ""


def _clobbered(body: Body) -> Iterable[int]:
    if body.loose or any(block.leaves or block.unresolved for block in body.blocks.values()):
        return CLOBBERED
    found: set[int] = {Register.RAX}
    for block in body.blocks.values():
        for each in block.body:
            if each.flow_control in _LEAVING:
                return CLOBBERED
            found.update(FULL[one] for one in written_registers(each))
    return found.intersection(CLOBBERED)


class Program:
    """The functions of one file. `objects` are sizes of variables by their address."""

    def __init__(
        self, image: Loaded, bounds: Bounds, objects: dict[int, int], refs: Refs | None = None
    ) -> None:
        self.image, self.bounds, self.objects = image, bounds, objects
        if refs is not None:
            self.refs = refs
        self._objects = sorted((start, start + size) for start, size in objects.items() if size)
        self._object_starts = [start for start, _ in self._objects]
        self._bodies: dict[int, Body] = {}
        self._targets: dict[int, Target] = {}
        self._clobbered: dict[int, frozenset[int]] = {}
        self._links: dict[int, list[tuple[int, int, bool]]] = {}
        self._fixed = [
            (each.address, each.address + each.memory)
            for each in image.elf.segments
            if each.type == _GNU_RELRO or (each.type == 1 and not each.flags & 2)
        ]
        self._memory = [
            (each.address, each.address + each.memory)
            for each in image.elf.segments
            if each.type == 1
        ]
        self._places: dict[int, list[int]] = {}
        for place, address in image.pointers.items():
            if image.is_code(address):
                self._places.setdefault(address, []).append(place)
        self._pointed = sorted(self._places)
        self.resolvers = {
            self.function(each)
            for each in (*image.resolvers.values(), *(s.address for s in image.symbols if s.ifunc))
        }
        called = {each.address for each in image.symbols if each.exported and each.address}
        called |= {address for address, _ in image.initializers()}
        called |= {*image.resolvers.values(), image.entry()}
        self._public = {self.function(each) for each in called if image.is_code(each)}

    @functools.cached_property
    def refs(self) -> Refs:
        """The references in the code."""
        return Refs(self.image)

    def function(self, address: int) -> int:
        """Return the start of the function, or of the bytes between functions, at `address`."""
        start = self.bounds.locate(address)
        if start >= 0:
            return start
        span = self.image.span(address)
        at = bisect_right(self.bounds.starts, address)
        before = self.bounds.ends[at - 1] if at else 0
        return max(before, span.start if span is not None else address)

    def end(self, start: int) -> int:
        """Return where the function, or the bytes between functions, at `start` end."""
        at = bisect_right(self.bounds.starts, start)
        if at and self.bounds.starts[at - 1] == start:
            return self.bounds.ends[at - 1]
        span = self.image.span(start)
        end = span.end if span is not None else start
        return min(end, self.bounds.starts[at]) if at < len(self.bounds.starts) else end

    def body(self, start: int) -> Body:
        """Return the code of the function at `start`."""
        found = self._bodies.get(start)
        if found is None:
            entries = {target for _, target in self.entries(start)}
            taken = {target for _, target in self.pointers(start)} - {start}
            taken.update(self.refs.addresses(start + 1, self.end(start)))
            entries.update(each for each in taken if may_be_code(self.image, each))
            found = Body(self.image, start, self.end(start), frozenset(entries))
            self._bodies[start] = found
        return found

    def entries(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield (place, target) of branches from elsewhere into the function at `start`."""
        end = self.end(start)
        for place, target in self.refs.branches(start, end):
            if not start <= place < end:
                yield place, target

    def callers(self, start: int) -> set[int]:
        """Return the functions that may branch to, or take the address of, the one at `start`."""
        end = self.end(start)
        places = [place for place, _ in self.entries(start)]
        places += [place for place in self.refs.operands(start, end) if not start <= place < end]
        for slot in self.slots(start):
            for place in self.refs.operands(slot, slot + 1):
                places.append(place)
                stub = self.function(place)
                if self.bounds.locate(place) < 0:
                    places += [p for p, _ in self.refs.branches(place - 8, place + 1)]
                else:
                    places += [p for p, _ in self.entries(stub)]
        at = bisect_right(self.bounds.starts, start) - 1
        found = {self.function(place) for place in places}
        if at > 0:
            found.add(self.bounds.starts[at - 1])  # may fall through, or jump a few bytes
        if 0 <= at < len(self.bounds.starts) - 1:
            found.add(self.bounds.starts[at + 1])
        return found - {start}

    def is_referred(self, start: int) -> bool:
        """Return whether code or data refers to the function at `start` in a way that is seen.

        Addresses may also be computed, and offsets in tables lead to parts of functions.
        """
        end = max(self.end(start), start + 1)
        return (
            any(True for _ in self.entries(start))
            or any(not start <= place < end for place in self.refs.operands(start, end))
            or any(True for _ in self.pointers(start))
        )

    def branch_to(self, caller: int, start: int, *, exact: bool) -> int:
        """Return where the function at `caller` calls, jumps to or takes the address of `start`.

        -1 if no instruction that control flow gets to does. If it has to be `exact`, only what is
        reached from the beginning of the caller counts, and only what leads to that of the other.
        """
        end = start + 1 if exact else max(self.end(start), start + 1)
        links = self._links_of(caller)
        for first, behind in ((start, end), *((slot, slot + 1) for slot in self.slots(start))):
            at = bisect_left(links, (first, 0))
            while at < len(links) and links[at][0] < behind:
                if links[at][2] or not exact:
                    return links[at][1]
                at += 1
        return -1

    def _links_of(self, start: int) -> list[tuple[int, int, bool]]:
        """Return what the function at `start` refers to, with the place of the instruction.

        And whether that is reached from the beginning.
        """
        found = self._links.get(start)
        if found is None:
            found = self._links[start] = []
            body = self.body(start)
            reached = body.reached()
            for at, block in body.blocks.items():
                sure = at in reached
                found += [(leaf, block.body[-1].ip, sure) for leaf in block.leaves]
                for each in block.body:
                    if each.is_ip_rel_memory_operand:
                        found.append((each.ip_rel_memory_address, each.ip, sure))
                    elif each.op_count and each.op0_kind == OpKind.NEAR_BRANCH64:
                        target = each.near_branch_target
                        through = self.target(target).start
                        found += [(target, each.ip, sure), (through, each.ip, sure)]
            found.sort()
        return found

    def slots(self, start: int) -> list[int]:
        """Return the slots that the loader fills with the address of the function, by its name."""
        return [place for place in self._places.get(start, ()) if place in self.image.names]

    def pointers(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield (place, address) of the data that holds an address in the function at `start`."""
        at = bisect_right(self._pointed, start - 1)
        end = max(self.end(start), start + 1)
        while at < len(self._pointed) and self._pointed[at] < end:
            yield from ((place, self._pointed[at]) for place in self._places[self._pointed[at]])
            at += 1

    def is_internal(self, start: int) -> bool:
        """Return whether only direct branches lead to the function at `start`."""
        end = self.end(start)
        if start in self._public or any(True for _ in self.pointers(start)):
            return False
        return not any(not start <= place < end for place in self.refs.operands(start, end))

    def target(self, address: int) -> Target:
        """Return where a call of `address` leads, through a stub if it is one."""
        found = self._targets.get(address)
        if found is None:
            found = self._targets[address] = self._resolve(address)
        return found

    def _resolve(self, address: int) -> Target:
        for each in Decoder(64, self.image.read(address, 24), ip=address):
            if each.mnemonic == Mnemonic.ENDBR64:
                continue
            if each.flow_control == FlowControl.INDIRECT_BRANCH and each.is_ip_rel_memory_operand:
                slot = each.ip_rel_memory_address
                if slot in self.image.pointers:
                    return Target(self.image.pointers[slot])
                if slot in self.image.names:
                    return Target(name=self.image.names[slot])
            break
        return Target(address if self.image.is_code(address) else -1)

    def clobbered(self, start: int) -> frozenset[int]:
        """Return those registers that callers save which the function at `start` may change.

        GCC's -fipa-ra does not save the others around a call.
        """
        found = self._clobbered.get(start)
        if found is None:
            found = self._clobbered[start] = frozenset(_clobbered(self.body(start)))
        return found

    def is_fixed(self, address: int) -> bool:
        """Return whether the code cannot write the data at `address` after loading."""
        return any(start <= address < end for start, end in self._fixed)

    def is_mapped(self, address: int) -> bool:
        """Return whether `address` is in the file's memory."""
        return any(start <= address < end for start, end in self._memory)

    def object_of(self, address: int) -> tuple[int, int] | None:
        """Return the range of the variable that contains `address`; None if unknown."""
        at = bisect_right(self._object_starts, address) - 1
        if at >= 0 and address < self._objects[at][1]:
            return self._objects[at]
        return None

    def may_reach(self, base: int, address: int) -> bool:
        """Return whether a pointer to `base` may be used to write at `address`."""
        known = self.object_of(base)
        if known is not None:
            return known[0] <= address < known[1]
        if self.object_of(address) is not None:
            return False
        return base <= address < base + _FARTHEST
