"""Computes the compiler flags that build a variant.

Pure: nothing is run here. The flags for the x86-64 levels and the generic aarch64 ones are in
data/compilers.json, so that archspec is imported for named CPUs only. An empty answer or a refusal
is an error, never success.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from variantbuild.errors import FlagsError
from variantbuild.isa.levels import baseline, is_level
from variantbuild.plan.flags.isanote import NO_NOTE, IsaNote
from variantbuild.plan.flags.rustflags import RustFlags
from variantbuild.plan.flags.toolchains import (
    family_table,
    oldest_version,
    pick_row,
    target_arch,
    writes_elf,
)
from variantbuild.probe.facts import LANGUAGES, Compiler, Language, Libc
from variantbuild.values import dataclass
from variantbuild.variant import Variant

__all__ = ["Flags", "FpContract", "IsaNote", "Tool", "describe", "resolve_flags"]

FpContract = Literal["default", "off", "fast"]
Tool = Literal["c", "cxx", "fortran", "link"]

#: The first glibc whose loader reads the x86 ISA note.
GLIBC_WITH_NOTE = (2, 33)


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """The flags for each tool, in order, the user's `flags.*` last, and the ISA note.

    A language is in `languages` if a compiler for it was given; the others have no flags.
    `recorded` is true if every compiler records its flags in the object. `rust` is None if no Rust
    is compiled. `notes` are messages for people, such as archspec's on a substitute CPU.
    """

    languages: tuple[Language, ...]
    c: tuple[str, ...] = ()
    cxx: tuple[str, ...] = ()
    fortran: tuple[str, ...] = ()
    link: tuple[str, ...] = ()
    isa_note: IsaNote = NO_NOTE
    notes: tuple[str, ...] = ()
    rust: RustFlags | None = None
    recorded: bool = False

    def of(self, tool: Tool) -> tuple[str, ...]:
        """Return the flags of one tool."""
        match tool:
            case "c":
                return self.c
            case "cxx":
                return self.cxx
            case "fortran":
                return self.fortran
            case "link":
                return self.link


def resolve_flags(
    variant: Variant,
    compilers: Mapping[Language, Compiler],
    *,
    fp_contract: FpContract = "default",
    extra: Mapping[Tool, Sequence[str]] | None = None,
    isa_guard: bool = True,
    libc: Libc | None = None,
) -> Flags:
    """Choose the flags that make `compilers` build for `variant`.

    `extra` are the user's `flags.*`, appended after ours. `libc` is the build machine's, None if
    unknown: it decides whether the loader is expected to read the note. Raises FlagsError with
    compiler, version, target and remedy if a compiler has no flags for the variant.
    """
    extra = extra or {}
    chosen: dict[Language, tuple[str, ...]] = {}
    records: list[tuple[str, ...]] = []
    notes: list[str] = []
    for language in LANGUAGES:
        if (compiler := compilers.get(language)) is None:
            continue
        records.append(_record_flags(variant, compiler))
        ours = (
            *_cpu_flags(variant, compiler, notes),
            *_contract_flags(fp_contract, compiler),
            *records[-1],
        )
        chosen[language] = (*ours, *extra.get(language, ()))
    return Flags(
        languages=tuple(chosen),
        c=chosen.get("c", ()),
        cxx=chosen.get("cxx", ()),
        fortran=chosen.get("fortran", ()),
        link=tuple(extra.get("link", ())),
        isa_note=_choose_note(variant, tuple(compilers.values()), libc, wanted=isa_guard),
        notes=tuple(dict.fromkeys(notes)),
        recorded=bool(records) and all(records),
    )


def describe(compiler: Compiler) -> str:
    """Return a compiler's name for messages: `gcc 12.2.0 (/usr/bin/gcc)`."""
    name = family_table(compiler.family)["name"]
    return f"{name} {compiler.version} ({' '.join(compiler.command)})"


def _cpu_flags(variant: Variant, compiler: Compiler, notes: list[str]) -> tuple[str, ...]:
    if variant.cpu is None:
        return ()
    arch = target_arch(compiler)
    if arch is not None and arch != variant.arch:
        raise FlagsError(
            f"{describe(compiler)} compiles for {compiler.target}, but the target "
            f"{variant.cpu!r} is a CPU of {variant.arch}",
            hint=f"choose a compiler for {variant.arch} through CC, CXX or FC",
        )
    rows = family_table(compiler.family)["levels"].get(variant.cpu)
    if rows is None and variant.cpu == baseline(variant.arch):
        return ()  # what every compiler builds for without flags
    if rows is None:
        # Imported on use: archspec takes 45 ms, and levels do not need it.
        from variantbuild.plan.flags.namedcpus import named_flags

        return named_flags(variant.cpu, compiler, describe(compiler), notes)
    found = pick_row(rows, compiler)
    if found is None:
        oldest = oldest_version(rows)
        raise FlagsError(
            f"{describe(compiler)} has no flags for {variant.cpu!r} on {variant.arch}: "
            f"version {oldest} is the first with known flags",
            hint="use a newer compiler (CC, CXX, FC), or choose a lower `cpu`",
        )
    return found


def _contract_flags(wanted: FpContract, compiler: Compiler) -> tuple[str, ...]:
    if wanted == "default":
        return ()
    found = pick_row(family_table(compiler.family)["fp_contract"][wanted], compiler)
    if found is None:
        raise FlagsError(
            f"{describe(compiler)} has no flag for `fp-contract = {wanted!r}`",
            hint="leave `fp-contract` at 'default', or use a newer compiler",
        )
    return found


def _record_flags(variant: Variant, compiler: Compiler) -> tuple[str, ...]:
    """Return what makes the compiler record its flags in the object, as evidence for the audit.

    They are optional: the ISA note and the instructions are evidence as well.
    """
    if variant.cpu is None or not writes_elf(compiler):
        return ()
    return pick_row(family_table(compiler.family)["record"], compiler) or ()


def _choose_note(
    variant: Variant, compilers: Sequence[Compiler], libc: Libc | None, *, wanted: bool
) -> IsaNote:
    cpu = variant.cpu
    if cpu is None or cpu == baseline(variant.arch) or not compilers:
        return IsaNote()
    if variant.arch != "x86_64":
        return IsaNote(unprotected=f"loaders do not check what modules for {variant.arch} need")
    if not wanted:
        return IsaNote(unprotected="`isa-guard` is false")
    named = None
    if not is_level(variant.arch, cpu):
        from variantbuild.plan.flags.namedcpus import named_note

        named = named_note(cpu)
        if named.level is None:
            return named
        cpu = named.level
    for compiler in compilers:
        if not writes_elf(compiler) or family_table(compiler.family)["isa_note"] == "none":
            return IsaNote(
                unprotected=f"{describe(compiler)} does not write ELF files, "
                "which carry the ISA note"
            )
    if libc is not None and libc.name == "musl":
        return IsaNote(unprotected="musl's loader does not read the ISA note")
    if libc is not None and libc.version < GLIBC_WITH_NOTE:
        number = ".".join(map(str, libc.version))
        # The note is written anyway: the wheel also runs with a newer glibc, which reads it.
        return IsaNote(
            level=cpu, unprotected=f"glibc {number} does not read the ISA note (2.33 does)"
        )
    return named or IsaNote(level=cpu)
