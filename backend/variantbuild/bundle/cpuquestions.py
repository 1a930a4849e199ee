"""What a stub asks the CPU before it loads a copy. Pure; the table is data/bundle.json."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict, cast

from variantbuild.data import load_table
from variantbuild.errors import BundleError
from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import baseline


class _Row(TypedDict):
    leaf: int
    subleaf: int
    word: int
    bits: dict[str, int]


class _States(TypedDict):
    mask: int
    prefixes: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Bits that must all be set in a word of CPUID, or of the auxiliary vector on AArch64."""

    leaf: int
    subleaf: int
    word: int
    mask: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What the CPU called `label` has: Linux's names of its `features`, and its `vendor`.

    `vendor` is None for a level, which has none.
    """

    label: str
    features: frozenset[str]
    vendor: str | None = None

    def includes(self, other: Demand) -> bool:
        """Return whether a CPU that meets this runs a copy for `other`."""
        return self.features >= other.features and other.vendor in (None, self.vendor)


def resolve_demand(arch: str, label: str) -> Demand:
    """Return what the CPU or level `label` of `arch` has.

    Raises BundleError if a program cannot find out whether a CPU has it, or if the installed
    archspec does not list all features of the CPU.
    """
    level = architecture(arch).level(label)
    if level is not None and level.name == baseline(arch):
        return Demand(label=label, features=frozenset())
    if level is not None and level.features is not None:
        found, vendor = level.features, None
    elif level is not None:
        raise BundleError(f"Linux has no feature names for {label}, so no program can check for it")
    else:
        from archspec.cpu import TARGETS

        target = TARGETS[label]
        found = frozenset(target.features)
        if arch == "x86_64":
            # archspec's neoverse_v2 has no bti although it comes after armv8.5a.
            _check_complete(arch, label, found, [str(each) for each in target.ancestors])
        # The vendor of a CPU with an Arm core says nothing about its instructions.
        vendor = None if target.vendor == "generic" or arch != "x86_64" else target.vendor
    features = found - set(cast("list[str]", load_table("bundle")["not_asked"]))
    unknown = features - {name for row in _rows(arch) for name in row["bits"]}
    if unknown or not features:
        missing = ", ".join(sorted(unknown)) or "any of its features"
        raise BundleError(f"no question to the CPU is known for {missing}, which {label} has")
    return Demand(label=label, features=features, vendor=vendor)


def order_demands(demands: Sequence[Demand]) -> tuple[Demand, ...]:
    """Return `demands` with the most demanding first: the first that a CPU meets is its best."""
    return tuple(sorted(demands, key=lambda each: (-len(each.features), each.label)))


def questions_for(arch: str, demand: Demand) -> tuple[Question, ...]:
    """Return the questions that a CPU must all answer with yes."""
    found = []
    for row in _rows(arch):
        mask = sum(1 << bit for name, bit in row["bits"].items() if name in demand.features)
        if mask:
            found.append(
                Question(leaf=row["leaf"], subleaf=row["subleaf"], word=row["word"], mask=mask)
            )
    return tuple(found)


def states_for(arch: str, demand: Demand) -> int:
    """Return the register states (XCR0) that the system must save for `demand`."""
    table = cast("dict[str, list[_States]]", load_table("bundle")["states"])
    states = 0
    for rule in table.get(arch, []):
        if any(name.startswith(tuple(rule["prefixes"])) for name in demand.features):
            states |= rule["mask"]
    return states


def _check_complete(
    arch: str, label: str, features: frozenset[str], ancestors: Sequence[str]
) -> None:
    """Refuse features that lack those of a level below: archspec before 0.2.7 left some out."""
    known = architecture(arch)
    for name in ancestors:
        level = known.level(name.removeprefix(f"{arch}_"))
        missing = sorted((level.features or frozenset()) - features) if level else []
        if missing:
            raise BundleError(
                f"the installed archspec lists too few features of {label}: it leaves out "
                f"{', '.join(missing)}, so the bundle would be loaded by CPUs that lack others",
                hint="install archspec 0.2.7 or newer",
            )


def _rows(arch: str) -> list[_Row]:
    return cast("dict[str, list[_Row]]", load_table("bundle")["questions"]).get(arch, [])
