"""Which features a file needs, asks for, or may need: the search backwards from their use.

From each function with instructions beyond the baseline, every way into it is followed back to
where execution begins. A way on which the CPU was asked for the feature, on the arm where the
answer is yes, ends there. What arrives at a root without that is open; if nothing on the way is a
branch that the audit does not understand, it is certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from iced_x86 import Instruction

from variantbuild.audit.x86.around import Visit
from variantbuild.audit.x86.cpufacts import NEVER
from variantbuild.audit.x86.factflow import OutOfBudget
from variantbuild.audit.x86.knowledge import Knowledge
from variantbuild.audit.x86.program import Program
from variantbuild.audit.x86.roots import Root, Roots

_MOST_ROUNDS = 10
_MOST_WAYS = 8
_MOST_TRIES = 24


@dataclass(frozen=True, slots=True)
class Way:
    """A way from a root to an instruction at `at`: the functions on it; `facts` are needed.

    `given` are the facts that the branches on the way require.
    """

    root: Root
    functions: tuple[int, ...]
    at: int
    facts: int
    given: int


@dataclass(slots=True)
class Result:
    """The ways found: `certain` ones, and `open` ones. `seen` are functions and their needs.

    `exhausted` means that the search ended before all ways were followed.
    """

    certain: list[Way] = field(default_factory=list)
    open: list[Way] = field(default_factory=list)
    makers: set[str] = field(default_factory=set)
    exhausted: bool = False


@dataclass(slots=True)
class _Reached:
    """What is open, and certain, at the entry of a function; where each bit goes on."""

    open: int = 0
    sure: dict[int, int] = field(default_factory=dict)
    via: dict[int, tuple[int, int]] = field(default_factory=dict)
    sure_via: dict[int, tuple[int, int]] = field(default_factory=dict)


Needs = Callable[[Instruction], int]


def find_ways(
    program: Program, uses: dict[int, int], needs: Needs, makers: Iterable[int], budget: int
) -> Result:
    """Search from the functions `uses`, with the facts that their instructions have as `needs`.

    `makers` are functions that may make memory executable. `budget` is how many instructions are
    followed at most.
    """
    roots = Roots(program)
    knowledge = Knowledge(
        program, budget, lambda start: any(root.certain for root in roots.of(start))
    )
    makers = sorted(makers)
    result = Result()
    for _ in range(_MOST_ROUNDS):
        knowledge.begin()
        search = _Search(knowledge, roots, needs, uses)
        try:
            for start in uses:
                if not search.is_settled(start):
                    search.begin(start)
                    search.run()
            for start in makers:
                search.result.makers |= knowledge.visit(start).makers
            if knowledge.finish():
                return search.result
        except OutOfBudget:
            search.result.exhausted = True
            return search.result
        result = search.result
    result.exhausted = True
    return result


class _Search:
    def __init__(
        self, knowledge: Knowledge, roots: Roots, needs: Needs, uses: dict[int, int]
    ) -> None:
        self._uses = uses
        self._tried: dict[int, int] = {}
        self._settled = 0
        self._knowledge, self._roots, self._needs = knowledge, roots, needs
        self._program = knowledge.program
        self._reached: dict[int, _Reached] = {}
        self._left: list[int] = []
        self._done: dict[int, tuple[int, int]] = {}
        self.result = Result()

    def is_settled(self, start: int) -> bool:
        """Return whether the function at `start` can add nothing to the verdict on what it needs.

        A certain way settles a fact, and so do several open ones if none of many was certain.
        """
        for bit in _bits(self._uses[start] & ~self._settled):
            self._tried[bit] = self._tried.get(bit, 0) + 1
            certain = any(w.facts == bit and not w.given for w in self.result.certain)
            several = sum(w.facts == bit for w in self.result.open) >= _MOST_WAYS
            if certain or (several and self._tried[bit] > _MOST_TRIES):
                self._settled |= bit
        return not self._uses[start] & ~self._settled

    def begin(self, start: int) -> None:
        """Open what the function at `start` needs itself."""
        self._knowledge.track_arguments(start)
        visit = self._knowledge.visit(start)
        flow = visit.flow
        assert flow is not None
        reached = self._reached.setdefault(start, _Reached())
        for at, facts in flow.facts.items():
            block = flow.body.blocks.get(at)
            for each in block.body if block is not None else ():
                needed = self._needs(each)
                if needed:
                    self._open(reached, start, needed & ~facts, start, each.ip)
                    if at in flow.certain:
                        given = flow.certain[at]
                        self._ensure(reached, start, needed & ~given, given, start, each.ip)

    def _open(self, reached: _Reached, start: int, facts: int, onward: int, at: int) -> None:
        new = facts & ~reached.open
        if new:
            reached.open |= new
            reached.via.update(dict.fromkeys(_bits(new), (onward, at)))
            self._left.append(start)

    def _ensure(
        self, reached: _Reached, start: int, facts: int, given: int, onward: int, at: int
    ) -> None:
        for bit in _bits(facts):
            known = reached.sure.get(bit)
            if known is None or given.bit_count() < known.bit_count():
                reached.sure[bit] = given
                reached.sure_via[bit] = onward, at
                self._left.append(start)

    def run(self) -> None:
        """Follow the ways back until nothing new opens."""
        while self._left:
            start = self._left.pop()
            reached = self._reached[start]
            state = (reached.open, hash(tuple(sorted(reached.sure.items()))))
            if self._done.get(start) == state:
                continue
            self._done[start] = state
            for root in self._roots.of(start):
                self._arrive(root, start, reached)
            for caller in self._program.callers(start):
                self._knowledge.track_arguments(caller)
                self._follow(caller, self._knowledge.visit(caller), start, reached)

    def _follow(self, caller: int, visit: Visit, start: int, reached: _Reached) -> None:
        flow = visit.flow
        if flow is None:
            return
        for edge in [each for each in visit.edges.values() if each.target == start]:
            into = self._reached.setdefault(caller, _Reached())
            self._open(into, caller, reached.open & ~edge.facts, start, edge.at)
            block = _block_of(visit, edge.at)
            if edge.exact and block in flow.certain:
                self._pass_on(into, caller, reached, flow.certain[block], start, edge.at)
        if start in visit.given:
            facts, at = visit.given[start]
            into = self._reached.setdefault(caller, _Reached())
            self._open(into, caller, reached.open & ~facts, start, at)
            if visit.returns == {start} and any(
                root.kind.startswith("IFUNC") for root in self._roots.of(caller)
            ):
                block = _block_of(visit, at)
                self._pass_on(
                    into, caller, reached, flow.certain.get(block, NEVER) | facts, start, at
                )

    def _pass_on(
        self, into: _Reached, caller: int, reached: _Reached, given: int, start: int, at: int
    ) -> None:
        if given == NEVER or self._program.bounds.locate(caller) < 0:
            return  # code between functions, such as stubs of the linker, has many entries
        for bit, earlier in reached.sure.items():
            if not bit & given:
                self._ensure(into, caller, bit, given | earlier, start, at)

    def _arrive(self, root: Root, start: int, reached: _Reached) -> None:
        for bit in _bits(reached.open):
            if len([w for w in self.result.open if w.facts == bit]) < _MOST_WAYS:
                way = self._way(root, start, bit, 0, sure=False)
                if way is not None and way not in self.result.open:
                    self.result.open.append(way)
        if root.certain:
            for bit, given in reached.sure.items():
                way = self._way(root, start, bit, given, sure=True)
                if way is not None and way not in self.result.certain:
                    self.result.certain.append(way)

    def _way(self, root: Root, start: int, bit: int, given: int, *, sure: bool) -> Way | None:
        functions = [start]
        at = start
        while len(functions) < 64:
            reached = self._reached[functions[-1]]
            onward = (reached.sure_via if sure else reached.via).get(bit)
            if onward is None:
                return None
            target, at = onward
            if target == functions[-1]:
                return Way(root, tuple(functions), at, bit, given)
            functions.append(target)
        return None


def _block_of(visit: Visit, at: int) -> int:
    assert visit.flow is not None
    blocks = visit.flow.body.blocks
    return max((first for first in blocks if first <= at), default=-1)


def _bits(facts: int) -> Iterable[int]:
    while facts:
        bit = facts & -facts
        yield bit
        facts ^= bit
