"""The results of an audit, without judgement: a report for each file, and one for the wheel."""

from __future__ import annotations

from dataclasses import dataclass

from variantbuild.binary.devicecode import DeviceCode
from variantbuild.binary.elf import ElfKind
from variantbuild.binary.formats import Format, Role
from variantbuild.isa.levels import highest
from variantbuild.isa.recorded import SwitchLine


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
    None; `code` is None if instructions were not decoded, `unseen` then says why. `fault` is set
    where the file could not be read at all.
    """

    path: str
    format: Format
    machines: tuple[str, ...]
    role: Role = "host"
    kind: ElfKind | None = None
    isa_note: str | None = None
    switches: tuple[SwitchLine, ...] = ()
    needed: tuple[str, ...] = ()
    glibc_floor: tuple[int, int] | None = None
    code: Code | None = None
    device: DeviceCode | None = None
    unseen: str | None = None
    fault: str | None = None

    @property
    def machine(self) -> str:
        """The machine that the file is for; empty for none or several."""
        return self.machines[0] if len(self.machines) == 1 else ""

    @property
    def machine_names(self) -> str:
        """The names of all machines that the file is for, for people."""
        return "+".join(self.machines)

    @property
    def level(self) -> str | None:
        """The level that the file needs, by the best evidence available; None without evidence."""
        if self.code is not None:
            return self.code.level
        levels = [line.level for line in self.switches]
        levels += [] if self.isa_note is None else [self.isa_note]
        return highest(self.machine, levels) if levels else None


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
        """The level that the files of the wheel need together; None if unknown."""
        levels = [(each.machine, each.level) for each in self.files if each.level is not None]
        if not levels or len({machine for machine, _ in levels}) > 1:
            return None
        return highest(levels[0][0], [level for _, level in levels])
