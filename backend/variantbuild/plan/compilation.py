"""The compilers of a build, their flags, and what contradicts the flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from variantbuild.config.project import Project
from variantbuild.errors import ProbeError
from variantbuild.host import Host
from variantbuild.plan.flags import Flags, Tool, resolve_flags
from variantbuild.plan.flags.conflicts import Conflict, find_conflicts, user_flags
from variantbuild.plan.languages import holds_rust
from variantbuild.probe.facts import (
    Absent,
    Compiler,
    Failed,
    Found,
    HostFacts,
    Language,
)
from variantbuild.values import dataclass
from variantbuild.variant import Variant


@dataclass(frozen=True, kw_only=True, slots=True)
class Compilation:
    """The flags of a build and the compilers that they are for.

    `compilers` are those found for the languages of `flags`; `conflicts` are flags of the user's
    that contradict the variant; `tried` are the languages of the trial compilation.
    """

    flags: Flags
    compilers: tuple[tuple[Language, Compiler], ...]
    conflicts: tuple[Conflict, ...]
    tried: tuple[Language, ...] = ()


def plan_compilation(
    project: Project,
    host: Host,
    facts: HostFacts,
    variant: Variant,
    languages: tuple[Language, ...],
) -> Compilation:
    """Choose the flags with which the compilers in `facts` build `variant`.

    `languages` are those of the source tree. Raises ProbeError if the build needs a compiler and
    there is none, FlagsError if one cannot build for the variant.
    """
    compilers = find_compilers(facts, variant, languages)
    flags = flags_for(project, variant, facts, compilers)
    if variant.cpu is not None and holds_rust(project):
        flags = _with_rust(host, flags, variant)
    conflicts = find_conflicts(variant, user_flags(host.env, extra_flags(project)))
    return Compilation(
        flags=flags,
        compilers=tuple(compilers.items()),
        conflicts=tuple(conflicts),
        tried=() if variant.cpu is None else _tried_languages(flags, languages),
    )


def probed_languages(seen: tuple[Language, ...], env: Mapping[str, str]) -> tuple[Language, ...]:
    """Return the languages whose compilers are probed for a tree with sources in `seen`.

    C and C++ always, since sources may be generated; Fortran if a source or FC indicates it.
    """
    fortran: tuple[Language, ...] = ("fortran",) if "fortran" in seen or env.get("FC") else ()
    return ("c", "cxx", *fortran)


def find_compilers(
    facts: HostFacts, variant: Variant, needed: tuple[Language, ...]
) -> dict[Language, Compiler]:
    """Return the compilers that the flags are for.

    Raises ProbeError if the sources need a compiler, the variant needs flags, and none of the
    languages has a compiler: the build would fail later, with a longer message.
    """
    found: dict[Language, Compiler] = {}
    reasons: list[str] = []
    for language, fact in facts.compilers:
        match fact:
            case Found(value=compiler):
                found[language] = compiler
            case Absent(reason=reason) if language in needed:
                reasons.append(reason)
            case Failed(error=error) if language in needed:
                reasons.append(error)
            case _:
                pass
    if reasons and not any(language in found for language in needed) and not variant.is_baseline:
        raise ProbeError(
            f"no usable compiler for {str(variant)!r}: {'; '.join(reasons)}",
            hint="install one (Debian, Ubuntu: apt install build-essential) or name it in CC, CXX "
            "or FC",
        )
    return found


def extra_flags(project: Project) -> dict[Tool, tuple[str, ...]]:
    """Return the flags that the settings `flags.*` append, by tool."""
    config = project.config
    return {
        "c": config.flags_c,
        "cxx": config.flags_cxx,
        "fortran": config.flags_fortran,
        "link": config.flags_link,
    }


def flags_for(
    project: Project, variant: Variant, facts: HostFacts, compilers: Mapping[Language, Compiler]
) -> Flags:
    """Return the flags that make `compilers` build `variant` with the settings of `project`.

    Raises FlagsError if one of them cannot build for it.
    """
    config = project.config
    return resolve_flags(
        variant,
        compilers,
        fp_contract=config.fp_contract,
        extra=extra_flags(project),
        isa_guard=config.isa_guard,
        libc=facts.libc.value if isinstance(facts.libc, Found) else None,
    )


def _with_rust(host: Host, flags: Flags, variant: Variant) -> Flags:
    """Add the flags of rustc, if there is one; if not, the delegate reports that."""
    from variantbuild.plan.flags.rustflags import resolve_rust_flags
    from variantbuild.probe.rustc import probe_rust

    fact = probe_rust(host)
    if not isinstance(fact, Found):
        return flags
    target = host.env.get("CARGO_BUILD_TARGET") or fact.value.host
    rust = resolve_rust_flags(variant, fact.value, target)
    notes = (*flags.notes, *([rust.note] if rust.note else []))
    return replace(flags, rust=rust.flags, notes=notes)


def _tried_languages(flags: Flags, seen: tuple[Language, ...]) -> tuple[Language, ...]:
    """Return the languages of `flags` that the tree has sources in, or the first one.

    Each trial costs a compiler run, so languages without sources are not tried.
    """
    shown = tuple(language for language in flags.languages if language in seen)
    return shown or flags.languages[:1]
