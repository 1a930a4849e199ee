"""What a trial concludes from the answers of compilers; integration tests try real ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from binaries.elves import elf, isa_note
from hosts.recorded import RecordedHost
from variantbuild.host import Completed, ScratchRun
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.plan.flags.trial import Trial, first_commands, try_flags
from variantbuild.probe.facts import Compiler, Language

Answer = Callable[[tuple[str, ...]], ScratchRun]
GCC = Compiler(language="c", family="gcc", version="12.2.0", command=("/usr/bin/gcc",))
V3 = Flags(languages=("c",), c=("-march=x86-64-v3",), isa_note=IsaNote(level="v3"))
WITH_NOTE = elf(note=isa_note(4))


def answering(status: int = 0, output: bytes | None = None, stderr: str = "") -> Answer:
    def answer(argv: tuple[str, ...]) -> ScratchRun:
        done = Completed(argv=argv, status=status, stdout="", stderr=stderr)
        return ScratchRun(done=done, output=output)

    return answer


def tried(answer: Answer, flags: Flags = V3, compiler: Compiler = GCC, **env: str) -> Trial:
    host = RecordedHost(env=env, scratch=answer)
    trial = try_flags(host, flags, {compiler.language: compiler}, flags.languages)
    assert host.calls == list(trial.commands)
    assert trial.asked == trial.commands[:1]
    return trial


def test_note_that_was_read_back_is_used() -> None:
    trial = tried(answering(output=WITH_NOTE), CFLAGS="-O1", LDFLAGS="-fuse-ld=bfd")
    assert trial.isa_note == IsaNote(level="v3")
    assert trial.error is None
    (command,) = trial.commands
    assert " ".join(command) == (
        "/usr/bin/gcc -O1 -march=x86-64-v3 probe_c.c -fuse-ld=bfd "
        "-specs=variantbuild-isa-note.specs -shared -fPIC -o probe_c.out"
    )


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (elf(), "the linker wrote no ISA note for v3: ld: warning: unknown -z"),
        (elf(note=isa_note(2)), "the linker wrote no ISA note for v3: ld: warning: unknown -z"),
        (b"nonsense", "the linked probe could not be read: "),
        (None, "the linked probe could not be read: the linker wrote no file"),
    ],
)
def test_module_without_the_note_is_unprotected(output: bytes | None, reason: str) -> None:
    trial = tried(answering(output=output, stderr="ld: warning: unknown -z\n"))
    assert trial.error is None
    assert trial.isa_note.level is None
    assert str(trial.isa_note.unprotected).startswith(reason)


def test_linker_that_fails_is_told_from_a_compiler_that_fails() -> None:
    def link_fails(argv: tuple[str, ...]) -> ScratchRun:
        status = 1 if "-shared" in argv else 0
        return answering(status, stderr="ld: error: unknown -z value\n" if status else "")(argv)

    trial = tried(link_fails)
    assert trial.error is None
    assert trial.isa_note == IsaNote(
        unprotected="the linker rejects `-z x86-64-v3`: ld: error: unknown -z value"
    )
    assert [("-shared" in command, "-c" in command) for command in trial.commands] == [
        (True, False),
        (False, True),
    ]
    error = tried(answering(1, stderr="note\ncc1: error: bad value\n")).error
    assert error is not None
    assert error.message == (
        "gcc 12.2.0 (/usr/bin/gcc) does not compile a probe with `-march=x86-64-v3`: "
        "cc1: error: bad value"
    )


@pytest.mark.parametrize(
    "said",
    [
        "fatal error: error writing to /tmp/cc1.s: No space left on device",
        "/usr/bin/ld: final link failed: No space left on device",
        "collect2: fatal error: ld terminated with signal 25: File size limit exceeded",
        "Cannot create temporary file in /tmp/: Permission denied",
        "as: cannot create x.o: Read-only file system",
        "error: Disk quota exceeded",
    ],
)
@pytest.mark.parametrize("step", ["link", "both"])
def test_a_full_disk_is_not_the_fault_of_the_cpu(
    said: str, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(argv: tuple[str, ...]) -> ScratchRun:
        status = 1 if step == "both" or "-shared" in argv else 0
        return answering(status, stderr=f"{said}\n" if status else "")(argv)

    monkeypatch.setattr("tempfile.tempdir", "/small/disk")
    error = tried(fails).error
    assert error is not None
    assert said in error.message
    assert "/small/disk" in error.message
    assert error.hint is not None
    assert "cpu" not in error.hint
    assert "TMPDIR" in error.hint


def test_flag_that_is_ignored_is_an_error() -> None:
    trial = tried(answering(stderr="warning D9002: ignoring unknown option\n"))
    assert trial.error is not None
    assert "D9002" in trial.error.message


def test_nothing_is_linked_where_nothing_is_marked() -> None:
    old = IsaNote(level="v3", unprotected="glibc 2.17 does not read the ISA note")
    named = Flags(languages=("c",), c=("-march=haswell",), isa_note=IsaNote(unprotected="named"))
    assert tried(answering(), named).isa_note == IsaNote(unprotected="named")
    assert "-c" in tried(answering(), named).commands[0]
    # The ISA note is written anyway, and the earlier reason is kept.
    old_libc = Flags(languages=("c",), isa_note=old)
    assert tried(answering(output=WITH_NOTE), old_libc).isa_note == old
    assert tried(answering(output=elf()), old_libc).isa_note.level is None


def test_first_language_links_and_the_first_refusal_ends_the_trial() -> None:
    compilers: dict[Language, Compiler] = {
        language: Compiler(language=language, family="gcc", version="12", command=(language,))
        for language in ("c", "cxx", "fortran")
    }
    flags = Flags(languages=("c", "cxx", "fortran"), isa_note=IsaNote(level="v3"))
    host = RecordedHost(scratch=answering(output=WITH_NOTE))
    languages: tuple[Language, ...] = ("cxx", "fortran")
    trial = try_flags(host, flags, compilers, languages)
    assert [(command[0], "-shared" in command) for command in trial.commands] == [
        ("cxx", True),
        ("fortran", False),
    ]
    assert first_commands(RecordedHost(), flags, compilers, languages) == trial.asked
    host = RecordedHost(scratch=answering(3))
    trial = try_flags(host, flags, compilers, languages)
    assert trial.error is not None
    assert "exit status 3, without any output" in trial.error.message
    assert [command[0] for command in trial.commands] == ["cxx", "cxx"]
