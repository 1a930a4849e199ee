"""Finds where x86 code checks the features of the CPU, and the calls that depend on the result.

A function that executes CPUID stores the result in data of the file; a function that reads that
data, or calls such a function, branches on it. Code on only one arm of such a branch is guarded;
code that both arms reach is not.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from iced_x86 import FlowControl, Instruction, Mnemonic, OpKind, Register

from variantbuild.audit.dispatch.graph import guarded_blocks
from variantbuild.audit.x86.blocks import JUMPS, Blocks
from variantbuild.audit.x86.scan import PROBES
from variantbuild.audit.x86.taint import ARGUMENTS, Taint, deciding_blocks, tests_argument

_AFTER_CALL = 24  # instructions after a call of a probe in which its result is stored
_LONGEST = 15  # bytes of an x86 instruction
# Registers that may be passed on: arguments, and in hand-written assembly any scratch register.
_HANDED = ARGUMENTS | {(Register.RAX, 0), (Register.R10, 0), (Register.R11, 0)}
_BEFORE_CALL = 8  # instructions before a call in which its arguments are set
_POINTED = 64  # bytes assumed to belong to an address that is passed on without a symbol


@dataclass(frozen=True, slots=True)
class Branch:
    """A call or jump that leaves its function: address, target, and the taint that it passes on."""

    at: int
    target: int
    taint: Taint


@dataclass(frozen=True, slots=True)
class Flow:
    """The branches that leave one function, and the addresses that its checks guard.

    `decided` are the last bytes of conditional jumps on a result, `on_both` the targets of
    branches that leave on either result.
    """

    leaves: tuple[Branch, ...]
    guarded: tuple[range, ...]
    decided: tuple[int, ...]
    on_both: frozenset[int] = frozenset()

    def is_guarded(self, address: int) -> bool:
        """Return whether the instruction at `address` runs on only one result of a check."""
        at = bisect_right(self.guarded, address, key=_start) - 1
        return at >= 0 and address in self.guarded[at]

    def is_guarded_jump(self, branch: Branch) -> bool:
        """Return whether `branch` is taken on only one result: guarded, or decided itself."""
        if branch.target in self.on_both:
            return False
        return self.is_guarded(branch.at) or any(
            branch.at <= last < branch.at + _LONGEST for last in self.decided
        )


def data_of_probe(body: list[Instruction]) -> Iterator[tuple[int, int]]:
    """Yield (address, size) of the data that a function with CPUID refers to."""
    for each in body:
        if each.is_ip_rel_memory_operand:
            size = _POINTED if each.mnemonic == Mnemonic.LEA else 8
            yield each.ip_rel_memory_address, size


def data_of_caller(
    body: list[Instruction], is_probe_call: Callable[[Instruction], bool]
) -> Iterator[tuple[int, int]]:
    """Yield (address, size) of the data passed to calls of probes, or stored right after them."""
    left = 0
    # argument register: where it was set, and to what
    pointed: dict[int, tuple[int, int]] = {}
    for i, each in enumerate(body):
        if each.flow_control == FlowControl.CALL:
            if is_probe_call(each):
                recent = [address for at, address in pointed.values() if i - at <= _BEFORE_CALL]
                yield from ((address, _POINTED) for address in recent)
                left = _AFTER_CALL
            else:
                left = 0
            pointed = {}
        elif each.is_ip_rel_memory_operand and each.mnemonic in (Mnemonic.LEA, Mnemonic.MOV):
            if each.op0_kind == OpKind.MEMORY:
                yield from [(each.ip_rel_memory_address, 8)] if left else []
            elif each.op0_register in (Register.RDI, Register.RSI):
                pointed[each.op0_register] = i, each.ip_rel_memory_address
        left -= left > 0


class GuardData:
    """The locations in the data of a file where the features of the CPU are stored."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, size in sorted(places):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], start + size)
            else:
                self._starts.append(start)
                self._ends.append(start + size)

    def __contains__(self, address: int) -> bool:
        at = bisect_right(self._starts, address) - 1
        return at >= 0 and address < self._ends[at]

    def __bool__(self) -> bool:
        return bool(self._starts)


def flow_of(
    body: list[Instruction],
    start: int,
    end: int,
    asks: Callable[[Instruction], bool],
    entry: Taint = frozenset(),
) -> Flow:
    """Follow the branches of the function between two addresses.

    `asks` is true for instructions that read a result; `entry` is the taint that callers pass in.
    """
    leaving = [
        each
        for each in body
        if (each.flow_control in JUMPS or each.flow_control == FlowControl.CALL)
        and each.op0_kind == OpKind.NEAR_BRANCH64
        and not start < each.near_branch_target < end
    ]
    asking = {each.ip for each in body if asks(each)}
    if not asking and not entry and not tests_argument(body):
        nothing: Taint = frozenset()
        leaves = tuple(Branch(each.ip, each.near_branch_target, nothing) for each in leaving)
        return Flow(leaves, (), ())
    blocks = Blocks(body)
    deciding, taint = deciding_blocks(blocks, asking, entry)
    targets = {each.ip: each.near_branch_target for each in leaving}
    calls = [
        {targets[each.ip] for each in blocks.instructions(n) if each.ip in targets}
        for n in range(len(blocks.next))
    ]
    guarded, on_both = guarded_blocks(blocks.next, deciding, calls if deciding else [])
    return Flow(
        leaves=tuple(
            Branch(each.ip, each.near_branch_target, taint.get(each.ip, frozenset()) & _HANDED)
            for each in leaving
        ),
        guarded=tuple(blocks.span(each) for each in sorted(guarded)),
        decided=tuple(blocks.span(each)[-1] for each in deciding),
        on_both=frozenset(on_both),
    )


def _start(span: range) -> int:
    return span.start


def is_probe(instruction: Instruction) -> bool:
    """Return whether an instruction queries the CPU itself (CPUID, XGETBV)."""
    return instruction.code in PROBES
