"""The plan of a build: what is decided, what is said, and what its digest depends on."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.config.project import load_project
from variantbuild.errors import ConfigError, ProbeError
from variantbuild.frontend.situation import Situation
from variantbuild.host import Host
from variantbuild.host.local import LocalHost
from variantbuild.plan import BuildPlan, make_plan
from variantbuild.plan.compilation import find_compilers, probed_languages
from variantbuild.plan.flags import Flags, Guard
from variantbuild.probe import probe_host
from variantbuild.probe.facts import (
    Absent,
    Compiler,
    Cpu,
    Fact,
    Failed,
    Found,
    HostFacts,
    Language,
)
from variantbuild.variant import Variant

pytestmark = pytest.mark.usefixtures("fake_compilers")
here = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64",
    reason="the plan is for Linux on x86-64",
)
GCC = Compiler(language="c", family="gcc", version="12.2.0", command=("/usr/bin/gcc",))
V3 = Variant(arch="x86_64", cpu="v3")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with C in it."""
    (tmp_path / "m.c").touch()
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return tmp_path


def planned(
    tree: Path,
    settings: Mapping[str, str | list[str]],
    backend: str = "setuptools.build_meta",
    env: Mapping[str, str] | None = None,
) -> BuildPlan:
    """Plan a build of `tree` with the backend, in the environment of the tests and `env`."""
    project = load_project(tree, dict(settings), {}, machine_files=())
    plain = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "TMPDIR")}
    host = LocalHost(env={**plain, **(env or {})}, source=tree)
    spec = DelegateSpec(backend=backend, path=(), origin="test")
    return make_plan(project, spec, host, Situation(kind="build", evidence="test"))


def facts(**compilers: Fact[Compiler]) -> HostFacts:
    named: dict[str, Language] = {"c": "c", "cxx": "cxx", "fortran": "fortran"}
    nothing = Absent("not asked")
    return HostFacts(
        system="Linux",
        machine="x86_64",
        cpu=nothing,
        libc=nothing,
        distro=nothing,
        compilers=tuple((named[name], fact) for name, fact in compilers.items()),
    )


def test_compilers_that_were_found_are_taken() -> None:
    found = facts(c=Found(GCC, "test"), cxx=Absent("no C++"), fortran=Failed("it crashed"))
    assert find_compilers(found, V3, ("c", "cxx")) == {"c": GCC}
    assert find_compilers(found, V3, ()) == {"c": GCC}


def test_no_compiler_for_sources_that_need_one_is_told_at_once() -> None:
    missing = facts(c=Absent("no C compiler"), cxx=Failed("g++ crashed"), fortran=Absent("no F"))
    with pytest.raises(ProbeError) as caught:
        find_compilers(missing, V3, ("c", "cxx"))
    assert caught.value.message == "no compiler can be used for 'v3': no C compiler; g++ crashed"
    assert "apt install build-essential" in str(caught.value.hint)
    # Sources may be generated, and the baseline needs no flags.
    assert find_compilers(missing, V3, ()) == {}
    assert find_compilers(missing, Variant(arch="x86_64"), ("c", "cxx")) == {}
    other = facts(c=Absent("no C compiler"), cxx=Found(replace(GCC, language="cxx"), "test"))
    with pytest.raises(ProbeError, match="no C compiler"):
        find_compilers(other, V3, ("c",))


def test_fortran_is_looked_for_where_there_is_a_sign_of_it() -> None:
    assert probed_languages((), {}) == ("c", "cxx")
    assert probed_languages(("fortran",), {}) == ("c", "cxx", "fortran")
    assert probed_languages((), {"FC": "ifx"}) == ("c", "cxx", "fortran")


@here
def test_defines_of_overrides_become_settings_of_scikit_build_core(tree: Path) -> None:
    (tree / "pyproject.toml").write_text(
        '[[tool.variantbuild.overrides]]\nif.cpu = "v3"\n'
        'cmake.define.A = true\ncmake.define.B = "b"\ncmake.define.C = "c"\n',
        encoding="utf-8",
    )
    users = {"variantbuild.cpu": "v3", "cmake.define.B": "x", "skbuild.cmake.define.C": "y"}
    plan = planned(tree, users, "scikit_build_core.build")
    assert plan.project.delegate_settings == {
        "cmake.define.A": "ON",
        "cmake.define.B": "x",
        "skbuild.cmake.define.C": "y",
    }
    with pytest.raises(ConfigError, match="cmake.define A, B, C in overrides cannot reach"):
        planned(tree, users)
    assert planned(tree, {"variantbuild.cpu": "v2"}).project.delegate_settings == {}


@here
def test_what_is_said_before_the_build(tree: Path) -> None:
    env = {"CFLAGS": "-march=x86-64-v2"}
    plan = planned(tree, {"variantbuild.cpu": "v3", "cpu": "v2"}, env=env)
    assert (
        plan.messages[0] == "the config-setting cpu goes to the delegate; ours is variantbuild.cpu"
    )
    assert plan.messages[1].startswith("`-march=x86-64-v2` in CFLAGS contradicts the target v3")
    assert planned(tree, {"variantbuild.cpu": "v3"}).messages == ()
    named = planned(tree, {"variantbuild.cpu": "haswell"})
    assert named.messages[-1].startswith("unguarded: the loader knows the levels")
    assert planned(tree, {"variantbuild.cpu": "none"}).messages == ()


