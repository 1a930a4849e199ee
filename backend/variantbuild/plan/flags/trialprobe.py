"""The probes of trial compilation: a source for each language, and the commands that build it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from variantbuild.plan.flags import Flags
from variantbuild.plan.flags.isanote import (
    SPECS_NAME,
    IsaNote,
    reads_specs,
    render_specs,
    specs_flag,
)
from variantbuild.probe.facts import Compiler, Language
from variantbuild.values import dataclass

#: A command line, one word per item.
Command = tuple[str, ...]


# A vector wider than any level's, so that the compiler emits what the level allows.
_VECTORS = """\
typedef double wide __attribute__((vector_size(64)));
#ifdef __cplusplus
extern "C"
#endif
void variantbuild_probe(wide *a, const wide *b) { *a = *a * *b + *a; }
"""


_LOOP = """\
void variantbuild_probe(double *a, const double *b)
{ int i; for (i = 0; i < 64; i++) a[i] = a[i] * b[i] + a[i]; }
"""


_FORTRAN = """\
subroutine variantbuild_probe(a, b)
  double precision, intent(inout) :: a(64)
  double precision, intent(in) :: b(64)
  a = a * b + a
end subroutine
"""


_SUFFIXES: dict[Language, str] = {"c": ".c", "cxx": ".cpp", "fortran": ".f90"}


VARIABLES: dict[Language, str] = {"c": "CFLAGS", "cxx": "CXXFLAGS", "fortran": "FFLAGS"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """What is tried in one language: a source, its compiler and flags, the environment's flags.

    `isa_note` has a level if the probe is linked as well.
    """

    compiler: Compiler
    flags: tuple[str, ...]
    link: tuple[str, ...]
    isa_note: IsaNote
    env: Mapping[str, str]

    @property
    def source(self) -> str:
        """The name of the source file."""
        return f"probe_{self.compiler.language}{_SUFFIXES[self.compiler.language]}"

    @property
    def output(self) -> str:
        """The name of the file that the commands write."""
        return f"probe_{self.compiler.language}.out"

    @property
    def files(self) -> dict[str, str]:
        """The files that the commands read, by name."""
        plain = self.compiler.family in ("msvc", "nvhpc")
        fortran = self.compiler.language == "fortran"
        text = _FORTRAN if fortran else _LOOP if plain else _VECTORS
        specs = {SPECS_NAME: render_specs(self.isa_note)} if self.isa_note.level is not None else {}
        return {self.source: text, **specs}

    @property
    def first(self) -> Command:
        """The first command: with an ISA note it compiles and links in one go."""
        return self.compiling if self.isa_note.level is None else self.linking

    @property
    def compiling(self) -> Command:
        """The command that compiles and assembles."""
        return self._command("/c" if self.compiler.family == "msvc" else "-c")

    @property
    def linking(self) -> Command:
        """The command that also links a shared object, with the ISA note."""
        # The user's LDFLAGS come along, since they may choose the linker (-fuse-ld=lld).
        users = _split(self.env.get("LDFLAGS", ""))
        note = self.isa_note.driver_options
        if reads_specs([self.compiler]):
            note = (specs_flag(Path(SPECS_NAME)),)
        return self._command(*users, *self.link, *note, "-shared", "-fPIC")

    def _command(self, *options: str) -> Command:
        msvc = self.compiler.family == "msvc"
        return (
            *self.compiler.command,
            *_split(self.env.get(VARIABLES[self.compiler.language], "")),
            *self.flags,
            *(("-O3",) if self.compiler.language == "fortran" else ()),
            self.source,
            *options,
            *((f"/Fo{self.output}",) if msvc else ("-o", self.output)),
        )


def make_probes(
    env: Mapping[str, str],
    flags: Flags,
    compilers: Mapping[Language, Compiler],
    languages: Sequence[Language],
) -> Iterator[Probe]:
    """Yield a probe for each language; the first that links a module links one."""
    linking = next((each for each in ("c", "cxx", "fortran") if each in languages), None)
    for language in languages:
        yield Probe(
            compiler=compilers[language],
            flags=flags.of(language),
            link=flags.link,
            isa_note=flags.isa_note if language == linking else IsaNote(),
            env=env,
        )


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())
