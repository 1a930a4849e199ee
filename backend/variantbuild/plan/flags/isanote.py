"""The ISA note: how shared objects, and nothing else, are marked with the level that they need.

`-z x86-64-v3` makes binutils' ld write "x86 ISA needed" into .note.gnu.property, and glibc 2.33 and
newer reject such a module on a CPU below that level. In plain LDFLAGS it would also mark test
programs and generators, which then would not start on a build machine below that level; so it is
passed in a variable for shared objects only, or in a gcc specs file.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from variantbuild.plan.flags import Guard
from variantbuild.plan.flags.toolchains import family_table
from variantbuild.probe.facts import Compiler

#: The name of the specs file.
SPECS_NAME = "variantbuild-guard.specs"


def render_specs(guard: Guard) -> str:
    """Return a gcc specs file that only marks what is linked with -shared.

    The `+` appends to the compiler's own `*link:` and to that of other specs files. Source: the
    gcc manual, "Specifying Subprocesses and the Switches to Pass to Them".
    """
    return f"*link:\n+ %{{shared:{' '.join(guard.linker_options)}}}\n"


def specs_flag(path: Path) -> str:
    """Return the flag that makes gcc read the specs file at `path`."""
    return f"-specs={path}"


def reads_specs(compilers: Iterable[Compiler]) -> bool:
    """Return whether every compiler reads gcc's specs files."""
    return all(family_table(compiler.family)["guard"] == "specs" for compiler in compilers)
