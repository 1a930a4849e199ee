"""What a declared CPU has: its level, and its features outside the levels."""

from __future__ import annotations

from collections.abc import Iterable

from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import baseline, includes
from variantbuild.isa.recorded import RecordedFlags
from variantbuild.values import dataclass

# Linux's names, which archspec uses, if they differ from the compilers' by more than `_`.
_COMPILER_NAMES = {"pclmulqdq": "pclmul", "sha_ni": "sha", "abm": "lzcnt", "sse4_1": "sse4.1"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Processor:
    """A declared CPU: a level, or a name with the highest level that it includes.

    `features` are the compilers' names for the features of a named CPU, None for a level;
    `spellings` are its names in -march and -mcpu. `has` are the features of the level and of the
    name, as the audit compares them; None on machines whose code it does not decode.
    """

    arch: str
    name: str
    level: str
    features: frozenset[str] | None = None
    spellings: frozenset[str] = frozenset()
    has: frozenset[str] | None = None

    @property
    def shown(self) -> str:
        """The level that code for this CPU can be recognised by.

        armv8.2a adds no instruction that all of its CPUs have, so its code shows armv8.1a.
        """
        if self.arch != "aarch64":
            return self.level
        from variantbuild.isa.armfeatures import level_for, promised_by

        return level_for(promised_by(self.level))

    @property
    def is_baseline(self) -> bool:
        """Whether every CPU of the architecture is at least this one."""
        return self.features is None and self.level == baseline(self.arch)

    def is_called(self, march: str) -> bool:
        """Return whether the -march or -mcpu value `march` means this CPU."""
        return march in self.spellings

    def is_reached_by(self, line: RecordedFlags) -> bool:
        """Return whether a recorded command line enabled what this CPU is declared for."""
        called = line.cpu is not None and self.is_called(line.cpu)
        return called or includes(self.arch, line.reached, self.level)


def resolve_processor(arch: str, cpu: str | None) -> Processor:
    """Return what `cpu`, a level or archspec's name, has on `arch`; None is the baseline.

    Loads archspec for names only, never for levels. Raises KeyError for a name that archspec does
    not have; a parsed variant has none.
    """
    known = architecture(arch)
    cpu = known.baseline.name if cpu is None else cpu
    if (declared := known.level(cpu)) is not None:
        level = declared.name
        return Processor(arch=arch, name=level, level=level, has=_promised(arch, level))
    from archspec.cpu import TARGETS

    target = TARGETS[cpu]
    generic = known.level(target.generic.name.removeprefix("x86_64_")) or known.baseline
    names = {entry.get("name") or cpu for each in target.compilers.values() for entry in each}
    return Processor(
        arch=arch,
        name=cpu,
        level=generic.name,
        features=frozenset(
            _COMPILER_NAMES.get(name, name.replace("_", "")) for name in target.features
        ),
        spellings=frozenset(names | {cpu, cpu.replace("_", "-")}),
        has=_promised(arch, generic.name, target.features),
    )


def _promised(arch: str, level: str, names: Iterable[str] = ()) -> frozenset[str] | None:
    if arch == "x86_64":
        from variantbuild.isa.x86features import with_named

        return with_named(level, names)
    if arch != "aarch64":
        return None
    from variantbuild.isa.armfeatures import feature_of, promised_by

    return promised_by(level) | {feature_of(name) for name in names}
