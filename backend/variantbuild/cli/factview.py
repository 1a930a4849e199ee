"""Output of facts: a value with its source, or why there is none; as table cells and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from variantbuild.cli.terminal import paint
from variantbuild.probe.facts import Absent, Fact, Failed, Found
from variantbuild.types import JSONValue

T = TypeVar("T")


def fact_cells(fact: Fact[T], show: Callable[[T], str]) -> tuple[str, str]:
    """Return two cells of a table: the value, `none` or `failed`, and the source or reason."""
    match fact:
        case Found(value=value, source=source):
            return show(value), paint(source, "dim")
        case Absent(reason=reason):
            return "none", paint(reason, "dim")
        case Failed(error=error):
            return "failed", paint(error, "red")


def fact_json(fact: Fact[T], show: Callable[[T], JSONValue]) -> dict[str, JSONValue]:
    """Return the fact as in the JSON schemas."""
    match fact:
        case Found(value=value, source=source):
            return {"state": "found", "value": show(value), "source": source}
        case Absent(reason=reason):
            return {"state": "absent", "reason": reason}
        case Failed(error=error):
            return {"state": "failed", "error": error}
