"""Flags and ISA note through cargo: the library gets them, the build script does not."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from variantbuild.binary.elf import parse_elf
from variantbuild.delegate.handover import Delegation, hand_over
from variantbuild.host.local import LocalHost
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.plan.flags.rustflags import resolve_rust_flags
from variantbuild.probe.compiler import probe_compiler
from variantbuild.probe.facts import Found
from variantbuild.probe.rustc import probe_rust
from variantbuild.variant import Variant
from workshop import run

pytestmark = pytest.mark.compile


def test_library_and_build_script(rust_cdylib: Path) -> None:
    host = LocalHost(env=os.environ)
    rust, cc = probe_rust(host), probe_compiler(host, "c")
    if shutil.which("cargo") is None or not isinstance(rust, Found):
        pytest.skip("no cargo and rustc here")
    assert isinstance(cc, Found)
    if rust.value.host != "x86_64-unknown-linux-gnu" or cc.value.family != "gcc":
        pytest.skip("the ISA note of Rust is for gcc on x86-64")
    variant = Variant(arch="x86_64", cpu="v4")
    flags = Flags(
        languages=("c",),
        isa_note=IsaNote(level="v4"),
        rust=resolve_rust_flags(variant, rust.value, rust.value.host).flags,
    )
    delegation = Delegation(
        backend="maturin",
        version="",
        source=rust_cdylib,
        staging=rust_cdylib,
        env={},
        config_settings={},
    )
    made = hand_over(flags, delegation, compilers={"c": cc.value}, build_name="variantbuild-v4")
    for path, text in made.files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    env = {name: value for name, value in os.environ.items() if "RUSTFLAGS" not in name}
    command = ("cargo", "build", "--release", "--offline", "-v")
    done = run(*command, cwd=rust_cdylib, env={**env, **dict(made.env)}).ok()
    script, library = (
        next(line for line in done.stderr.splitlines() if re.search(f"rustc.* {name} ", line))
        for name in ("build.rs", "sum.rs")
    )
    assert "target-cpu" not in script
    assert "target-cpu=x86-64-v4" in library
    assert "from_the_project" in library
    target = rust_cdylib / "build" / "variantbuild-v4" / "cargo" / "x86_64-unknown-linux-gnu"
    (module,) = target.glob("release/libsum.so")
    assert parse_elf(module.read_bytes()).isa_needed == "v4"
