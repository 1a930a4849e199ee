"""Decides which copies each module and library of a bundle gets. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from variantbuild.bundle.compared import Code, Compared, Contents
from variantbuild.bundle.cpuquestions import Demand
from variantbuild.errors import BundleError


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """The copy of a module for one level.

    `source` is the level whose file it is: with the same code as a lower level, the lower one.
    `libraries` are (name, level of the file) of the libraries that must be loaded before, those
    without further needs first.
    """

    label: str
    source: str
    libraries: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The copies of one module, the most demanding first, the baseline last.

    `folded` are the levels without a copy of their own: (level, level that it shares).
    """

    name: str
    rows: tuple[Row, ...]
    folded: tuple[tuple[str, str], ...] = ()

    @property
    def is_single(self) -> bool:
        """Whether the module is the same at every level."""
        return len(self.rows) == 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Links:
    """Which files of one wheel link which others of it."""

    contents: Contents
    _by_soname: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, contents: Contents) -> Links:
        """Read the links of a wheel."""
        by_soname: dict[str, str] = {}
        for name, code in sorted(contents.codes.items()):
            if code.elf.kind == "shared":
                by_soname.setdefault(PurePosixPath(name).name, name)
        for name, code in sorted(contents.codes.items()):
            if code.elf.soname and code.elf.kind == "shared":
                by_soname.setdefault(code.elf.soname, name)
        return cls(contents=contents, _by_soname=by_soname)

    def direct(self, name: str) -> tuple[str, ...]:
        """Return the files of the wheel that `name` links, in order."""
        found = (self._by_soname.get(each) for each in self.contents.codes[name].elf.needed)
        return tuple(each for each in found if each is not None and each != name)

    def closure(self, name: str) -> tuple[str, ...]:
        """Return all that `name` links directly or indirectly, in the loader's order."""
        found: dict[str, None] = {}
        queue = [name]
        while queue:
            for each in self.direct(queue.pop(0)):
                if each not in found and each != name:
                    found[each] = None
                    queue.append(each)
        return tuple(found)

    def ordered(self, name: str) -> tuple[str, ...]:
        """Return what `name` links, each after all that it links itself."""
        found: dict[str, None] = {}

        def visit(each: str, above: tuple[str, ...]) -> None:
            for below in self.direct(each):
                if below not in found and below not in above:
                    visit(below, (*above, below))
                    found[below] = None

        visit(name, (name,))
        found.pop(name, None)
        return tuple(found)


def choose_copies(
    contents: Sequence[Contents], compared: Compared, demands: Sequence[Demand]
) -> tuple[Choice, ...]:
    """Return the copies of each module; `contents` and `demands` are in the same order.

    Raises BundleError for a library that differs and that no module links, and for a module that
    links another.
    """
    links = {each.label: Links.of(each) for each in contents}
    changing = {
        name
        for name in (*compared.modules, *compared.libraries)
        if len({each.codes[name].digest for each in contents if name in each.codes}) > 1
    }
    choices = tuple(_choose(name, links, demands, changing) for name in compared.modules)
    _check_links(links, changing & set(compared.modules))
    linked = {
        name for choice in choices for each in links.values() for name in each.closure(choice.name)
    }
    for name in compared.libraries:
        if name in changing and name not in linked:
            raise BundleError(
                f"{name} differs between the levels, but no module links it: it is loaded by its "
                "path, which no chooser sees",
                hint=f"take the baseline's, with --take-baseline {name} (in pyproject.toml "
                "bundle-take-baseline), or link it to the module that uses it",
            )
    return choices


def _choose(
    name: str, links: dict[str, Links], demands: Sequence[Demand], changing: set[str]
) -> Choice:
    rows: list[Row] = []
    folded: list[tuple[str, str]] = []
    for number, demand in enumerate(demands):
        below = [each for each in demands[number + 1 :] if demand.includes(each)]
        mine = _identity(name, links[demand.label], changing)
        if below and _identity(name, links[below[0].label], changing) == mine:
            folded.append((demand.label, below[0].label))
            continue
        own = _source(name, demand, below, links)
        libraries = tuple(
            (library, _source(library, demand, below, links))
            for library in links[demand.label].ordered(name)
            if library in changing
        )
        lowest = demands[-1].label
        needed = tuple(each for each in libraries if demand.label != lowest)
        rows.append(Row(label=demand.label, source=own, libraries=needed))
    return Choice(name=name, rows=tuple(rows), folded=tuple(folded))


def _identity(name: str, links: Links, changing: set[str]) -> tuple[str, ...]:
    """Return what tells apart a module with all that it links."""
    codes = links.contents.codes
    own = (name, *(each for each in links.closure(name) if each in changing))
    return tuple(codes[each].digest for each in own)


def _source(name: str, demand: Demand, below: Sequence[Demand], links: dict[str, Links]) -> str:
    """Return the lowest level whose file of this name has the same code as that of `demand`."""
    mine = _code(name, demand.label, links)
    for lower in reversed(below):
        theirs = _code(name, lower.label, links)
        if mine is not None and theirs is not None and mine.digest == theirs.digest:
            return lower.label
    return demand.label


def _code(name: str, label: str, links: dict[str, Links]) -> Code | None:
    return links[label].contents.codes.get(name)


def _check_links(links: dict[str, Links], modules: set[str]) -> None:
    for name, target in _linked_modules(links):
        if target in modules:
            raise BundleError(
                f"{name} links the module {target}, of which the levels have different copies: a "
                "chooser in its place has none of its symbols",
                hint=f"take the baseline's of both: --take-baseline {target}",
            )


def _linked_modules(links: dict[str, Links]) -> Iterator[tuple[str, str]]:
    for each in links.values():
        for name in each.contents.codes:
            for target in each.direct(name):
                yield name, target