@here
def test_the_baseline_is_not_called_unguarded(tree: Path) -> None:
    plan = planned(tree, {"variantbuild.cpu": "none"})
    flags = replace(plan.flags, guard=Guard(unguarded="for a reason"))
    assert replace(plan, compilation=replace(plan.compilation, flags=flags)).messages == ()


@here
def test_digest_is_of_all_that_the_wheel_depends_on(tree: Path) -> None:
    plan = planned(tree, {"variantbuild.cpu": "v3"})
    assert planned(tree, {"variantbuild.cpu": "v3"}).digest == plan.digest
    others = [
        planned(tree, {"variantbuild.cpu": "v2"}),
        planned(tree, {"variantbuild.cpu": "v3", "variantbuild.flags.c": "-O3"}),
        planned(tree, {"variantbuild.cpu": "v3", "variantbuild.audit": "warn"}),
        planned(tree, {"variantbuild.cpu": "v3", "own": "x"}),
        planned(tree, {"variantbuild.cpu": "v3"}, "mesonpy"),
        replace(plan, platform="linux-aarch64"),
        replace(plan, naming=replace(plan.naming, local=False)),
        replace(plan, compilation=replace(plan.compilation, compilers=())),
    ]
    digests = {each.digest for each in others}
    assert len(digests) == len(others)
    assert plan.digest not in digests


@here
@pytest.mark.parametrize(
    ("sources", "tried"),
    [((), ("c",)), (("m.c",), ("c",)), (("m.cpp",), ("cxx",)), (("m.c", "m.cc"), ("c", "cxx"))],
)
def test_languages_that_the_tree_shows_are_tried(
    sources: tuple[str, ...],
    tried: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[str, ...]] = []

    def try_flags(host: object, flags: Flags, compilers: object, folder: Path) -> Flags:
        assert folder.is_dir()
        seen.append(flags.languages)
        return flags

    monkeypatch.setattr("variantbuild.plan.flags.trial.try_flags", try_flags)
    for name in ("pyproject.toml", *sources):
        (tmp_path / name).touch()
    assert planned(tmp_path, {"variantbuild.cpu": "v3"}).flags.languages == ("c", "cxx")
    assert planned(tmp_path, {"variantbuild.cpu": "none"}).flags.c == ()
    assert seen == [tried]


@pytest.fixture
def rustc(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program that answers as rustc does."""
    folder = tmp_path_factory.mktemp("rust")
    program = folder / "rustc"
    program.write_text(
        "#!/bin/sh\n"
        'echo "rustc 1.95.0 (59807616e 2026-04-14)"; echo "release: 1.95.0"\n'
        'echo "host: x86_64-unknown-linux-gnu"; echo "LLVM version: 22.1.2"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return folder


@here
def test_rust_is_told_where_there_is_a_crate(tree: Path, rustc: Path) -> None:
    env = {"PATH": f"{rustc}{os.pathsep}{os.environ['PATH']}"}
    v3, none = {"variantbuild.cpu": "v3"}, {"variantbuild.cpu": "none"}
    assert planned(tree, v3, env=env).flags.rust is None
    (tree / "Cargo.toml").touch()
    plan = planned(tree, v3, env=env)
    assert plan.flags.rust is not None
    assert plan.flags.rust.target == "x86_64-unknown-linux-gnu"
    assert plan.flags.rust.compile == ("-C", "target-cpu=x86-64-v3")
    assert plan.messages == ()
    assert planned(tree, none, env=env).flags.rust is None
    other = planned(tree, v3, env={**env, "CARGO_BUILD_TARGET": "aarch64-unknown-linux-gnu"})
    assert other.messages == ("rustc compiles for aarch64-unknown-linux-gnu, not for x86_64",)
    (rustc / "rustc").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    assert planned(tree, v3, env=env).flags.rust is None


@here
def test_unknown_c_library_is_no_reason_against_the_guard(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(host: Host, languages: tuple[Language, ...], *, search: str) -> HostFacts:
        del search
        return replace(probe_host(host, languages), libc=Absent("not told"))

    monkeypatch.setattr("variantbuild.plan.probe_host", probe)
    assert planned(tree, {"variantbuild.cpu": "v3"}).flags.guard == Guard(level="v3")


@here
def test_exact_processor_is_looked_for_where_it_is_asked(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def probe(host: Host, cpu: Cpu) -> Fact[str]:
        asked.append(cpu.family)
        return Found("haswell", "test")

    monkeypatch.setattr("variantbuild.probe.cpu.probe_microarchitecture", probe)
    assert planned(tree, {"variantbuild.cpu": "v3"}).variant.cpu == "v3"
    assert asked == []
    assert planned(tree, {"variantbuild.cpu": "native"}).variant.cpu == "haswell"
    assert asked == ["x86_64"]
