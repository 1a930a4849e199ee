"""The rustc flags for a variant.

rustc takes LLVM's CPU names, and links through `cc`. It does not record its flags, so the
instructions and the ISA note are the evidence.
"""

from __future__ import annotations

from variantbuild.isa.architecture import architecture
from variantbuild.isa.levels import baseline
from variantbuild.plan.flags.namedcpus import named_flags
from variantbuild.plan.flags.toolchains import parse_version, target_arch
from variantbuild.probe.facts import Compiler, Rust
from variantbuild.values import dataclass
from variantbuild.variant import Variant

#: rustc links through its own lld by default on this target from this release on, and lld writes no
#: ISA note (the Rust blog, "Faster linking times with 1.90.0 stable on Linux using the LLD linker";
#: tried with 1.95: it warns about `-z x86-64-v3`).
_LLD_TARGET, _LLD_SINCE = "x86_64-unknown-linux-gnu", (1, 90)


@dataclass(frozen=True, kw_only=True, slots=True)
class RustFlags:
    """The rustc flags: `target` is the triple, `link` is used only together with an ISA note."""

    target: str
    compile: tuple[str, ...] = ()
    link: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class RustChoice:
    """The rustc flags, and a message for people about them, empty if there is none."""

    flags: RustFlags
    note: str = ""


def resolve_rust_flags(variant: Variant, rust: Rust, target: str) -> RustChoice:
    """Choose the flags of `rust` for `variant` when it compiles for the triple `target`.

    A generic level of an architecture other than x86-64 has no name in LLVM; the baseline needs
    none. Raises FlagsError if archspec knows the CPU, but LLVM of this version does not.
    """
    stand_in = Compiler(
        language="c", family="clang", version=rust.llvm or "0", command=("rustc",), target=target
    )
    if variant.cpu is None:
        return RustChoice(flags=RustFlags(target=target))
    if target_arch(stand_in) != variant.arch:
        note = f"rustc compiles for {target}, not for {variant.arch}"
        return RustChoice(flags=RustFlags(target=target), note=note)
    # LLVM 12 and newer call the x86-64 levels as the psABI does.
    level = architecture(variant.arch).level(variant.cpu)
    name = level.spelled if level is not None and variant.arch == "x86_64" else None
    notes: list[str] = []
    if level is None:
        description = f"rustc {rust.version} (LLVM {rust.llvm or 'unknown'})"
        for flag in named_flags(variant.cpu, stand_in, description, notes):
            option, _, value = flag.partition("=")
            if option in ("-mcpu", "-march") and not value.startswith("armv"):
                name = value.partition("+")[0]
    if name is None:
        note = f"rustc has no name for {variant.cpu!r}: Rust code is built without flags for it"
        needless = variant.cpu == baseline(variant.arch)
        return RustChoice(flags=RustFlags(target=target), note="" if needless else note)
    lld = target == _LLD_TARGET and parse_version(rust.version) >= _LLD_SINCE
    flags = RustFlags(
        target=target,
        compile=("-C", f"target-cpu={name}"),
        link=("-C", "linker-features=-lld") if lld else (),
    )
    return RustChoice(flags=flags, note="; ".join(notes))
