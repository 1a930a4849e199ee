"""The results of an audit, without judgement: a report for each file, and one for the wheel."""

from __future__ import annotations

from collections.abc import Iterable

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A function that sets the level of its file, with the first instruction that does.

    `address` and `at` are addresses within the file; `needs` is a level or the name of an
    extension.
    """

    name: str
    address: int
    at: int
    instruction: str
    needs: str
    guarded: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Extension:
    """An extension outside all levels (AES, SHA, VAES, FP16).

    `count` functions use it; `dispatched` means only after a dispatch check.
    """

    name: str
    count: int
    dispatched: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """The result of decoding the instructions of one file.

    `level` is always needed; `dispatched` is the highest level of all code, some of which only runs
    after the dispatch check that `guard` names. `counts` are functions by what they need, from
    decoding `size` bytes with `decoder`.
    """

    decoder: str
    size: int
    level: str
    dispatched: str
    guard: str | None
    counts: tuple[tuple[str, int], ...]
    extensions: tuple[Extension, ...]
    functions: tuple[Function, ...]


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
        """The level of the code in the file, by the best evidence; None without evidence."""
        if self.code is not None:
            return self.code.level
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
        levels += [] if self.code is None else [self.code.level]
        levels += [] if self.isa_note is None else [self.isa_note]
        return highest(self.machine, levels) if levels else None

    @property
    def features(self) -> frozenset[str]:
        """The features beyond `required` that the code always uses, where levels name features."""
        if self.code is None or self.required is None:
            return frozenset()
        has = resolve_processor(self.machine, self.required).has
        always = frozenset(each.name for each in self.code.extensions if not each.dispatched)
        return frozenset() if has is None else always - has

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


def _together(levels: Iterable[tuple[str, str | None]]) -> str | None:
    known = [(machine, level) for machine, level in levels if level is not None]
    if len({machine for machine, _ in known}) != 1:
        return None
    return highest(known[0][0], [level for _, level in known])
