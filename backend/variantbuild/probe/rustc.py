"""The Rust compiler, probed only if the source tree has a Cargo.toml."""

from __future__ import annotations

import re

from variantbuild.host import Host
from variantbuild.probe.facts import Absent, Fact, Failed, Found, Rust


def probe_rust(host: Host) -> Fact[Rust]:
    """Return the rustc that cargo will use: the one in RUSTC, else the one on PATH.

    Source of the fields: rustc's own `-vV` (The rustc book, "Command-line arguments").
    """
    name = host.env.get("RUSTC") or "rustc"
    program = host.which(name)
    if program is None:
        return Absent(f"no {name} on PATH")
    answer = host.run([program, "-vV"])
    if not answer.ok:
        return Failed(f"{program} -vV {answer.failure}")
    found = dict(re.findall(r"^(release|host|LLVM version): (\S+)$", answer.stdout, re.M))
    if "release" not in found or "host" not in found:
        return Failed(f"{program} -vV did not print a release and a host: {answer.stdout[:80]!r}")
    return Found(
        Rust(
            version=found["release"].partition("-")[0],
            host=found["host"],
            llvm=found.get("LLVM version", ""),
        ),
        f"{program} -vV",
    )
