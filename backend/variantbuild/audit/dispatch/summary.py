"""Summarises the needs of functions for the report on a file, for any machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice

from variantbuild.audit.report import Code, Extension, Function
from variantbuild.values import dataclass

_MOST_FUNCTIONS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What decoding found in one file.

    `present` maps a function's start to what its instructions need: levels and names of extensions.
    `unguarded` contains those that are reached without a dispatch check, each need with the address
    of its first instruction; None means that the file has no checks, so all of them are.
    """

    decoder: str
    size: int
    guard: str | None
    present: Mapping[int, frozenset[str]]
    unguarded: Mapping[int, Mapping[str, int]] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """How to interpret one file: names of functions, instructions, and the level of needs.

    `first` finds the first instruction of a function that has a need, `text` renders one;
    `setting` returns those needs that set the level; `is_named` is true for extensions.
    """

    name: Callable[[int], str]
    first: Callable[[int, str], int]
    text: Callable[[int], str]
    level: Callable[[frozenset[str]], str]
    setting: Callable[[frozenset[str]], frozenset[str]]
    is_named: Callable[[str], bool]


def summarize(found: Findings, reader: Reader) -> Code:
    """Return the level that a file needs, what it dispatches to, and the functions concerned."""
    unguarded = found.present if found.unguarded is None else found.unguarded
    needed = frozenset(need for needs in unguarded.values() for need in needs)
    carried = frozenset(need for needs in found.present.values() for need in needs)
    counts = Counter(need for needs in found.present.values() for need in needs)
    functions = list(_functions(found, reader, needed, guarded=False))
    if reader.setting(carried) != reader.setting(needed):
        functions += _functions(found, reader, carried, guarded=True)
    return Code(
        decoder=found.decoder,
        size=found.size,
        level=reader.level(needed),
        dispatched=reader.level(carried),
        guard=found.guard,
        counts=tuple(sorted(counts.items())),
        extensions=tuple(
            Extension(name=name, count=counts[name], dispatched=name not in needed)
            for name in sorted(carried)
            if reader.is_named(name)
        ),
        functions=tuple(functions),
    )


def _functions(
    found: Findings, reader: Reader, needs: frozenset[str], *, guarded: bool
) -> Iterator[Function]:
    """Yield functions for each need that sets the level, a few per need if there are many."""
    setting = sorted(reader.setting(needs))
    reached = found.unguarded or {}
    within = found.present if guarded or found.unguarded is None else found.unguarded
    for need in setting:
        having = (
            start
            for start in sorted(within)
            if need in within[start] and not (guarded and need in reached.get(start, {}))
        )
        for start in islice(having, max(1, _MOST_FUNCTIONS // len(setting))):
            known = reached.get(start, {}).get(need)
            at = reader.first(start, need) if known is None else known
            yield Function(
                name=reader.name(start),
                address=start,
                at=at,
                instruction=reader.text(at),
                needs=need,
                guarded=guarded,
            )
