"""Code between the functions that tables name: the places in it where execution may begin.

Old linkers put constant data into the executable segment, and stripped assembly has no bounds, so
the bytes between functions may be either. They count as code from each place to which a branch, an
operand, a pointer or the loader leads.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from variantbuild.audit.x86.body import Body
from variantbuild.audit.x86.instructions import needs_of
from variantbuild.audit.x86.plausible import is_called_data, is_plausible, may_be_code
from variantbuild.audit.x86.program import Program
from variantbuild.binary.elf.symbols import Bounds


def split_gaps(program: Program, uses: dict[int, int]) -> tuple[Program, dict[int, int]]:
    """Return the program with functions for the code in gaps, and what all functions use.

    Only gaps that are among `uses` are looked at.
    """
    gaps = [start for start in uses if program.bounds.locate(start) < 0]
    if not gaps:
        return program, uses
    spans: dict[int, int] = {}
    for gap in gaps:
        end = program.end(gap)
        starts = sorted({*_starts(program, gap, end)})
        spans.update(zip(starts, [*starts[1:], end], strict=False))
    refined = Program(program.image, _with(program.bounds, spans), program.objects, program.refs)
    found = {start: facts for start, facts in uses.items() if start not in gaps}
    for start in spans:
        body = refined.body(start)
        facts = _uses(body)
        if facts and not (
            is_called_data(program.image, start) and not is_plausible(program.image, body)
        ):
            found[start] = facts
    return refined, found


def _uses(body: Body) -> int:
    facts = 0
    for block in body.blocks.values():
        for each in block.body:
            facts |= needs_of(each.code)
    return facts


def _with(bounds: Bounds, spans: dict[int, int]) -> Bounds:
    """Return `bounds` with more functions, from start to end."""
    whole = dict(zip(bounds.starts, bounds.ends, strict=True)) | spans
    starts = tuple(sorted(whole))
    return Bounds(starts=starts, ends=tuple(whole[each] for each in starts), names=bounds.names)


def _starts(program: Program, gap: int, end: int) -> Iterator[int]:
    image = program.image
    yield from (address for address, _ in image.initializers() if gap <= address < end)
    loaded = (image.entry(), *image.resolvers.values(), *(each.address for each in image.symbols))
    yield from (address for address in loaded if address and gap <= address < end)
    branches: dict[int, list[int]] = {}
    for place, target in program.refs.branches(gap, end):
        branches.setdefault(target, []).append(place)
    yield from (
        target
        for target, places in branches.items()
        if may_be_code(image, target) and any(_is_branch(program, each) for each in places)
    )
    taken = {address for address in image.pointers.values() if gap <= address < end}
    taken.update(program.refs.addresses(gap, end))
    yield from (each for each in taken if may_be_code(image, each))
    at = bisect_right(program.bounds.starts, gap) - 1
    if at >= 0 and program.bounds.ends[at] == gap:
        before = program.body(program.bounds.starts[at])
        if any(gap in block.leaves for block in before.blocks.values()):
            yield gap  # a symbol that is too short


def _is_branch(program: Program, place: int) -> bool:
    """Return whether an instruction begins at `place`, as far as that can be told."""
    start = program.bounds.locate(place)
    return start < 0 or program.body(start).has(place)
