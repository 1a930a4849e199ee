"""Analyse one AArch64 function: its calls, and the code that depends on a dispatch check.

A may-analysis over basic blocks, as for x86: the result of a check is tainted, so is what is
computed from tainted registers, and a conditional branch on a tainted register or on tainted flags
depends on the CPU. Addresses made by ADRP and ADD or LDR are followed in the order of the code, as
compilers write them.

Source: Arm ARM (DDI 0487), C4.1, encodings of the branches, ADR, and loads and stores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from variantbuild.audit.dispatch.graph import guarded_blocks

FLAGS = 31  # the index of the flags among the registers; register 31 is SP or zero
_SCRATCH = frozenset({*range(18), FLAGS, 30})
_SIGN = {14: 1 << 13, 19: 1 << 18, 21: 1 << 20, 26: 1 << 25}


@dataclass(frozen=True, slots=True)
class Event:
    """What one instruction refers to, apart from its registers.

    `load` and `store` are the addresses of data that is read or written, `call` is the target of a
    branch that leaves the function; each is None if it is unknown or does not apply.
    """

    load: int | None = None
    store: int | None = None
    call: int | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """The words of a function that begins at address `start`, and its events by index."""

    start: int
    words: tuple[int, ...]
    events: Mapping[int, Event]

    @property
    def end(self) -> int:
        """The address after the last word."""
        return self.start + 4 * len(self.words)


def read_function(start: int, words: tuple[int, ...]) -> Function:
    """Find the addresses that a function's loads, stores and calls refer to."""
    events: dict[int, Event] = {}
    pointers: dict[int, int] = {}
    end = start + 4 * len(words)
    for i, word in enumerate(words):
        at, to, base = start + 4 * i, word & 31, word >> 5 & 31
        target = branch_target(word, at)
        if target is not None:
            if not start <= target < end or is_call(word):
                events[i] = Event(call=target)
        elif word & 0x9F000000 == 0x90000000:  # ADRP
            pages = _signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
            pointers[to] = (at & ~0xFFF) + (pages << 12)
        elif word & 0x9F000000 == 0x10000000:  # ADR
            pointers[to] = at + _signed((word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3, 21)
        elif word & 0xFFC00000 == 0x91000000 and base in pointers:  # ADD, immediate
            pointers[to] = pointers[base] + (word >> 10 & 0xFFF)
        elif word & 0x3B000000 == 0x39000000 and base in pointers:  # LDR, STR: unsigned offset
            address = pointers[base] + ((word >> 10 & 0xFFF) << (word >> 30))
            stores = word >> 22 & 3 == 0
            events[i] = Event(store=address) if stores else Event(load=address)
            if not stores and to != base:
                pointers.pop(to, None)
        elif word & 0x0A000000 == 0x08000000 and base in pointers:  # other loads and stores
            loads = bool(word & 0x00400000)
            events[i] = Event(load=pointers[base]) if loads else Event(store=pointers[base])
        elif word & 0x0A000000 != 0x08000000:
            pointers.pop(to, None)
        if is_call(word):
            pointers = {each: value for each, value in pointers.items() if each not in _SCRATCH}
    return Function(start, words, events)


def is_call(word: int) -> bool:
    """Return whether a word is BL or BLR."""
    return word & 0xFC000000 == 0x94000000 or word & 0xFFFFFC1F == 0xD63F0000


def branch_target(word: int, at: int) -> int | None:
    """Return the target of a direct branch at address `at`; None for other words."""
    if word & 0x7C000000 == 0x14000000:  # B, BL
        return at + 4 * _signed(word & 0x3FFFFFF, 26)
    if word & 0xFF000010 == 0x54000000 or word & 0x7E000000 == 0x34000000:  # B.cond, CBZ
        return at + 4 * _signed(word >> 5 & 0x7FFFF, 19)
    if word & 0x7E000000 == 0x36000000:  # TBZ
        return at + 4 * _signed(word >> 5 & 0x3FFF, 14)
    return None


def guarded_words(function: Function, asks: Callable[[int, Event, int], int | None]) -> set[int]:
    """Return the indices of words that run on only one result of a dispatch check.

    `asks` takes a word, its event and its address, and returns the register that receives the
    result of a check, if any.
    """
    asking = {
        i: register
        for i, word in enumerate(function.words)
        if (register := asks(word, function.events.get(i, Event()), function.start + 4 * i))
        is not None
    }
    if not asking:
        return set()
    firsts = _leaders(function)
    numbers = {first: n for n, first in enumerate(firsts)}
    spans = [range(a, b) for a, b in zip(firsts, [*firsts[1:], len(function.words)], strict=True)]
    following = [list(_successors(function, span, numbers)) for span in spans]
    deciding = _deciding(function, spans, following, asking)
    calls = [
        {
            call
            for i in span
            if i in function.events and (call := function.events[i].call) is not None
        }
        for span in spans
    ]
    guarded, on_both = guarded_blocks(following, deciding, calls)
    return {
        i
        for block in guarded
        for i in spans[block]
        if function.events.get(i, Event()).call not in on_both
    }


def _leaders(function: Function) -> list[int]:
    found = {0}
    for i, word in enumerate(function.words):
        target = branch_target(word, function.start + 4 * i)
        inside = target is not None and function.start <= target < function.end
        if target is not None and inside and not is_call(word):
            found.add((target - function.start) // 4)
        if (target is not None and not is_call(word)) or _ends(word):
            found.add(i + 1)
    return sorted(each for each in found if each < len(function.words))


def _successors(function: Function, span: range, numbers: dict[int, int]) -> Iterator[int]:
    last = function.words[span[-1]]
    target = branch_target(last, function.start + 4 * span[-1])
    if target is not None and not is_call(last):
        index = (target - function.start) // 4
        if index in numbers and function.start <= target < function.end:
            yield numbers[index]
    if not _ends(last) and span.stop in numbers:
        yield numbers[span.stop]


def _ends(word: int) -> bool:
    """Return whether control does not pass on to the next word: B, BR, RET, ERET, BRK, UDF."""
    jumps = word & 0xFC000000 == 0x14000000 or word & 0xFFE0001F == 0xD4200000
    returns = word & 0xFE000000 == 0xD6000000 and word & 0xFFFFFC1F != 0xD63F0000
    return jumps or returns or word & 0xFFFF0000 == 0


def _deciding(
    function: Function, spans: list[range], following: list[list[int]], asking: dict[int, int]
) -> set[int]:
    deciding: set[int] = set()
    states: dict[int, frozenset[int]] = {0: frozenset()}
    left = [0]
    while left:
        block = left.pop()
        state = set(states[block])
        for i in spans[block]:
            word = function.words[i]
            if _decides(word, state):
                deciding.add(block)
            _step(word, state)
            if i in asking:
                state.add(asking[i])
        for each in following[block]:
            merged = states.get(each, frozenset()) | state
            if each not in states or merged != states[each]:
                states[each] = merged
                left.append(each)
    return deciding


def _decides(word: int, state: set[int]) -> bool:
    if word & 0xFF000010 == 0x54000000:
        return FLAGS in state
    return word & 0x7C000000 == 0x34000000 and (word & 31) in state


def _step(word: int, state: set[int]) -> None:
    """Update the set of tainted registers for the instruction."""
    if is_call(word):
        state -= _SCRATCH
        return
    to, base, other = word & 31, word >> 5 & 31, word >> 16 & 31
    group = word >> 25 & 15
    if group in (4, 6, 12, 14):  # loads and stores: data at a tainted address is tainted
        if word & 0x00400000:
            (state.add if base in state and base != 31 else state.discard)(to)
        return
    if group in (10, 11):  # branches, system
        return
    immediate = group in (8, 9)
    conditional = word & 0x1FE00000 == 0x1A800000 and FLAGS in state  # CSEL and related
    tainted = (base in state and base != 31) or conditional
    tainted = tainted or (not immediate and other in state and other != 31)
    wide = word & 0x1F800000 == 0x12800000
    if wide or word & 0x1F000000 == 0x10000000:  # MOVZ, MOVN; ADR
        tainted = word & 0x60000000 == 0x60000000 and wide and to in state  # MOVK keeps the rest
    sets_flags = word & 0x3F000000 in (0x31000000, 0x2B000000) or (
        word & 0x7F800000 == 0x72000000 or word & 0x7F000000 == 0x6A000000
    )
    if sets_flags or word & 0x3FE00000 == 0x3A400000:  # ADDS, SUBS, ANDS; CCMP
        if word & 0x3FE00000 == 0x3A400000:
            tainted = tainted or FLAGS in state
            to = 31
        (state.add if tainted else state.discard)(FLAGS)
    if to != 31:
        (state.add if tainted else state.discard)(to)


def _signed(value: int, bits: int) -> int:
    return (value ^ _SIGN[bits]) - _SIGN[bits]
