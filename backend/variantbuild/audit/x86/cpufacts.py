"""Facts about the CPU as bits: what instructions need, and what an answer of CPUID promises.

A set of facts is an integer with one bit for each feature, so that the flow analysis can combine
sets quickly. `NEVER` has all bits: it holds where no execution gets. Registers of AVX and AVX-512
may only be used if the operating system saves them, which XGETBV tells; `ymm`, `zmm` and `tile`
stand for that.

Sources: Intel's manual (CPUID, XSETBV: a system that saves ZMM saves all parts of it), AMD's for
the leaves from 0x80000000.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.isa import x86flags

NEVER = -1
_ALSO = {"zmm": frozenset({"ymm"}), "bmi": frozenset({"tzcnt"})}
STATES = {"ymm": "avx", "zmm": "avx512f", "tile": "amx-tile"}


class _Table(TypedDict):
    features: dict[str, str]
    cpuid: dict[str, dict[str, str]]
    xcr0: dict[str, str]


@functools.cache
def table() -> _Table:
    """Return data/x86_instructions.json."""
    return cast("_Table", load_table("x86_instructions"))


@functools.cache
def _numbers() -> dict[str, int]:
    names = {*table()["features"].values(), *STATES, "apx", "unknown", "tzcnt"}
    names |= {name for row in table()["cpuid"].values() for name in row.values()}
    names |= x86flags.known_features()
    return {name: number for number, name in enumerate(sorted(names))}


@functools.cache
def names_of(facts: int) -> frozenset[str]:
    """Return the names of the features in a set of facts."""
    return frozenset(name for name, number in _numbers().items() if facts >> number & 1)


def facts_of(names: Iterable[str]) -> int:
    """Return the set of facts with the features `names`, and all that these imply."""
    return functools.reduce(lambda facts, name: facts | _closed(name), names, 0)


def fact(name: str) -> int:
    """Return the set of one feature alone, without what it implies."""
    return 1 << _numbers()[name]


@functools.cache
def _closed(name: str) -> int:
    numbers = _numbers()
    expanded = x86flags.expand(name) | _ALSO.get(name, frozenset())
    if "sse4.2" in expanded:
        expanded |= {"popcnt"}  # GCC's -msse4.2 has it too: every CPU with the one has the other
    return functools.reduce(
        lambda facts, each: facts | (1 << numbers[each] if each in numbers else 0), expanded, 0
    )


@functools.cache
def cpuid_facts(leaf: int, subleaf: int | None, register: int) -> dict[int, int]:
    """Return the facts of each bit that CPUID gives in `register` (0 to 3: eax, ebx, ecx, edx).

    `subleaf` is None if it is not known.
    """
    row: dict[str, str] = {}
    letter = "abcd"[register]
    keys = [f"{leaf:x}.{letter}"]
    if subleaf is not None:
        keys.append(f"{leaf:x}.{subleaf:x}.{letter}")
    for key in keys:
        row.update(table()["cpuid"].get(key, {}))
    return {int(bit): facts_of([name]) for bit, name in row.items()}


@functools.cache
def xcr0_facts() -> dict[int, int]:
    """Return the facts of each bit that XGETBV gives in eax."""
    return {int(bit): facts_of([name]) for bit, name in table()["xcr0"].items()}
