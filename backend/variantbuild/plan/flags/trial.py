"""Try the flags on the build machine, once for each language, before the build relies on them.

A compiler counts as willing when a probe source compiles and assembles: old binutils reject what
a newer compiler emits. The guard counts as working when the note is read back from a probe that
was linked with it: lld 14 warns, exits with 0 and writes none.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from pathlib import Path

from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.errors import FlagsError
from variantbuild.host import Completed, Host
from variantbuild.plan.flags import Flags, Guard, describe
from variantbuild.plan.flags.isanote import SPECS_NAME, reads_specs, render_specs, specs_switch
from variantbuild.probe.facts import Compiler, Language

#: What has been tried: (command, switches, guard level) to the guard that came of it.
TrialCache = MutableMapping[tuple[tuple[str, ...], tuple[str, ...], str | None], Guard]

_TIME_LIMIT = 60.0

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
_VARIABLES: dict[Language, str] = {"c": "CFLAGS", "cxx": "CXXFLAGS", "fortran": "FFLAGS"}
# Compilers that only warn of a switch they do not know, exit 0 and go on without it.
_IGNORED = re.compile(
    r"D9002|ignoring unknown option|Unknown switch|unknown argument ignored", re.I
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Probe:
    """One language's compiler and switches, and the files that the trial writes."""

    compiler: Compiler
    switches: tuple[str, ...]
    source: Path
    output: Path


def try_flags(
    host: Host,
    flags: Flags,
    compilers: Mapping[Language, Compiler],
    folder: Path,
    *,
    cache: TrialCache | None = None,
) -> Flags:
    """Compile and assemble a probe in each language of `flags`, and link one with the guard.

    Files are written to `folder`, which must exist. `cache` remembers what was tried, so that
    the same command with the same switches runs once. Returns `flags` with the guard that really
    works. Raises FlagsError where a compiler refuses, naming it, its switches and its words.
    """
    cache = {} if cache is None else cache
    guard = flags.guard
    linking = next((each for each in ("c", "cxx", "fortran") if each in flags.languages), None)
    for language in flags.languages:
        compiler = compilers[language]
        asked = guard if language == linking else Guard()
        key = (compiler.command, (language, *flags.of(language), *flags.link), asked.level)
        if key not in cache:
            cache[key] = _try_language(host, _write_probe(flags, compiler, folder), flags, asked)
        if language == linking and guard.level is not None:
            guard = _joined(guard, cache[key])
    return replace(flags, guard=guard)


def _joined(wanted: Guard, found: Guard) -> Guard:
    """Keep what was known against the guard before (an old glibc) beside what was found."""
    return found if found.unguarded else wanted


def _write_probe(flags: Flags, compiler: Compiler, folder: Path) -> _Probe:
    language = compiler.language
    plain = compiler.family in ("msvc", "nvhpc")
    text = _FORTRAN if language == "fortran" else _LOOP if plain else _VECTORS
    source = folder / f"probe_{language}{_SUFFIXES[language]}"
    source.write_text(text, encoding="ascii")
    return _Probe(
        compiler=compiler,
        switches=flags.of(language),
        source=source,
        output=folder / f"probe_{language}.out",
    )


def _try_language(host: Host, probe: _Probe, flags: Flags, guard: Guard) -> Guard:
    """Try one language; with a guard, compile and link in one go and read the note."""
    linked = None
    if guard.level is not None:
        linked = _run(host, probe, (*_link_options(host, probe, flags, guard), "-shared", "-fPIC"))
        if linked.ok:
            _refuse_ignored(probe, linked)
            return _read_guard(probe, guard, linked)
    compiled = _run(host, probe, ("/c",) if probe.compiler.family == "msvc" else ("-c",))
    if not compiled.ok:
        raise _refusal(probe, _words(compiled))
    _refuse_ignored(probe, compiled)
    if linked is None:
        return Guard()
    return Guard(unguarded=f"the linker takes no `-z x86-64-{guard.level}`: {_words(linked)}")


def _link_options(host: Host, probe: _Probe, flags: Flags, guard: Guard) -> tuple[str, ...]:
    # The user's LDFLAGS come along, since they may choose the linker (-fuse-ld=lld).
    users = _split(host.env.get("LDFLAGS", ""))
    if not reads_specs([probe.compiler]):
        return (*users, *flags.link, *guard.driver_options)
    specs = probe.source.parent / SPECS_NAME
    specs.write_text(render_specs(guard), encoding="ascii")
    return (*users, *flags.link, specs_switch(specs))


def _run(host: Host, probe: _Probe, options: tuple[str, ...]) -> Completed:
    probe.output.unlink(missing_ok=True)
    users = _split(host.env.get(_VARIABLES[probe.compiler.language], ""))
    target = (
        (f"/Fo{probe.output}",) if probe.compiler.family == "msvc" else ("-o", str(probe.output))
    )
    return host.run(
        (
            *probe.compiler.command,
            *users,
            *probe.switches,
            *(("-O3",) if probe.compiler.language == "fortran" else ()),
            str(probe.source),
            *options,
            *target,
        ),
        cwd=probe.source.parent,
        timeout=_TIME_LIMIT,
    )


def _read_guard(probe: _Probe, guard: Guard, done: Completed) -> Guard:
    try:
        found = parse_elf(probe.output.read_bytes()).isa_needed
    except (OSError, ElfError) as error:
        return Guard(unguarded=f"the linked probe could not be read: {error}")
    if found == guard.level:
        return Guard(level=guard.level)
    said = _words(done)
    return Guard(
        unguarded=f"the linker wrote no ISA note for {guard.level}" + (f": {said}" if said else "")
    )


def _refuse_ignored(probe: _Probe, done: Completed) -> None:
    if match := _IGNORED.search(done.stdout + done.stderr):
        raise _refusal(probe, _line_with(done.stdout + done.stderr, match.group()))


def _refusal(probe: _Probe, said: str) -> FlagsError:
    switches = shlex.join(probe.switches)
    return FlagsError(
        f"{describe(probe.compiler)} does not compile a probe with `{switches}`: {said}",
        hint="choose a lower `cpu`, or a newer compiler or binutils (CC, CXX, FC); look for "
        f"mistakes in `flags.*` and {_VARIABLES[probe.compiler.language]} too",
    )


def _words(done: Completed) -> str:
    """Return the one line of a tool's output that says most: the first error, else the first."""
    if done.error:
        return done.error
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    if not lines:
        return "" if done.ok else f"exit status {done.status}, without a word"
    return next((line for line in lines if re.search(r"error|unknown", line, re.I)), lines[0])


def _line_with(text: str, part: str) -> str:
    return next(line.strip() for line in text.splitlines() if part in line)


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return tuple(text.split())
