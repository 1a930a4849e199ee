"""The results of an audit, without judgement: a report for each file, and one for the wheel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from variantbuild.binary.devicecode import DeviceCode
from variantbuild.binary.elf import ElfKind
from variantbuild.binary.formats import Format, Role
from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import highest
from variantbuild.isa.processor import resolve_processor
from variantbuild.isa.recorded import RecordedFlags
from variantbuild.values import dataclass

#: Why instructions were not decoded where the decoder of the extra `audit` is missing.
NO_DECODER = "iced-x86 is not installed (pip install variantbuild[audit])"
#: The root of a path whose beginning was not found.
NOT_FOLLOWED = "more code than was followed"


Verdict = Literal["runs", "needs", "unclear"]
"""Whether a file runs on a CPU: it does, it needs more, or that cannot be told."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Path:
    """A way from where execution begins to an instruction that needs `feature`.

    `root` is what calls the first of the `functions`; the instruction is at `at` in the last one.
    On a `certain` path nothing can avoid the instruction but the branches on checks for `given`.
    """

    feature: str
    root: str
    functions: tuple[str, ...]
    at: int
    instruction: str
    given: frozenset[str] = frozenset()
    certain: bool

    def __str__(self) -> str:
        names = [] if self.functions[:1] == (self.root,) else [self.root]
        steps = " → ".join([*names, *self.functions])
        instruction = f"{self.instruction} " if self.instruction else ""
        return f"{steps}: {instruction}at {self.at:#x}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """A feature beyond the baseline that `count` functions of a file use.

    `level` is the lowest level that has it, None if none has. `paths` lead to its use without a
    dispatch check for it, some of them only perhaps; without any, every use is guarded.
    """

    feature: str
    level: str | None
    count: int
    paths: tuple[Path, ...] = ()

    def verdict(self, has: frozenset[str]) -> Verdict:
        """Return whether the file runs on a CPU with the features `has`, by this one alone."""
        if self.feature in has or not self.paths:
            return "runs"
        needed = any(each.certain and each.given <= has for each in self.paths)
        return "needs" if needed else "unclear"


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """The result of decoding the `size` bytes of instructions of one file with `decoder`.

    `guard` says how the file asks the CPU; None if it does not. `obscure` are reasons why not all
    of the code that runs can be read.
    """

    decoder: str
    size: int
    guard: str | None
    demands: tuple[Demand, ...]
    obscure: tuple[str, ...] = ()

    def verdict(self, has: frozenset[str]) -> Verdict:
        """Return whether the file runs on a CPU with the features `has`."""
        found = {each.verdict(has) for each in self.demands}
        if "needs" in found:
            return "needs"
        return "unclear" if "unclear" in found or self.obscure else "runs"

    def needed(self, has: frozenset[str]) -> tuple[Demand, ...]:
        """Return the features that the file needs on a CPU that only has `has`."""
        return tuple(each for each in self.demands if each.verdict(has) == "needs")

    def unclear(self, has: frozenset[str]) -> tuple[Demand, ...]:
        """Return the features that the file may need on a CPU that only has `has`."""
        return tuple(each for each in self.demands if each.verdict(has) == "unclear")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileReport:
    """What was read from one file with machine code.

    `path` is the member's name in the wheel; `machines` are archspec's family names or the format's
    own words; `kind` is None for files that are not ELF; `device` is the GPU code in the file, or
    None; `code` is None if instructions were not decoded, `unseen` then says why. `fault` is set if
    the file could not be read at all, `exempt` is the pattern by which the user exempts it.
    """

    path: str
    format: Format
    machines: tuple[str, ...]
    role: Role = "host"
    kind: ElfKind | None = None
    isa_note: str | None = None
    recorded: tuple[RecordedFlags, ...] = ()
    needed: tuple[str, ...] = ()
    glibc_floor: tuple[int, int] | None = None
    code: Code | None = None
    device: DeviceCode | None = None
    unseen: str | None = None
    fault: str | None = None
    exempt: str | None = None

    @property
    def machine(self) -> str:
        """The machine that the file is for; empty for none or several."""
        return self.machines[0] if len(self.machines) == 1 else ""

    @property
    def machine_names(self) -> str:
        """The names of all machines that the file is for, for people."""
        return "+".join(self.machines)

    @property
    def lacks_decoder(self) -> bool:
        """Whether the decoder would tell more: it is not installed."""
        return self.unseen == NO_DECODER

    @property
    def level(self) -> str | None:
        """The level of the code in the file, by the best evidence; None without evidence.

        Code that runs only after a dispatch check for it does not count.
        """
        if self.code is not None:
            used = [each.level for each in self.code.demands if each.level and each.paths]
            return highest(self.machine, used)
        levels = [line.level for line in self.recorded]
        levels += [] if self.isa_note is None else [self.isa_note]
        return highest(self.machine, levels) if levels else None

    @property
    def is_undetermined(self) -> bool:
        """Whether the file cannot be read, or the needs of its recorded flags are unknown."""
        known = [line.unknown is None for line in self.recorded]
        return self.fault is not None or not (any(known) if self._dispatches else all(known))

    @property
    def required(self) -> str | None:
        """The lowest level of a CPU for which no evidence says that the file needs more.

        Instructions, recorded flags and the ISA note all count, where `level` goes by the best of
        them. None if that is undetermined, or without evidence.
        """
        if self.is_undetermined:
            return None
        levels = [line.level for line in self.recorded if line.unknown is None]
        if self._dispatches:
            # Other units may be compiled for more, for code that is chosen at run time.
            levels = [architecture(self.machine).lowest(levels).name]
        levels += [] if self.code is None else [level_needed(self.machine, self.code)]
        levels += [] if self.isa_note is None else [self.isa_note]
        return highest(self.machine, levels) if levels else None

    @property
    def features(self) -> frozenset[str]:
        """The features beyond `required` that the code always uses, where levels name features."""
        if self.code is None or self.required is None:
            return frozenset()
        has = resolve_processor(self.machine, self.required).has
        if has is None:
            return frozenset()
        return frozenset(each.feature for each in self.code.needed(has))

    @property
    def dispatched(self) -> str | None:
        """The highest level of any code in the file, guarded or not; None if it was not read."""
        if self.code is None:
            return None
        return highest(self.machine, [each.level for each in self.code.demands if each.level])

    @property
    def _dispatches(self) -> bool:
        return self.code is not None and self.code.guard is not None and bool(self.recorded)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """What was found in one wheel, or in loose modules. `platforms` are the tags of the wheel."""

    name: str
    platforms: tuple[str, ...]
    files: tuple[FileReport, ...]

    @property
    def has_machine_code(self) -> bool:
        """Whether any file has code for a host or a GPU."""
        return any(each.role != "data" for each in self.files)

    @property
    def level(self) -> str | None:
        """The level of the code in all files together; None if unknown."""
        return _together((each.machine, each.level) for each in self.files)

    @property
    def required(self) -> str | None:
        """The lowest level of a CPU that all files allow; None if unknown."""
        if any(each.is_undetermined for each in self.files):
            return None
        return _together((each.machine, each.required) for each in self.files)


def level_needed(machine: str, code: Code) -> str:
    """Return the lowest level of which `code` needs no feature of any level beyond."""
    known = architecture(machine)
    for level in known.levels:
        has = resolve_processor(machine, level.name).has
        if has is None or not any(each.level for each in code.needed(has)):
            return level.name
    needed = code.needed(frozenset())
    return highest(machine, [each.level for each in needed if each.level])


def _together(levels: Iterable[tuple[str, str | None]]) -> str | None:
    known = [(machine, level) for machine, level in levels if level is not None]
    if len({machine for machine, _ in known}) != 1:
        return None
    return highest(known[0][0], [level for _, level in known])
