"""Rust: what rustc reports, the flags for it, and how cargo gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hosts.recorded import RecordedHost
from variantbuild.config.project import Project, load_project
from variantbuild.delegate.handover import hand_over
from variantbuild.delegate.handover.delegation import Delegation, Handover
from variantbuild.errors import FlagsError
from variantbuild.host import Completed
from variantbuild.plan.flags import Flags, IsaNote
from variantbuild.plan.flags.rustflags import RustChoice, RustFlags, resolve_rust_flags
from variantbuild.plan.languages import holds_rust
from variantbuild.probe.facts import Absent, Compiler, Failed, Found, Rust
from variantbuild.probe.rustc import probe_rust
from variantbuild.variant import Variant

LINUX = "x86_64-unknown-linux-gnu"
RUST = Rust(version="1.95.0", host=LINUX, llvm="22.1.2")
#: `rustc -vV` of the rustup toolchain 1.95.0.
VERBOSE = f"""rustc 1.95.0 (59807616e 2026-04-14)
binary: rustc
commit-hash: 59807616e1fa2540724bfbac14d7976d7e4a3860
commit-date: 2026-04-14
host: {LINUX}
release: 1.95.0
LLVM version: 22.1.2
"""
FLAGS = Flags(
    languages=("c",),
    c=("-march=x86-64-v3",),
    isa_note=IsaNote(level="v3"),
    rust=RustFlags(
        target=LINUX, compile=("-C", "target-cpu=x86-64-v3"), link=("-C", "linker-features=-lld")
    ),
)
VARIABLE = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS"


def answered(status: int = 0, stdout: str = VERBOSE) -> Completed:
    return Completed(argv=("rustc", "-vV"), status=status, stdout=stdout, stderr="")


def rustc_host(answer: Completed) -> RecordedHost:
    host = RecordedHost(env={"PATH": "/usr/bin"})
    return host.with_program("/usr/bin/rustc", {("-vV",): answer})


def handed(
    env: Mapping[str, str] | None = None, flags: Flags = FLAGS, source: str = "/src/crate"
) -> Handover:
    return hand_over(
        flags,
        Delegation(
            backend="maturin",
            version="1.9",
            source=Path(source),
            staging=Path("/tmp/private"),
            env=env or {},
            config_settings={},
        ),
        compilers={"c": Compiler(language="c", family="gcc", version="14", command=("/cc",))},
        build_name="variantbuild-v3-0123456789",
    )


def test_probe() -> None:
    assert probe_rust(rustc_host(answered())) == Found(RUST, "/usr/bin/rustc -vV")


def test_probe_takes_the_users_rustc() -> None:
    host = RecordedHost().with_program("/opt/my-rustc", {("-vV",): answered()})
    assert isinstance(probe_rust(host), Absent)
    assert isinstance(probe_rust(host.with_env(RUSTC="/opt/my-rustc")), Found)


@pytest.mark.parametrize("answer", [answered(1), answered(stdout="rustc 1.0\n")])
def test_probe_fails_in_words(answer: Completed) -> None:
    fact = probe_rust(rustc_host(answer))
    assert isinstance(fact, Failed)
    assert "/usr/bin/rustc -vV" in fact.error


@pytest.mark.parametrize(
    ("arch", "cpu", "name"),
    [
        ("x86_64", "v1", "x86-64"),
        ("x86_64", "v4", "x86-64-v4"),
        ("x86_64", "zen4", "znver4"),
        ("aarch64", "neoverse_v2", "neoverse-v2"),
    ],
)
def test_names_of_processors(arch: str, cpu: str, name: str) -> None:
    target = f"{arch}-unknown-linux-gnu"
    made = resolve_rust_flags(Variant(arch=arch, cpu=cpu), RUST, target)
    assert made.flags.compile == ("-C", f"target-cpu={name}")
    assert not made.note


def test_lld_makes_way_for_the_note_only_where_it_is_the_default() -> None:
    variant = Variant(arch="x86_64", cpu="v3")
    assert resolve_rust_flags(variant, RUST, LINUX).flags.link == ("-C", "linker-features=-lld")
    assert resolve_rust_flags(variant, replace(RUST, version="1.90.0"), LINUX).flags.link
    assert not resolve_rust_flags(variant, replace(RUST, version="1.89.0"), LINUX).flags.link
    assert not resolve_rust_flags(variant, RUST, "x86_64-unknown-linux-musl").flags.link


def test_another_architecture_is_told() -> None:
    variant = Variant(arch="x86_64", cpu="v3")
    made = resolve_rust_flags(variant, RUST, "aarch64-unknown-linux-gnu")
    assert not made.flags.compile
    assert "aarch64-unknown-linux-gnu" in made.note


@pytest.mark.parametrize("level", ["armv8.2a", "armv8.7a", "armv9.6a"])
def test_a_generic_arm_level_has_no_name(level: str) -> None:
    variant = Variant(arch="aarch64", cpu=level)
    made = resolve_rust_flags(variant, RUST, "aarch64-unknown-linux-gnu")
    assert not made.flags.compile
    assert repr(level) in made.note


def test_the_arm_baseline_needs_no_name() -> None:
    variant = Variant(arch="aarch64", cpu="armv8a")
    made = resolve_rust_flags(variant, RUST, "aarch64-unknown-linux-gnu")
    assert made == RustChoice(flags=RustFlags(target="aarch64-unknown-linux-gnu"))


def test_no_processor_means_no_flags() -> None:
    made = resolve_rust_flags(Variant(arch="x86_64"), RUST, LINUX)
    assert made == RustChoice(flags=RustFlags(target=LINUX))
    other = resolve_rust_flags(Variant(arch="x86_64"), RUST, "aarch64-unknown-linux-gnu")
    assert other == RustChoice(flags=RustFlags(target="aarch64-unknown-linux-gnu"))


def test_levels_need_no_version_of_llvm() -> None:
    unknown = replace(RUST, llvm="")
    for level, name in (("v1", "x86-64"), ("v2", "x86-64-v2"), ("v3", "x86-64-v3")):
        made = resolve_rust_flags(Variant(arch="x86_64", cpu=level), unknown, LINUX)
        assert (made.flags.compile, made.note) == (("-C", f"target-cpu={name}"), "")
    with pytest.raises(FlagsError, match="LLVM unknown"):
        resolve_rust_flags(Variant(arch="x86_64", cpu="zen4"), unknown, LINUX)


def test_an_old_llvm_is_refused_by_name() -> None:
    old = Rust(version="1.50.0", host=LINUX, llvm="9.0.0")
    with pytest.raises(FlagsError, match=r"rustc 1\.50\.0 \(LLVM 9\.0\.0\).*'zen4'"):
        resolve_rust_flags(Variant(arch="x86_64", cpu="zen4"), old, LINUX)


def test_cargo_gets_flags_and_note() -> None:
    made = handed()
    env = dict(made.env)
    specs = "/src/crate/build/variantbuild-v3-0123456789/variantbuild-isa-note.specs"
    assert env[VARIABLE] == (
        f"-C target-cpu=x86-64-v3 -C linker-features=-lld -C link-arg=-specs={specs}"
    )
    assert env["CARGO_BUILD_TARGET"] == LINUX
    assert "-march=x86-64-v3" in env["CFLAGS"]
    assert Path(specs) in dict(made.files)


def test_the_users_rustflags_stay_in_front() -> None:
    env = dict(handed({"RUSTFLAGS": "-C debuginfo=1"}).env)
    assert env["RUSTFLAGS"].startswith("-C debuginfo=1 -C target-cpu=x86-64-v3 ")
    assert VARIABLE not in env
    env = dict(handed({"CARGO_ENCODED_RUSTFLAGS": "-Cfoo=a b"}).env)
    assert env["CARGO_ENCODED_RUSTFLAGS"].split("\x1f")[:3] == [
        "-Cfoo=a b",
        "-C",
        "target-cpu=x86-64-v3",
    ]


@pytest.mark.parametrize(
    ("env", "source"),
    [
        ({"CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER": "mold"}, "/src/crate"),
        ({}, "/src/my crate"),
    ],
)
def test_no_note_where_it_cannot_be_handed_over(env: dict[str, str], source: str) -> None:
    assert dict(handed(env, source=source).env)[VARIABLE] == "-C target-cpu=x86-64-v3"


@pytest.mark.parametrize(
    ("rust", "expected"), [(None, []), (RustFlags(target=LINUX), ["CARGO_TARGET_DIR"])]
)
def test_only_a_target_directory_without_flags_for_rust(
    rust: RustFlags | None, expected: list[str]
) -> None:
    env = dict(handed(flags=replace(FLAGS, rust=rust)).env)
    assert [name for name in env if "CARGO" in name or "RUST" in name] == expected


def project(directory: Path, text: str = "") -> Project:
    directory.mkdir(exist_ok=True)
    (directory / "pyproject.toml").write_text(text, encoding="utf-8")
    return load_project(directory, None, {}, machine_files=())


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("Cargo.toml", True),
        ("src/rust/Cargo.toml", True),
        ("a/b/c/d/Cargo.toml", True),
        (".venv/Cargo.toml", False),
        ("build/x/Cargo.toml", False),
    ],
)
def test_where_cargo_toml_is_looked_for(tmp_path: Path, place: str, found: bool) -> None:
    assert not holds_rust(project(tmp_path))
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).touch()
    assert holds_rust(project(tmp_path)) is found


def test_a_crate_outside_the_tree(tmp_path: Path) -> None:
    text = '[tool.maturin]\nmanifest-path = "../rs/Cargo.toml"\n'
    assert not holds_rust(project(tmp_path / "py", text))
    (tmp_path / "rs").mkdir()
    (tmp_path / "rs" / "Cargo.toml").touch()
    assert holds_rust(project(tmp_path / "py", text))
    text = '[[tool.setuptools-rust.ext-modules]]\npath = "../rs/Cargo.toml"\n'
    assert holds_rust(project(tmp_path / "py", text))
