"""The plan of a build: decisions, messages, and the trial."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from binaries.elves import elf, isa_note
from hosts.recorded import RecordedHost
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.config.project import load_project
from variantbuild.errors import ConfigError, FlagsError, ProbeError
from variantbuild.frontend.situation import Situation
from variantbuild.host import Completed, ScratchRun
from variantbuild.plan import BuildPlan, make_plan, plan_build, try_plan
from variantbuild.plan.compilation import find_compilers, probed_languages
from variantbuild.plan.flags import IsaNote
from variantbuild.probe.facts import Absent, Compiler, Fact, Failed, Found, HostFacts, Language
from variantbuild.variant import Variant

GCC = Compiler(language="c", family="gcc", version="12.2.0", command=("/usr/bin/gcc",))
V3 = Variant(arch="x86_64", cpu="v3")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with C in it."""
    (tmp_path / "m.c").touch()
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    return tmp_path


def machine(name: str = "zen4", **env: str) -> RecordedHost:
    """A recorded machine with a C library that reads the ISA note."""
    strings = {"CS_GNU_LIBC_VERSION": "glibc 2.36"}
    return replace(RecordedHost.load(name), strings=strings).with_env(**env)


def planned(
    tree: Path,
    settings: Mapping[str, str | list[str]],
    backend: str = "setuptools.build_meta",
    host: RecordedHost | None = None,
) -> BuildPlan:
    """Plan a build of `tree` with the backend on a recorded machine."""
    project = load_project(tree, dict(settings), {}, machine_files=())
    spec = DelegateSpec(backend=backend, path=(), origin="test")
    return make_plan(project, spec, host or machine(), Situation(kind="build", evidence="test"))


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
    assert caught.value.message == "no usable compiler for 'v3': no C compiler; g++ crashed"
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


def test_what_is_said_before_the_build(tree: Path) -> None:
    host = machine(CFLAGS="-march=x86-64-v2")
    plan = planned(tree, {"variantbuild.cpu": "v3", "cpu": "v2"}, host=host)
    assert (
        plan.messages[0]
        == "the config-setting cpu is passed to the delegate; ours is variantbuild.cpu"
    )
    assert plan.messages[1].startswith("`-march=x86-64-v2` in CFLAGS contradicts the target v3")
    assert planned(tree, {"variantbuild.cpu": "v3"}).messages == ()
    assert planned(tree, {"variantbuild.cpu": "haswell"}).messages == ()
    named = planned(tree, {"variantbuild.cpu": "sandybridge"})
    assert named.messages[-1].startswith("the wheel is not protected: the ISA note of a module for")
    assert planned(tree, {"variantbuild.cpu": "none"}).messages == ()


def test_the_baseline_is_not_called_unprotected(tree: Path) -> None:
    plan = planned(tree, {"variantbuild.cpu": "none"})
    flags = replace(plan.flags, isa_note=IsaNote(unprotected="for a reason"))
    assert replace(plan, compilation=replace(plan.compilation, flags=flags)).messages == ()


@pytest.mark.parametrize(
    ("sources", "tried"),
    [
        ((), ("c",)),
        (("m.c",), ("c",)),
        (("m.cpp",), ("cxx",)),
        (("m.c", "m.cc"), ("c", "cxx")),
    ],
)
def test_languages_of_the_tree_are_tried(
    sources: tuple[str, ...], tried: tuple[str, ...], tmp_path: Path
) -> None:
    for name in ("pyproject.toml", *sources):
        (tmp_path / name).touch()
    plan = planned(tmp_path, {"variantbuild.cpu": "v3"})
    assert plan.flags.languages == ("c", "cxx")
    assert plan.compilation.tried == tried
    without = planned(tmp_path, {"variantbuild.cpu": "none"})
    assert without.flags.c == ()
    assert without.compilation.tried == ()
    assert try_plan(without, machine()).commands == ()


