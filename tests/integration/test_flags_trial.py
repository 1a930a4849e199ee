"""try_flags with real compilers and linkers, and with fake ones that are real executables."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from faketools import write_program
from variantbuild.errors import FlagsError
from variantbuild.host.local import LocalHost
from variantbuild.plan.flags import Flags, IsaNote, resolve_flags
from variantbuild.plan.flags.trial import Trial, try_flags
from variantbuild.probe.compiler import probe_compiler
from variantbuild.probe.facts import Compiler, CompilerFamily, Found, Language
from variantbuild.variant import Variant

pytestmark = pytest.mark.compile


def find(*languages: Language, **env: str) -> dict[Language, Compiler]:
    """The real compilers of this machine, as the probe finds them."""
    found: dict[Language, Compiler] = {}
    for language in languages:
        fact = probe_compiler(host(**env), language)
        if not isinstance(fact, Found):
            pytest.skip(f"no {language} compiler: {fact}")
        found[language] = fact.value
    return found


def host(**env: str) -> LocalHost:
    return LocalHost(env={"PATH": os.environ["PATH"], **env})


def tried(cpu: str, *languages: Language, **env: str) -> Trial:
    """Resolve and try the flags for `cpu` with the compilers that `env` chooses."""
    compilers = find(*languages, **env)
    flags = resolve_flags(Variant(arch="x86_64", cpu=cpu), compilers)
    return accepted(flags, compilers, **env)


def accepted(flags: Flags, compilers: Mapping[Language, Compiler], **env: str) -> Trial:
    """Try `flags`; every compiler has to accept its own."""
    trial = try_flags(host(**env), flags, compilers, flags.languages)
    assert trial.error is None
    return trial


def refusal(flags: Flags, compilers: Mapping[Language, Compiler]) -> FlagsError:
    """Return the error of a trial that fails."""
    error = try_flags(host(), flags, compilers, flags.languages).error
    assert error is not None
    return error


@pytest.fixture
def scripted(tmp_path: Path) -> Path:
    """A compiler that counts its calls in `calls` and then does what gcc does."""
    if (gcc := shutil.which("gcc")) is None:
        pytest.skip("gcc is not installed")
    return write_program(tmp_path / "counting", f'echo "$@" >> {tmp_path}/calls\nexec {gcc} "$@"')


def fake(path: Path, family: CompilerFamily = "gcc", language: Language = "c") -> Compiler:
    return Compiler(language=language, family=family, version="12.2.0", command=(str(path),))


@pytest.mark.parametrize("cpu", ["v2", "v3", "v4"])
def test_gcc_writes_the_note(cpu: str) -> None:
    trial = tried(cpu, "c", "cxx", "fortran", CC="gcc", CXX="g++", FC="gfortran")
    assert trial.isa_note == IsaNote(level=cpu)
    assert [command[-1] for command in trial.commands] == [
        "probe_c.out",
        "probe_cxx.out",
        "probe_fortran.out",
    ]
    assert trial.commands == trial.asked


def test_without_c_another_language_links() -> None:
    assert tried("v3", "cxx", CXX="g++").isa_note == IsaNote(level="v3")
    assert tried("v3", "fortran", FC="gfortran").isa_note == IsaNote(level="v3")


def test_clang_writes_the_note_too() -> None:
    assert tried("v3", "c", CC="clang").isa_note == IsaNote(level="v3")


def test_gold_is_unprotected() -> None:
    if shutil.which("ld.gold") is None:
        pytest.skip("ld.gold is not installed")
    note = tried("v3", "c", CC="gcc", LDFLAGS="-fuse-ld=gold").isa_note
    assert note.level is None
    assert "unknown -z option" in str(note.unprotected)


def test_lld_is_unprotected_since_it_writes_no_note() -> None:
    if shutil.which("ld.lld") is None or shutil.which("clang") is None:
        pytest.skip("clang and ld.lld are not both installed")
    note = tried("v3", "c", CC="clang", LDFLAGS="-fuse-ld=lld").isa_note
    if note.level is None:
        assert "no ISA note for v3" in str(note.unprotected)
    else:  # A later lld may support it: then the note was read back.
        assert note == IsaNote(level="v3")


def test_a_linker_may_be_chosen_in_cflags_as_well() -> None:
    if shutil.which("ld.gold") is None:
        pytest.skip("ld.gold is not installed")
    assert tried("v3", "c", CC="gcc", CFLAGS="-fuse-ld=gold").isa_note.level is None


def test_named_processor_gets_the_note_of_its_level() -> None:
    assert tried("haswell", "c", CC="gcc").isa_note == IsaNote(level="v3")


def test_processor_below_every_noted_level_compiles_without_linking() -> None:
    note = tried("core2", "c", CC="gcc").isa_note
    assert note.level is None
    assert "'core2'" in str(note.unprotected)


def test_processor_with_more_than_its_level_has_the_note_and_is_unprotected() -> None:
    note = tried("cascadelake", "c", CC="gcc").isa_note
    assert note.level == "v4"
    assert "avx512vnni" in str(note.unprotected)


def test_old_glibc_stays_unprotected_though_the_note_is_there() -> None:
    compilers = find("c", CC="gcc")
    old = IsaNote(level="v3", unprotected="glibc 2.17 does not read the ISA note")
    flags = Flags(languages=("c",), c=("-march=x86-64-v3",), isa_note=old)
    assert accepted(flags, compilers).isa_note == old


def test_refused_flag_is_named() -> None:
    compilers = find("c", CC="gcc")
    flags = Flags(languages=("c",), c=("-march=hal9000",))
    error = refusal(flags, compilers)
    assert "gcc" in error.message
    assert "`-march=hal9000`" in error.message
    assert "bad value" in error.message
    assert error.hint is not None


def test_refused_flag_is_told_from_a_refused_note() -> None:
    compilers = find("c", CC="gcc")
    flags = Flags(languages=("c",), c=("-march=hal9000",), isa_note=IsaNote(level="v3"))
    assert "-march=hal9000" in refusal(flags, compilers).message


def test_assembler_that_refuses(tmp_path: Path) -> None:
    """An old binutils: the compiler emits instructions that its assembler does not know."""
    compilers = find("c", CC="gcc")
    directory = tmp_path / "old binutils"
    directory.mkdir()
    write_program(
        directory / "as", 'echo "probe.s:7: Error: no such instruction: vfmadd" >&2; exit 1'
    )
    flags = Flags(languages=("c",), c=("-march=x86-64-v3", f"-B{directory}"))
    assert "no such instruction" in refusal(flags, compilers).message


def test_ignored_flag_is_no_success(tmp_path: Path) -> None:
    """MSVC warns about an unknown /arch, exits with 0 and ignores it."""
    line = "cl : Command line warning D9002 : ignoring unknown option '/arch:SSE4.2'"
    tool = write_program(tmp_path / "cl", f'echo "{line}"')
    flags = Flags(languages=("c",), c=("/arch:SSE4.2",))
    assert "D9002" in refusal(flags, {"c": fake(tool, "msvc")}).message


def test_silent_failure_and_missing_program(tmp_path: Path) -> None:
    flags = Flags(languages=("c",), c=("-march=x86-64-v3",))
    broken = write_program(tmp_path / "broken", "exit 3")
    assert "exit status 3" in refusal(flags, {"c": fake(broken)}).message
    assert "gone" in refusal(flags, {"c": fake(tmp_path / "gone")}).message


def test_linker_that_links_without_the_note(tmp_path: Path) -> None:
    """Like lld 14: exit status 0 and a valid module, but without the ISA note."""
    compilers = find("c", CC="gcc")
    directory = tmp_path / "forgetful"
    directory.mkdir()
    write_program(
        directory / "ld",
        'for word; do shift; case $word in -z|x86-64-v3) ;; *) set -- "$@" "$word";; esac; done\n'
        f'exec {shutil.which("ld")} "$@"',
    )
    flags = Flags(languages=("c",), c=(f"-B{directory}",), isa_note=IsaNote(level="v3"))
    note = accepted(flags, compilers).isa_note
    assert note.level is None
    assert "wrote no ISA note for v3" in str(note.unprotected)


def test_linker_that_lies(tmp_path: Path) -> None:
    """Exit status 0 and a file that is not an ELF file: not taken for an ISA note."""
    liar = write_program(tmp_path / "liar", 'for last; do :; done; echo nonsense > "$last"')
    flags = Flags(languages=("c",), isa_note=IsaNote(level="v3"))
    note = accepted(flags, {"c": fake(liar)}).isa_note
    assert note.level is None
    assert "could not be read" in str(note.unprotected)


def test_one_run_a_language(tmp_path: Path, scripted: Path) -> None:
    compilers: Mapping[Language, Compiler] = {
        "c": fake(scripted),
        "cxx": fake(scripted, language="cxx"),
    }
    flags = resolve_flags(Variant(arch="x86_64", cpu="v3"), compilers)
    calls = tmp_path / "calls"
    assert len(accepted(flags, compilers).commands) == 2
    assert len(calls.read_text().splitlines()) == 2


def test_probe_makes_the_compiler_emit_the_level(tmp_path: Path) -> None:
    """The assembler's input uses the registers of the level."""
    compilers = find("c", "cxx", "fortran", CC="gcc", CXX="g++", FC="gfortran")
    flags = resolve_flags(Variant(arch="x86_64", cpu="v4"), compilers)
    saving = {
        language: Compiler(
            language=language,
            family="gcc",
            version="12.2.0",
            command=(*compiler.command, "-save-temps", "-dumpdir", f"{tmp_path}/"),
        )
        for language, compiler in compilers.items()
    }
    accepted(flags, saving)
    texts = [path.read_text() for path in tmp_path.glob("*.s")]
    assert len(texts) == 3
    assert all("%zmm" in text or "%ymm16" in text or "vfmadd" in text for text in texts)


@pytest.mark.skipif(sys.platform != "linux", reason="counts the CPU time of children")
def test_costs_little() -> None:
    """C and C++ with the ISA note: two driver runs. The bound is loose, for slow machines."""
    before = os.times()
    tried("v3", "c", "cxx", CC="gcc", CXX="g++")
    after = os.times()
    spent = after.children_user + after.children_system
    assert spent - before.children_user - before.children_system < 1.0
