"""The guard of a module: the ISA note, with which the loader rejects CPUs below its level."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Guard:
    """What makes the loader reject a module on a CPU below its level: the ISA note.

    `level` is the level in the note of shared objects (`v3`), None if they get no note. `unguarded`
    says in one clause why a CPU below that level raises SIGILL instead of ImportError; None if the
    note works or is not needed.
    """

    level: str | None = None
    unguarded: str | None = None

    @property
    def linker_options(self) -> tuple[str, ...]:
        """The options that make binutils' ld write the note."""
        return () if self.level is None else ("-z", f"x86-64-{self.level}")

    @property
    def driver_options(self) -> tuple[str, ...]:
        """The same options for a compiler driver; for shared objects only."""
        return () if self.level is None else (f"-Wl,-z,x86-64-{self.level}",)


#: That of code which every CPU runs.
NO_GUARD = Guard()
