"""Flags and guard for rustc, by whatever delegate runs cargo (maturin, setuptools-rust).

cargo joins the variable of a target with what the project's own `.cargo/config.toml` says of that
target, and reads it only where the user sets no RUSTFLAGS; there ours go behind the user's. With
the target named, build scripts and procedural macros, which run on the machine that builds, are
left alone. Source: The Cargo Book, "Configuration", build.rustflags and build.target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from variantbuild.delegate.handover.delegation import Delegation, Handover
from variantbuild.plan.flags import Flags
from variantbuild.plan.flags.isanote import SPECS_NAME, reads_specs, render_specs, specs_switch
from variantbuild.probe.facts import Compiler, Language

_ENCODED = "CARGO_ENCODED_RUSTFLAGS"


def hand_to_cargo(
    made: Handover,
    flags: Flags,
    delegation: Delegation,
    compilers: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    """Add to `made` what cargo is told; nothing where no Rust is compiled.

    cargo links through `cc`, so the guard goes through a specs file where the compilers read one,
    kept where cargo's own build directory can refer to it. Where the user names a linker, nothing
    is known of it, and the audit sees that the mark is not there.
    """
    rust = flags.rust
    if rust is None or not rust.compile:
        return made
    env = delegation.env
    switches = rust.compile
    files = made.files
    variable = f"CARGO_TARGET_{rust.target.upper().replace('-', '_')}_"
    specs = delegation.source / "build" / build_name / SPECS_NAME
    # cargo splits the variable at white space and knows no quotes.
    usable = f"{variable}LINKER" not in env and not any(map(str.isspace, str(specs)))
    if flags.guard.level and reads_specs(compilers.values()) and usable:
        switches = (*switches, *rust.link, "-C", f"link-arg={specs_switch(specs)}")
        if not any(path == specs for path, _ in files):
            files = (*files, (specs, render_specs(flags.guard)))
    changes = {"CARGO_BUILD_TARGET": rust.target, **_variable(env, variable, switches)}
    return replace(made, env=(*made.env, *changes.items()), files=files)


def _variable(env: Mapping[str, str], prefix: str, switches: tuple[str, ...]) -> dict[str, str]:
    """Return the variable that cargo will read, with the user's own switches in front."""
    if env.get(_ENCODED):
        return {_ENCODED: "\x1f".join((env[_ENCODED], *switches))}
    name = "RUSTFLAGS" if env.get("RUSTFLAGS") else f"{prefix}RUSTFLAGS"
    return {name: " ".join(filter(None, (env.get(name, ""), *switches)))}
