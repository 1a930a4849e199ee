"""Which AArch64 code runs without a dispatch check: reachability over direct calls.

As for x86: direct calls are followed from the code that runs at import and from functions that call
the Python C API, except where only one arm of a branch on the result of a check leads to them. The
helpers that gcc and clang call for atomics (-moutline-atomics) contain checks: if there are no
others, all other code counts as unchecked.

Source: libgcc's config/aarch64/lse.S for the shape of the helpers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from variantbuild.audit.aarch64.flow import (
    Event,
    Function,
    branch_target,
    guarded_words,
    read_function,
)
from variantbuild.audit.dispatch.checknames import PYTHON, known_check, names_features
from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.elf.symbols import Bounds, Slots, Symbol, initializers

_ASKERS = frozenset({"getauxval", "__getauxval", "elf_aux_info"})
_BTI = 0xD503245F
OUTLINE = "outline atomics"

Uses = Mapping[int, Mapping[str, int]]
"""For the start of each function, what it needs and the address of the first such instruction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """One file; `asking` are the addresses of the MRS instructions that read an ID register."""

    data: Data
    elf: Elf
    symbols: tuple[Symbol, ...]
    slots: Slots
    bounds: Bounds
    asking: frozenset[int]


class Walk:
    """The call graph of one file, walked from its roots as far as needed."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._defined = {each.name: each.address for each in program.symbols if each.function}
        self._stubs = dict(_stubs(program))
        self._calls = list(_calls(program))
        self._helpers = {each for each in program.bounds.starts if _is_helper(self._head(each))}
        self._probes = {program.bounds.locate(at) for at in program.asking}
        self._probes |= {
            program.bounds.locate(at)
            for at, target in self._calls
            if self._name(target) in _ASKERS or names_features(self._name(target))
        }
        self._probes.discard(-1)
        self._guard_data = self._find_guard_data()

    @property
    def guard(self) -> str | None:
        """The dispatch check that the file makes; None if it makes none."""
        known = known_check(self._program.symbols, self._program.slots)
        if known is not None:
            return known
        flags = {
            event.load
            for start in self._helpers
            for event in self._function(start).events.values()
            if event.load is not None
        }
        if self._helpers and self._guard_data <= flags:
            return OUTLINE
        if self._probes:
            return f"a check in {self._program.bounds.name(min(self._probes))}"
        return None

    def unguarded(self, uses: Uses) -> dict[int, dict[str, int]] | None:
        """Return those of `uses` that are reached without a dispatch check; None if all are."""
        guard = self.guard
        if guard is None or not self._program.bounds.starts:
            return None
        if guard == OUTLINE:
            return {at: dict(needs) for at, needs in uses.items() if at not in self._helpers}
        seen = set(self._roots())
        left = sorted(seen)
        found: dict[int, dict[str, int]] = {}
        while left:
            start = left.pop()
            function = self._function(start)
            guarded = guarded_words(function, self._asks)
            if start in uses and start not in self._helpers:
                needs = {
                    need: at for need, at in uses[start].items() if (at - start) // 4 not in guarded
                }
                if needs:
                    found[start] = needs
            for i, event in function.events.items():
                target = -1 if event.call is None or i in guarded else self._target(event.call)
                if target >= 0 and target not in seen:
                    seen.add(target)
                    left.append(target)
        return found

    def is_helper(self, start: int) -> bool:
        """Return whether the function at `start` tests a flag before it uses atomics."""
        return start in self._helpers

    def _asks(self, word: int, event: Event, at: int) -> int | None:
        if at in self._program.asking or self._is_guard_data(event.load):
            return word & 31
        if event.call is not None:
            name = self._name(event.call)
            asker = name in _ASKERS or names_features(name)
            if asker or self._target(event.call) in self._probes:
                return 0
        return None

    def _is_guard_data(self, address: int | None) -> bool:
        if address is None:
            return False
        slots = self._program.slots
        known = names_features(slots.names.get(address, ""))
        return known or slots.values.get(address, address) in self._guard_data

    def _find_guard_data(self) -> set[int]:
        found = {
            event.store
            for start in self._probes
            for event in self._function(start).events.values()
            if event.store is not None
        }
        named = (each for each in self._program.symbols if names_features(each.name))
        for each in named:
            if not each.function:
                found.update(range(each.address, each.address + min(each.size, 256)))
        return found

    def _roots(self) -> Iterator[int]:
        program = self._program
        for address in initializers(program.data, program.elf, program.slots):
            yield program.bounds.locate(address)
        yield from (
            each.address
            for each in program.symbols
            if each.function and each.name.startswith("PyInit_")
        )
        for at, target in self._calls:
            if self._name(target).startswith(PYTHON):
                yield program.bounds.locate(at)

    def _name(self, target: int) -> str:
        return self._program.slots.names.get(self._stubs.get(target, -1), "")

    def _target(self, address: int) -> int:
        """Return the start of the function that a branch to `address` reaches; -1 if none."""
        slot = self._stubs.get(address)
        if slot is None:
            return self._program.bounds.locate(address)
        name = self._program.slots.names.get(slot, "")
        return self._defined.get(name, -1)

    def _function(self, start: int) -> Function:
        end = self._program.bounds.end(start) if start >= 0 else start
        return read_function(start, _words(self._program, start, end))

    def _head(self, start: int) -> tuple[int, ...]:
        return _words(self._program, start, start + 16)


def _words(program: Program, start: int, end: int) -> tuple[int, ...]:
    offset = program.elf.offset_of(start)
    if offset is None or end <= start:
        return ()
    raw = bytes(program.data[offset : offset + end - start])
    return struct.unpack(f"<{len(raw) // 4}I", raw[: len(raw) // 4 * 4])


def _is_helper(words: tuple[int, ...]) -> bool:
    """Return whether a function begins with a test of the flag: adrp x16; ldrb w16; cbz w16."""
    if words[:1] == (_BTI,):
        words = words[1:]
    return (
        len(words) >= 3
        and words[0] & 0x9F00001F == 0x90000010
        and words[1] & 0xFFC003FF == 0x39400210
        and words[2] & 0xFF00001F == 0x34000010
    )


def _stubs(program: Program) -> Iterator[tuple[int, int]]:
    """Yield (address of a PLT stub, slot it jumps through)."""
    for section in program.elf.sections:
        if section.name.startswith(".plt"):
            function = read_function(
                section.address, _words(program, section.address, section.address + section.size)
            )
            for i, event in function.events.items():
                if event.load is not None:
                    at = section.address + 4 * (i - 1)  # the load follows its ADRP
                    yield at, event.load
                    yield at - 4, event.load  # after BTI


def _calls(program: Program) -> Iterator[tuple[int, int]]:
    """Yield (address, target) of every BL."""
    for section in program.elf.sections:
        if not section.executable or section.name.startswith(".plt"):
            continue
        raw = bytes(program.data[section.offset : section.offset + section.size])
        tops = raw[3::4]
        for i, top in enumerate(tops):
            if 0x94 <= top <= 0x97:
                at = section.address + 4 * i
                target = branch_target(int.from_bytes(raw[4 * i : 4 * i + 4], "little"), at)
                if target is not None:
                    yield at, target
