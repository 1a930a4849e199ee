"""Flags and ISA note for rustc, for any delegate that runs cargo (maturin, setuptools-rust).

cargo joins the variable of a target with the project's `.cargo/config.toml` for that target, and
reads it only if the user does not set RUSTFLAGS; otherwise ours are appended to RUSTFLAGS. With an
explicit target, build scripts and procedural macros, which run on the build machine, are not
affected. Source: The Cargo Book, "Configuration", build.rustflags and build.target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from variantbuild.delegate.handover.delegation import Delegation, Handover
from variantbuild.plan.flags import Flags
from variantbuild.plan.flags.isanote import SPECS_NAME, reads_specs, render_specs, specs_flag
from variantbuild.probe.facts import Compiler, Language

_TARGET_DIR = "CARGO_TARGET_DIR"
_ENCODED = "CARGO_ENCODED_RUSTFLAGS"


def hand_to_cargo(
    made: Handover,
    flags: Flags,
    delegation: Delegation,
    compilers: Mapping[Language, Compiler],
    build_name: str,
) -> Handover:
    """Add cargo's variables to `made`; nothing but its target directory without flags for Rust.

    cargo links through `cc`, whose wrapper adds the ISA note; without wrappers a specs file does,
    if the compilers read one. It is kept where cargo's build directory can refer to it. A linker
    that the user names is unknown to us; the audit then reports the missing note.
    """
    env = delegation.env
    made = replace(made, env=(*made.env, (_TARGET_DIR, _target_dir(delegation, build_name))))
    rust = flags.rust
    if rust is None or not rust.compile:
        return made
    options = rust.compile
    files = made.files
    variable = f"CARGO_TARGET_{rust.target.upper().replace('-', '_')}_"
    specs = delegation.source / "build" / build_name / SPECS_NAME
    # cargo splits the variable at white space and does not support quotes.
    usable = reads_specs(compilers.values()) and not any(map(str.isspace, str(specs)))
    if flags.isa_note.level and f"{variable}LINKER" not in env and (delegation.routed or usable):
        options = (*options, *rust.link)
        if not delegation.routed:
            options = (*options, "-C", f"link-arg={specs_flag(specs)}")
            if not any(path == specs for path, _ in files):
                files = (*files, (specs, render_specs(flags.isa_note)))
    changes = {"CARGO_BUILD_TARGET": rust.target, **_variable(env, variable, options)}
    return replace(made, env=(*made.env, *changes.items()), files=files)


def _target_dir(delegation: Delegation, build_name: str) -> str:
    """Return a target directory for the variant, in the user's own if there is one.

    cargo does not run build scripts again when a compiler on PATH adds other flags.
    """
    users = delegation.env.get(_TARGET_DIR)
    if users:
        return str(delegation.source / users / build_name)
    return str(delegation.source / "build" / build_name / "cargo")


def _variable(env: Mapping[str, str], prefix: str, options: tuple[str, ...]) -> dict[str, str]:
    """Return the variable that cargo will read, with `options` appended to the user's own."""
    if env.get(_ENCODED):
        return {_ENCODED: "\x1f".join((env[_ENCODED], *options))}
    name = "RUSTFLAGS" if env.get("RUSTFLAGS") else f"{prefix}RUSTFLAGS"
    return {name: " ".join(filter(None, (env.get(name, ""), *options)))}
