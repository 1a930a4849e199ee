"""The ISA note: how shared objects, and nothing else, are marked with the level that they need.

`-z x86-64-v3` makes binutils' ld write "x86 ISA needed" into .note.gnu.property, and glibc 2.33 and
newer reject such a module on a CPU below that level. In plain LDFLAGS it would also mark test
programs and generators, which then would not start on a build machine below that level; so it is
passed in a variable for shared objects only, or in a gcc specs file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from variantbuild.plan.flags.toolchains import family_table
from variantbuild.probe.facts import Compiler
from variantbuild.values import dataclass

#: The name of the specs file.
SPECS_NAME = "variantbuild-isa-note.specs"


@dataclass(frozen=True, kw_only=True, slots=True)
class IsaNote:
    """What makes the loader reject a module on a CPU below its level.

    `level` is the level in the note of shared objects (`v3`), None if they get no note.
    `unprotected` says in one clause why a CPU below that level raises SIGILL instead of
    ImportError; None if the note works or is not needed.
    """

    level: str | None = None
    unprotected: str | None = None

    @property
    def linker_options(self) -> tuple[str, ...]:
        """The options that make binutils' ld write the note."""
        return () if self.level is None else ("-z", f"x86-64-{self.level}")

    @property
    def driver_options(self) -> tuple[str, ...]:
        """The same options for a compiler driver; for shared objects only."""
        return () if self.level is None else (f"-Wl,-z,x86-64-{self.level}",)


#: That of code which every CPU runs.
NO_NOTE = IsaNote()


def render_specs(note: IsaNote) -> str:
    """Return a gcc specs file that only marks what is linked with -shared.

    The `+` appends to the compiler's own `*link:` and to that of other specs files. Source: the
    gcc manual, "Specifying Subprocesses and the Switches to Pass to Them".
    """
    return f"*link:\n+ %{{shared:{' '.join(note.linker_options)}}}\n"


def specs_flag(path: Path) -> str:
    """Return the flag that makes gcc read the specs file at `path`."""
    return f"-specs={path}"


def reads_specs(compilers: Iterable[Compiler]) -> bool:
    """Return whether every compiler reads gcc's specs files."""
    return all(family_table(compiler.family)["isa_note"] == "specs" for compiler in compilers)