def links_with_note(level: int | None) -> Callable[[tuple[str, ...]], ScratchRun]:
    """A compiler that writes a module with the ISA note of `level`; None leaves the note out."""
    output = elf(note=b"" if level is None else isa_note(level))

    def compiles(argv: tuple[str, ...]) -> ScratchRun:
        done = Completed(argv=argv, status=0, stdout="", stderr="")
        return ScratchRun(done=done, output=output)

    return compiles


def test_planning_compiles_nothing(tree: Path) -> None:
    host = machine()
    plan = planned(tree, {"variantbuild.cpu": "v3"}, host=host)
    assert plan.trial is None
    assert [argv for argv in host.calls if "-c" in argv or "-shared" in argv] == []


def test_trial_runs_once_and_decides_the_names(tree: Path) -> None:
    project = load_project(tree, {"variantbuild.cpu": "v3"}, {}, machine_files=())
    spec = DelegateSpec(backend="setuptools.build_meta", path=(), origin="test")
    situation = Situation(kind="pip-tree", evidence="test")
    forms = []
    for level, noted in ((4, "v3"), (None, None)):
        host = replace(machine(), scratch=links_with_note(level))
        plan = plan_build(project, spec, host, situation)
        assert plan.trial is not None
        assert plan.flags.isa_note.level == noted
        assert [argv for argv in host.calls if "-shared" in argv] == list(plan.trial.commands)
        assert len(plan.trial.commands) == 1
        forms.append(plan.naming.form)
    assert forms == ["set", "hybrid"]


def test_plan_that_a_compiler_rejects_is_not_settled(tree: Path) -> None:
    plan = planned(tree, {"variantbuild.cpu": "v3"})
    trial = try_plan(plan, machine())  # the recorded gcc answers no compilation
    assert trial.error is not None
    with pytest.raises(FlagsError, match="does not compile a probe with"):
        plan.settled(trial)


RUSTC = (
    "rustc 1.95.0 (59807616e 2026-04-14)\nrelease: 1.95.0\n"
    "host: x86_64-unknown-linux-gnu\nLLVM version: 22.1.2\n"
)


def test_rust_is_told_where_there_is_a_crate(tree: Path) -> None:
    answer = Completed(argv=(), status=0, stdout=RUSTC, stderr="")
    host = machine().with_program("/usr/bin/rustc", {("-vV",): answer})
    v3, none = {"variantbuild.cpu": "v3"}, {"variantbuild.cpu": "none"}
    assert planned(tree, v3, host=host).flags.rust is None
    (tree / "Cargo.toml").touch()
    plan = planned(tree, v3, host=host)
    assert plan.flags.rust is not None
    assert plan.flags.rust.target == "x86_64-unknown-linux-gnu"
    assert plan.flags.rust.compile == ("-C", "target-cpu=x86-64-v3")
    assert plan.messages == ()
    assert planned(tree, none, host=host).flags.rust is None
    other = host.with_env(CARGO_BUILD_TARGET="aarch64-unknown-linux-gnu")
    assert planned(tree, v3, host=other).messages == (
        "rustc compiles for aarch64-unknown-linux-gnu, not for x86_64",
    )
    broken = machine().with_program("/usr/bin/rustc", {})
    assert planned(tree, v3, host=broken).flags.rust is None


def test_unknown_c_library_is_no_reason_against_the_note(tree: Path) -> None:
    host = replace(machine(), strings={})
    assert planned(tree, {"variantbuild.cpu": "v3"}, host=host).flags.isa_note == IsaNote(
        level="v3"
    )


def test_exact_processor_is_looked_for_where_it_is_asked(tree: Path) -> None:
    host = machine()
    for name in ("gcc", "g++"):
        host = host.with_compiler(f"/usr/bin/{name}", "gcc-13.3.0")
    assert planned(tree, {"variantbuild.cpu": "v3"}, host=host).variant.cpu == "v3"
    assert planned(tree, {"variantbuild.cpu": "native"}, host=host).variant.cpu == "zen4"
