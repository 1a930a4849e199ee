"""Trial compilation: whether the compilers accept the flags, before the build relies on them.

A compiler accepts them if a probe source compiles and assembles: old binutils reject what a newer
compiler emits. The ISA note works if it can be read back from a probe that was linked with it:
lld 14 prints a warning, exits with 0 and writes none.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.errors import FlagsError
from variantbuild.host import Completed, Host, ScratchRun
from variantbuild.host.durable import is_storage_failure, temporary_directory
from variantbuild.plan.flags import Flags, IsaNote, describe
from variantbuild.plan.flags.isanote import NO_NOTE
from variantbuild.plan.flags.trialprobe import VARIABLES, Command, Probe, make_probes
from variantbuild.probe.facts import Compiler, Language
from variantbuild.values import dataclass

_TIME_LIMIT = 60.0  # seconds

# Compilers that only warn about a flag that they do not know, exit with 0 and continue without it.
_IGNORED = re.compile(
    r"D9002|ignoring unknown option|Unknown switch|unknown argument ignored", re.I
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What the compilers did with the flags.

    `asked` is the first command for each language, which depends on flags, compilers and
    environment alone; `commands` are all that ran. `isa_note` is the one that was read back.
    `error` is the refusal of a compiler, None if all accepted their flags.
    """

    asked: tuple[Command, ...] = ()
    commands: tuple[Command, ...] = ()
    isa_note: IsaNote = NO_NOTE
    error: FlagsError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """The result of one probe: the commands that ran, and the ISA note or the refusal."""

    commands: tuple[Command, ...]
    isa_note: IsaNote = NO_NOTE
    error: FlagsError | None = None


def first_commands(
    host: Host, flags: Flags, compilers: Mapping[Language, Compiler], languages: Sequence[Language]
) -> tuple[Command, ...]:
    """Return the first commands of `try_flags`, which identify a trial."""
    return tuple(probe.first for probe in make_probes(host.env, flags, compilers, languages))


def try_flags(
    host: Host, flags: Flags, compilers: Mapping[Language, Compiler], languages: Sequence[Language]
) -> Trial:
    """Compile and assemble a probe in each of `languages`, and link one with the ISA note.

    Each is tried in a temporary directory of `host`. Stops at the first compiler that refuses; the
    trial's error names it, its flags and its message.
    """
    asked = first_commands(host, flags, compilers, languages)
    commands: list[Command] = []
    note = flags.isa_note
    for probe in make_probes(host.env, flags, compilers, languages):
        answer = _try_probe(host, probe)
        commands += answer.commands
        if answer.error is not None:
            return Trial(asked=asked, commands=tuple(commands), isa_note=note, error=answer.error)
        if probe.isa_note.level is not None and answer.isa_note.unprotected:
            # Reasons known before (an old glibc) still apply if the note works.
            note = answer.isa_note
    return Trial(asked=asked, commands=tuple(commands), isa_note=note)


def _try_probe(host: Host, probe: Probe) -> _Answer:
    """Try one language; with an ISA note, compile and link in one go and read it."""
    linked: ScratchRun | None = None
    commands: tuple[Command, ...] = (probe.first,)
    if probe.isa_note.level is not None:
        linked = _run(host, probe, probe.linking)
        if linked.done.ok:
            error = _ignored_flags(probe, linked.done)
            return _Answer(
                commands=commands, isa_note=_read_note(probe.isa_note, linked), error=error
            )
        if is_storage_failure(said := _telling_line(linked.done)):
            return _Answer(commands=commands, error=_refusal(probe, said))
        commands = (probe.linking, probe.compiling)
    compiled = _run(host, probe, probe.compiling).done
    if not compiled.ok:
        return _Answer(commands=commands, error=_refusal(probe, _telling_line(compiled)))
    if (error := _ignored_flags(probe, compiled)) is not None or linked is None:
        return _Answer(commands=commands, error=error)
    reason = f"the linker rejects `-z x86-64-{probe.isa_note.level}`: {_telling_line(linked.done)}"
    return _Answer(commands=commands, isa_note=IsaNote(unprotected=reason))


def _run(host: Host, probe: Probe, command: Command) -> ScratchRun:
    return host.run_scratch(command, files=probe.files, output=probe.output, timeout=_TIME_LIMIT)


def _read_note(wanted: IsaNote, linked: ScratchRun) -> IsaNote:
    if linked.output is None:
        return IsaNote(unprotected="the linked probe could not be read: the linker wrote no file")
    try:
        found = parse_elf(linked.output).isa_needed
    except ElfError as error:
        return IsaNote(unprotected=f"the linked probe could not be read: {error}")
    if found == wanted.level:
        return IsaNote(level=wanted.level)
    said = _telling_line(linked.done)
    reason = f"the linker wrote no ISA note for {wanted.level}" + (f": {said}" if said else "")
    return IsaNote(unprotected=reason)


def _ignored_flags(probe: Probe, done: Completed) -> FlagsError | None:
    output = done.stdout + done.stderr
    match = _IGNORED.search(output)
    if match is None:
        return None
    line = next(line.strip() for line in output.splitlines() if match.group() in line)
    return _refusal(probe, line)


def _refusal(probe: Probe, said: str) -> FlagsError:
    message = (
        f"{describe(probe.compiler)} does not compile a probe with "
        f"`{shlex.join(probe.flags)}`: {said}"
    )
    if is_storage_failure(said):
        place = temporary_directory()
        return FlagsError(
            f"{message} (temporary files are in {place})",
            hint=f"free some space in {place} or change its permissions, or set TMPDIR to another "
            "directory",
        )
    return FlagsError(
        message,
        hint="choose a lower `cpu`, or a newer compiler or binutils (CC, CXX, FC); check "
        f"`flags.*` and {VARIABLES[probe.compiler.language]} for mistakes as well",
    )


def _telling_line(done: Completed) -> str:
    """Return the most useful line of a tool's output: the first error, else the first line."""
    if done.error:
        return done.error
    lines = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    if not lines:
        return "" if done.ok else f"exit status {done.status}, without any output"
    return next((line for line in lines if re.search(r"error|unknown", line, re.I)), lines[0])
