"""Conditions of x86 code: what follows from the flags on either arm of a branch."""

from __future__ import annotations

from typing import NamedTuple

from iced_x86 import ConditionCode

from variantbuild.audit.x86.bitvalues import (
    UNKNOWN,
    Bit,
    Origin,
    Value,
    facts_if_at_least,
    facts_if_equal,
    facts_if_other,
)
from variantbuild.audit.x86.cpufacts import NEVER


class Flags(NamedTuple):
    """What set the flags: a comparison of `value` with `number`, or `carry` alone."""

    value: Value | None
    number: int = 0
    width: int = 64
    carry: Bit | None = None
    origin: Origin = Origin.UNKNOWN


UNCLEAR = Flags(None, origin=UNKNOWN.origin)


class Arms(NamedTuple):
    """The facts that hold if a condition is true, and if it is false; and its origin."""

    yes: int
    no: int
    origin: Origin

    def can_be(self, *, yes: bool) -> bool:
        """Return whether some CPU surely takes this arm.

        Any does if the CPU is not asked. Where it is asked, one of which the answer is no takes the
        arm of which nothing follows, if something follows on the other one; what the answer yes
        takes may be more than the facts that are known to follow from it.
        """
        this, other = (self.yes, self.no) if yes else (self.no, self.yes)
        if self.origin == Origin.PLAIN:
            return this != NEVER
        return self.origin == Origin.ASKED and this == 0 and other != 0

    def inverted(self) -> Arms:
        """Return the arms of the opposite condition."""
        return Arms(self.no, self.yes, self.origin)


def arms_of(condition: int, flags: Flags) -> Arms:
    """Return what follows from `condition` (iced-x86's ConditionCode) being true or false."""
    if condition in _OPPOSITES:
        return arms_of(_OPPOSITES[condition], flags).inverted()
    value, number = flags.value, flags.number
    if condition == ConditionCode.B and flags.carry is not None:
        return Arms(flags.carry.one, flags.carry.zero, flags.origin)
    if value is None:
        return Arms(0, 0, flags.origin)
    if condition == ConditionCode.E:
        return Arms(facts_if_equal(value, number), facts_if_other(value, number), flags.origin)
    if condition == ConditionCode.B:
        below = facts_if_equal(value, 0) if number == 1 else _below(value, number)
        return Arms(below, facts_if_at_least(value, number), flags.origin)
    if condition == ConditionCode.BE:
        below = facts_if_equal(value, 0) if number == 0 else _below(value, number + 1)
        return Arms(below, facts_if_at_least(value, number + 1), flags.origin)
    if condition == ConditionCode.S and number == 0:
        sign = value.bit(flags.width - 1)
        return Arms(sign.one, sign.zero, flags.origin)
    small = number < 1 << (flags.width - 1)
    if condition in (ConditionCode.L, ConditionCode.LE) and small:
        limit = number + (condition == ConditionCode.LE)
        positive = facts_if_at_least(value, limit)
        if value.bit(flags.width - 1).one == -1:
            return Arms(_below(value, limit), positive, flags.origin)
        # A negative value is large as an unsigned one, but takes the other arm.
        return Arms(0, positive, flags.origin)
    return Arms(0, 0, flags.origin)


def _below(value: Value, number: int) -> int:
    return value.facts_if(lambda case: case < number) if value.cases is not None else 0


_OPPOSITES: dict[int, int] = {
    ConditionCode.NE: ConditionCode.E,
    ConditionCode.AE: ConditionCode.B,
    ConditionCode.A: ConditionCode.BE,
    ConditionCode.NS: ConditionCode.S,
    ConditionCode.GE: ConditionCode.L,
    ConditionCode.G: ConditionCode.LE,
}
