"""Abstract values: what follows for the CPU from each bit of a register or variable.

A value is either one of a few constants, each with the facts that hold if it is that constant, or a
word of bits, each with the facts that hold if it is 1 and if it is 0. Both are upper bounds: more
constants may be listed than occur, and fewer facts than hold. `NEVER` stands for "does not occur".
`origin` says where the value may come from: computed from what does not depend on the CPU, from an
answer of the CPU, or from anywhere.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from enum import IntEnum
from functools import reduce
from typing import NamedTuple

from variantbuild.audit.x86.cpufacts import NEVER

_MOST_CASES = 16
WORD = (1 << 64) - 1


class Origin(IntEnum):
    """Where a value comes from; of two values, the higher origin counts."""

    PLAIN = 0
    ASKED = 1
    UNKNOWN = 2


class Bit(NamedTuple):
    """The facts that hold if a bit is 1, and if it is 0."""

    one: int
    zero: int


_ANY, _ZERO, _ONE = Bit(0, 0), Bit(NEVER, 0), Bit(0, NEVER)
Cases = tuple[tuple[int, int], ...]


class Value(NamedTuple):
    """Constants with their facts (`cases`), or bits: those in `bits`, and `rest` for the others."""

    origin: Origin
    cases: Cases | None = None
    bits: tuple[tuple[int, Bit], ...] = ()
    rest: Bit = _ANY

    def bit(self, number: int) -> Bit:
        """Return the facts of one bit."""
        if self.cases is not None:
            one = reduce(_and, (f for c, f in self.cases if c >> number & 1), NEVER)
            return Bit(one, reduce(_and, (f for c, f in self.cases if not c >> number & 1), NEVER))
        return dict(self.bits).get(number, self.rest)

    @property
    def constant(self) -> int | None:
        """The value if it is one constant, else None."""
        return self.cases[0][0] if self.cases is not None and len(self.cases) == 1 else None

    def facts_if(self, test: Callable[[int], bool]) -> int:
        """Return the facts that hold if the constant passes `test`; only for `cases`."""
        return reduce(_and, (facts for case, facts in self.cases or () if test(case)), NEVER)


PLAIN = Value(Origin.PLAIN)
UNKNOWN = Value(Origin.UNKNOWN)
NOTHING = Value(Origin.PLAIN, ())
"""No value at all: what is known of a variable before the code that writes it has been seen."""


def _and(one: int, other: int) -> int:
    return one & other


def _or(one: int, other: int) -> int:
    return one | other


def constant(number: int) -> Value:
    """Return the value that is `number`."""
    return Value(Origin.PLAIN, ((number & WORD, 0),))


def chosen(yes: int, no: int, origin: Origin) -> Value:
    """Return the value that is 1 with the facts `yes`, and 0 with the facts `no`."""
    return _cases([(1, yes), (0, no)], origin)


def _cases(pairs: list[tuple[int, int]], origin: Origin) -> Value:
    if len(pairs) == 1:
        return Value(origin, tuple(pairs) if pairs[0][1] != NEVER else ())
    found: dict[int, int] = {}
    for case, facts in pairs:
        if facts != NEVER:
            found[case] = found.get(case, NEVER) & facts
    if len(found) <= _MOST_CASES:
        return Value(origin, tuple(sorted(found.items())))
    wide = Value(origin, tuple(found.items()))
    return as_bits(wide)


def as_bits(value: Value) -> Value:
    """Return `value` as bits."""
    if value.cases is None:
        return value
    ones = functools.reduce(operator.or_, (case for case, _ in value.cases), 0)
    if value.cases and not any(facts for _, facts in value.cases):
        always = functools.reduce(operator.and_, (case for case, _ in value.cases))
        bits = tuple(
            (n, Bit(0 if ones >> n & 1 else NEVER, NEVER if always >> n & 1 else 0))
            for n in range(ones.bit_length())
        )
    else:
        bits = tuple((n, value.bit(n)) for n in range(ones.bit_length()))
    return Value(value.origin, None, bits, _ZERO if value.cases else Bit(NEVER, NEVER))


def word(facts: dict[int, int], width: int, origin: Origin) -> Value:
    """Return a word of `width` bits of which those in `facts` promise something if they are 1."""
    bits = {n: Bit(each, 0) for n, each in facts.items() if n < width}
    return narrow(Value(origin, None, tuple(sorted(bits.items()))), width)


def narrow(value: Value, width: int) -> Value:
    """Return the lowest `width` bits of `value`, the others being 0."""
    if width >= 64 or (value.cases is None and not value.bits and value.rest is _ANY):
        # Of an unknown value, not even that its upper half is 0 is worth keeping.
        return value
    if value.cases is not None:
        mask = (1 << width) - 1
        return _cases([(case & mask, facts) for case, facts in value.cases], value.origin)
    bits = dict(value.bits)
    return simple(
        _from_bits({n: bits.get(n, value.rest) for n in range(width)}, _ZERO, value.origin)
    )


def _from_bits(bits: dict[int, Bit], rest: Bit, origin: Origin) -> Value:
    if rest == _ANY:
        rest = _ANY
    kept = tuple(sorted((n, each) for n, each in bits.items() if each != rest))
    return Value(origin, None, kept, rest)


def simple(value: Value) -> Value:
    """Return `value` as cases if at most two of its bits are not constant."""
    if value.cases is not None or value.rest != _ZERO:
        return value
    if sum(each.one != NEVER and each.zero != NEVER for _, each in value.bits) > 2:
        return value
    pairs = [(0, 0)]
    for number, each in value.bits:
        pairs = [
            (case | (1 << number if is_one else 0), facts | more)
            for case, facts in pairs
            for is_one, more in ((True, each.one), (False, each.zero))
            if more != NEVER
        ]
    return _cases(pairs, value.origin)


def join(one: Value, facts: int, other: Value, more: int) -> Value:
    """Return what holds of either value, of which the first has `facts` and the other `more`."""
    if one is other or one == other:
        return one  # what holds at both is kept with the place, not with each value
    origin = max(one.origin, other.origin)
    if origin == Origin.PLAIN and one.cases != () and other.cases != ():
        # Which of the two it is may have been decided by an answer of the CPU.
        origin = Origin.UNKNOWN
    facts, more = _apart(facts, more)
    if one.cases is not None and other.cases is not None:
        pairs = [(case, f | facts) for case, f in one.cases]
        return _cases(pairs + [(case, f | more) for case, f in other.cases], origin)
    if (not facts and is_bare(one)) or (not more and is_bare(other)):
        return Value(origin)
    left, right = as_bits(one), as_bits(other)
    a, b = dict(left.bits), dict(right.bits)
    bits = {
        n: _either(a.get(n, left.rest), facts, b.get(n, right.rest), more)
        for n in a.keys() | b.keys()
    }
    return _from_bits(bits, _either(left.rest, facts, right.rest, more), origin)


def _apart(facts: int, more: int) -> tuple[int, int]:
    """Return what holds at only one of two places: what holds at both is kept with the place."""
    if NEVER in (facts, more):
        return facts, more
    both = facts & more
    return facts & ~both, more & ~both


def is_bare(value: Value) -> bool:
    """Return whether nothing is known of a value but its origin."""
    return value.cases is None and not value.bits and value.rest is _ANY


def _either(one: Bit, facts: int, other: Bit, more: int) -> Bit:
    return Bit((one.one | facts) & (other.one | more), (one.zero | facts) & (other.zero | more))


def bitwise(name: str, one: Value, other: Value) -> Value:
    """Return `one` and, or, xor `other`."""
    origin = max(one.origin, other.origin)
    if one.cases is not None and other.cases is not None:
        apply = _ON_INTEGERS[name]
        if len(one.cases) * len(other.cases) <= 4 * _MOST_CASES:
            pairs = [(apply(a, b), f | g) for a, f in one.cases for b, g in other.cases]
            return _cases(pairs, origin)
    if is_bare(one) and is_bare(other):
        return Value(origin)
    left, right = as_bits(one), as_bits(other)
    a, b, rule = dict(left.bits), dict(right.bits), _ON_BITS[name]
    bits = {n: rule(a.get(n, left.rest), b.get(n, right.rest)) for n in a.keys() | b.keys()}
    return simple(_from_bits(bits, rule(left.rest, right.rest), origin))


def _bit_and(a: Bit, b: Bit) -> Bit:
    return Bit(a.one | b.one, a.zero & b.zero)


def _bit_or(a: Bit, b: Bit) -> Bit:
    return Bit(a.one & b.one, a.zero | b.zero)


def _bit_xor(a: Bit, b: Bit) -> Bit:
    return Bit((a.one | b.zero) & (a.zero | b.one), (a.one | b.one) & (a.zero | b.zero))


_ON_BITS = {"and": _bit_and, "or": _bit_or, "xor": _bit_xor}
_ON_INTEGERS: dict[str, Callable[[int, int], int]] = {
    "and": operator.and_, "or": operator.or_, "xor": operator.xor
}  # fmt: skip


def shifted(value: Value, by: int) -> Value:
    """Return `value` shifted to the right by `by` bits, to the left if that is negative."""
    if value.cases is not None:
        pairs = [
            (case >> by if by >= 0 else case << -by & WORD, facts) for case, facts in value.cases
        ]
        return _cases(pairs, value.origin)
    bits = dict(value.bits)
    moved = {n: bits.get(n + by, value.rest) if 0 <= n + by < 64 else _ZERO for n in range(64)}
    return simple(_from_bits(moved, _ZERO, value.origin))


def spread(bit: Bit, origin: Origin) -> Value:
    """Return the value of which each bit is `bit`: 0 or -1."""
    return _cases([(WORD, bit.one), (0, bit.zero)], origin)


def facts_if_equal(value: Value, number: int) -> int:
    """Return the facts that hold if `value` is `number`."""
    if value.cases is not None:
        return value.facts_if(lambda case: case == number)
    if not value.bits and value.rest is _ANY:
        return 0
    bits = dict(value.bits)
    each = (bits.get(n, value.rest) for n in range(64))
    return reduce(_or, (b.one if number >> n & 1 else b.zero for n, b in enumerate(each)))


def facts_if_at_least(value: Value, number: int) -> int:
    """Return the facts that hold if `value` is `number` or more, as unsigned integers."""
    if number <= 0:
        return 0
    if value.cases is not None:
        return value.facts_if(lambda case: case >= number)
    listed = dict(value.bits)
    high = range(number.bit_length() - 1, 64)
    return reduce(_and, (listed.get(n, value.rest).one for n in high), NEVER)


def facts_if_other(value: Value, number: int) -> int:
    """Return the facts that hold if `value` is not `number`."""
    if value.cases is not None:
        return value.facts_if(lambda case: case != number)
    if not value.bits and value.rest is _ANY:
        return 0
    listed = dict(value.bits)
    bits = (listed.get(n, value.rest) for n in range(64))
    return reduce(_and, (b.zero if number >> n & 1 else b.one for n, b in enumerate(bits)), NEVER)
