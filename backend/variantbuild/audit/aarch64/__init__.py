"""Audits AArch64 code: the extensions it needs, and the dispatch checks before they are used."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from variantbuild.audit.aarch64.callwalk import Program, Walk
from variantbuild.audit.aarch64.encodings import patterns
from variantbuild.audit.dispatch.summary import summarize
from variantbuild.audit.report import Code, Path
from variantbuild.binary.elf import Data, Elf, Section
from variantbuild.binary.elf.symbols import (
    Bounds,
    Symbol,
    read_bounds,
    read_slots,
    read_symbols,
    with_names,
)
from variantbuild.isa.armfeatures import level_for
from variantbuild.isa.levels import baseline

_WINDOW = 4 << 20
_ASKS = "asks"  # the table's name for an MRS that reads an ID register


def audit_a64(data: Data, elf: Elf) -> Code:
    """Find the instructions beyond the baseline, and those that run only after a dispatch check.

    Raises ElfError if symbol or relocation tables point outside of the file.
    """
    bounds = read_bounds(data, elf)
    found = list(_beyond(data, elf))
    uses: dict[int, dict[str, int]] = {}
    walk = None
    if found:
        symbols = read_symbols(data, elf)
        bounds = with_names(bounds, symbols)
        uses = _by_function(found, data, elf, bounds, symbols)
        asking = frozenset(at for at, need in found if need == _ASKS)
        slots = read_slots(data, elf)
        program = Program(
            data=data, elf=elf, symbols=symbols, slots=slots, bounds=bounds, asking=asking
        )
        walk = Walk(program) if uses else None
    counts: dict[str, int] = {}
    for needs in uses.values():
        for need in needs:
            counts[need] = counts.get(need, 0) + 1
    return summarize(
        decoder="A64 encodings",
        size=sum(each.size for each in _code_sections(elf)),
        guard=None if walk is None else walk.guard,
        counts=counts,
        paths=() if walk is None else _paths(data, elf, bounds, uses, walk),
        obscure=(),
        level_of=_level_of,
    )


def _paths(
    data: Data, elf: Elf, bounds: Bounds, uses: dict[int, dict[str, int]], walk: Walk
) -> Iterator[Path]:
    """Yield a path to each use: certain where the walk gets there without a dispatch check.

    What it does not get to may run after a check, or through a pointer without one.
    """
    unguarded = walk.unguarded(uses)
    for start, needs in uses.items():
        reached = needs if unguarded is None else unguarded.get(start, {})
        if not reached and walk.is_helper(start):
            continue
        for need, at in needs.items():
            yield Path(
                feature=need,
                root="code without a check" if need in reached else "calls that were not followed",
                functions=(bounds.name(start),),
                at=reached.get(need, at),
                instruction=_text(data, elf, at),
                certain=need in reached,
            )


def _level_of(feature: str) -> str | None:
    level = level_for(frozenset({feature}))
    return None if level == baseline("aarch64") else level


def _beyond(data: Data, elf: Elf) -> Iterator[tuple[int, str]]:
    """Yield (address, feature) of the words beyond the baseline."""
    for section in _code_sections(elf):
        size = min(section.size, len(data) - section.offset)  # damaged files may claim any size
        for at in range(0, size, _WINDOW):
            start = section.offset + at
            raw = bytes(data[start : start + min(_WINDOW, size - at)])
            for offset, pattern in patterns().find(raw):
                yield section.address + at + offset, pattern.feature


def _by_function(
    found: list[tuple[int, str]], data: Data, elf: Elf, bounds: Bounds, symbols: tuple[Symbol, ...]
) -> dict[int, dict[str, int]]:
    tables = _Tables(symbols)
    gaps: dict[int, bool] = {}
    uses: dict[int, dict[str, int]] = {}
    for at, need in found:
        if need == _ASKS or at in tables:
            continue
        start = bounds.locate(at)
        if start < 0:
            start, end = _gap(bounds, elf, at)
            if start not in gaps:
                gaps[start] = _is_code(data, elf, start, end)
            if not gaps[start]:
                continue
        uses.setdefault(start, {}).setdefault(need, at)
    return uses


class _Tables:
    """The data within code, as marked by mapping symbols ($d until the next $x).

    Source: ELF for the Arm 64-bit Architecture (IHI 0056), mapping symbols.
    """

    def __init__(self, symbols: tuple[Symbol, ...]) -> None:
        marks = sorted(
            (each.address, each.name.startswith("$d"))
            for each in symbols
            if each.name.partition(".")[0] in ("$x", "$d")
        )
        self._places = [place for place, _ in marks]
        self._data = [is_data for _, is_data in marks]

    def __contains__(self, address: int) -> bool:
        at = bisect_right(self._places, address) - 1
        return at >= 0 and self._data[at]


def _gap(bounds: Bounds, elf: Elf, address: int) -> tuple[int, int]:
    """Return the range between functions that contains `address`, within its section."""
    section = next(
        each for each in _code_sections(elf) if each.address <= address < each.address + each.size
    )
    at = bisect_right(bounds.starts, address)
    before = bounds.ends[at - 1] if at else section.address
    behind = bounds.starts[at] if at < len(bounds.starts) else section.address + section.size
    end = section.address + section.size
    return max(before, section.address), min(behind, end)


def _is_code(data: Data, elf: Elf, start: int, end: int) -> bool:
    """Return whether a range between functions has only words that a CPU can execute."""
    offset = elf.offset_of(start)
    if offset is None:
        return False
    tops = bytes(data[offset : offset + end - start])[3::4]
    # Op0 of 0: reserved, and permanently undefined; zeros are padding.
    raw = bytes(data[offset : offset + end - start])
    reserved = (i for i, top in enumerate(tops) if top & 0x9E == 0)
    return not any(raw[4 * i : 4 * i + 4] != b"\0\0\0\0" for i in reserved)


def _code_sections(elf: Elf) -> Iterator[Section]:
    yield from (each for each in elf.sections if each.executable and each.size)


def _text(data: Data, elf: Elf, address: int) -> str:
    offset = elf.offset_of(address)
    if offset is None:
        return ""
    word = int.from_bytes(bytes(data[offset : offset + 4]), "little")
    pattern = patterns().match(word)
    return f"{'' if pattern is None else pattern.name} ({word:#010x})".strip()
