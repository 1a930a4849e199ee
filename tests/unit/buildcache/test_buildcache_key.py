"""The key: a change in any part is a miss; facts that do not affect the build are not in it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from variantbuild.buildcache.key import (
    build_key,
    digest_parts,
    digest_tree,
    identify,
    relevant_variables,
)
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.config.project import Project, load_project
from variantbuild.delegate import route
from variantbuild.frontend.situation import Situation
from variantbuild.plan import BuildPlan
from variantbuild.plan.choice import Choice
from variantbuild.plan.compilation import Compilation
from variantbuild.plan.flags import Flags
from variantbuild.probe.facts import Absent, Compiler, Found, HostFacts, Libc
from variantbuild.variant import Variant

ENV = {"CFLAGS": "-O2", "PATH": "/usr/bin"}
SEEN = [("setuptools", "80"), ("numpy", "2.0")]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BuildPlan:
    monkeypatch.setattr("variantbuild.buildcache.key.describe_system", lambda: "a system")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    (tree / "x.c").write_text("int x;\n", encoding="utf-8")
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\n", encoding="utf-8")
    return plan_of(load_project(tree, None, {}, machine_files=()), compiler, "v3")


def _compiler(path: Path) -> Compiler:
    return Compiler(
        language="c", family="gcc", version="12.2.0", command=(str(path),), target="x86_64"
    )


def plan_of(project: Project, compiler: Path, label: str) -> BuildPlan:
    facts = HostFacts(
        system="linux",
        machine="x86_64",
        cpu=Absent("not asked"),
        libc=Found(Libc(name="glibc", version=(2, 36)), "test"),
        distro=Absent("not asked"),
        compilers=(),
    )
    return BuildPlan(
        project=project,
        delegate=DelegateSpec(backend="setuptools.build_meta", path=(), origin="test"),
        platform="linux-x86_64",
        facts=facts,
        choice=Choice(variant=Variant.parse(label, "x86_64"), reason="test"),
        situation=Situation(kind="pip-sdist", evidence="test"),
        compilation=Compilation(
            flags=Flags(languages=("c",)), compilers=(("c", _compiler(compiler)),), conflicts=()
        ),
    )


def key(plan: BuildPlan) -> str:
    return build_key(plan, ENV, SEEN)


def test_the_same_build_has_the_same_key(plan: BuildPlan, tmp_path: Path) -> None:
    first = key(plan)
    assert key(plan) == first
    assert build_key(plan, ENV, list(reversed(SEEN))) == first
    # Unpacked somewhere else, at another time: the same sdist.
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in plan.project.path.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    moved = replace(plan, project=replace(plan.project, path=copy))
    assert key(moved) == first


def test_source(plan: BuildPlan) -> None:
    first = key(plan)
    source = plan.project.path / "x.c"
    source.write_text("int y;\n", encoding="utf-8")
    second = key(plan)
    source.rename(source.with_name("y.c"))
    third = key(plan)
    (plan.project.path / "more").mkdir()
    (plan.project.path / "more" / "data").write_bytes(b"")
    fourth = key(plan)
    (plan.project.path / "y.c").chmod(0o755)
    assert len({first, second, third, fourth, key(plan)}) == 5


def test_plan(plan: BuildPlan, tmp_path: Path) -> None:
    first = key(plan)
    others = [
        replace(plan, choice=replace(plan.choice, variant=Variant.parse("v2", "x86_64"))),
        replace(plan, platform="linux-aarch64"),
        replace(
            plan,
            compilation=replace(plan.compilation, flags=replace(plan.flags, c=("-O3",))),
        ),
        replace(plan, situation=replace(plan.situation, kind="build")),
        replace(plan, project=replace(plan.project, delegate_settings={"--opt": "1"})),
        replace(
            plan, project=replace(plan.project, config=replace(plan.project.config, distro=True))
        ),
        replace(plan, delegate=replace(plan.delegate, backend="mesonpy")),
        replace(plan, facts=replace(plan.facts, libc=Absent("none"))),
    ]
    keys = {key(other) for other in others}
    assert len(keys) == len(others)
    assert first not in keys


def test_compilers_count_by_their_file_too(plan: BuildPlan, tmp_path: Path) -> None:
    first = key(plan)
    (tmp_path / "cc").write_text("#!/bin/sh\n# another\n", encoding="utf-8")
    second = key(plan)
    (language, compiler), *_ = plan.compilers
    newer = replace(
        plan,
        compilation=replace(
            plan.compilation, compilers=((language, replace(compiler, version="13.1")),)
        ),
    )
    assert len({first, second, key(newer)}) == 3


def test_parts_of_a_compiler_count(plan: BuildPlan, tmp_path: Path) -> None:
    """A compiler that is built here has the version of the one that it replaces."""
    proper = program(tmp_path / "libexec" / "cc1")
    version = tmp_path / "version"
    version.write_text("gcc (Debian 12.2.0-14) 12.2.0\n", encoding="utf-8")
    program(
        tmp_path / "cc",
        f"case $1 in --version) cat {version};; -print-prog-name=cc1) echo {proper};; esac",
    )
    env = {"PATH": "/usr/bin:/bin"}
    keys = [build_key(plan, env, SEEN)]
    program(proper, "# patched")
    keys.append(build_key(plan, env, SEEN))
    version.write_text("gcc (Debian 12.2.0-14+local1) 12.2.0\n", encoding="utf-8")
    keys.append(build_key(plan, env, SEEN))
    assert len(set(keys)) == 3
    assert build_key(plan, env, SEEN) == keys[-1]


def test_what_is_found_on_the_machine_counts(
    plan: BuildPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = tmp_path / "inc" / "x.h"
    header.parent.mkdir()
    header.write_text("#define N 1\n", encoding="utf-8")
    env = {**ENV, "CPATH": str(header.parent)}
    keys = [build_key(plan, env, SEEN)]
    header.write_text("#define N 2\n", encoding="utf-8")
    keys.append(build_key(plan, env, SEEN))
    monkeypatch.setattr("variantbuild.buildcache.key.describe_system", lambda: "another system")
    keys.append(build_key(plan, env, SEEN))
    assert len(set(keys)) == 3


def test_distributions_and_environment(plan: BuildPlan) -> None:
    first = key(plan)
    changed = [
        build_key(plan, ENV, [*SEEN, ("cython", "3")]),
        build_key(plan, ENV, [("setuptools", "81"), ("numpy", "2.0")]),
        build_key(plan, {**ENV, "CFLAGS": "-O3"}, SEEN),
        build_key(plan, {**ENV, "A_PROJECTS_OWN_OPTION": "1"}, SEEN),
        build_key(plan, {**ENV, "PATH": "/opt/other/bin:/usr/bin"}, SEEN),
        build_key(plan, {**ENV, "PYTHONPATH": "/opt/modules"}, SEEN),
    ]
    assert len({first, *changed}) == 7
    same = {**ENV, "TERM": "xterm", "SLURM_JOB_ID": "7", "PIP_BUILD_TRACKER": "/tmp/x"}
    assert build_key(plan, same, SEEN) == first


def test_the_interpreter_counts(plan: BuildPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    first = key(plan)
    monkeypatch.setattr("sys.version", "3.99")
    assert key(plan) != first


def test_path_without_what_front_ends_make() -> None:
    passing = f"{tempfile.gettempdir()}/pip-build-env-1/bin"
    found = relevant_variables({"PATH": f"{passing}:/usr/bin"})
    assert found == {"PATH": "/usr/bin"}


def program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_a_temporary_directory_with_a_compiler_counts(tmp_path: Path) -> None:
    assert str(tmp_path).startswith(tempfile.gettempdir())
    program(tmp_path / "scripts" / "cython")
    toolchain = program(tmp_path / "toolchain" / "x86_64-linux-gnu-gcc").parent
    path = f"{tmp_path / 'scripts'}:{toolchain}:/usr/bin"
    assert relevant_variables({"PATH": path}) == {"PATH": f"{toolchain}:/usr/bin"}


def test_the_tools_on_path_count(plan: BuildPlan, tmp_path: Path) -> None:
    directory = tmp_path / "toolchain"
    env = {"PATH": str(program(directory / "ld").parent)}
    keys = [build_key(plan, env, SEEN)]
    program(directory / "ld", "# another")
    keys.append(build_key(plan, env, SEEN))
    program(directory / "as")
    keys.append(build_key(plan, env, SEEN))
    program(directory / "no-tool-of-compilers")
    assert len(set(keys)) == 3
    assert build_key(plan, env, SEEN) == keys[-1]


def test_a_tool_of_a_distribution_counts_by_that(plan: BuildPlan, tmp_path: Path) -> None:
    keys = set()
    for number in (1, 2):  # the directories of two isolated builds
        directory = program(tmp_path / f"build-env-{number}" / "bin" / "cmake").parent
        keys.add(build_key(plan, {"PATH": f"{directory}:/nowhere"}, SEEN))
    assert len(keys) == 1


def test_what_rustc_says_counts(plan: BuildPlan, tmp_path: Path) -> None:
    # Like rustup's: one program, several compilers, chosen by settings outside of the environment.
    chosen = tmp_path / "chosen"
    directory = program(tmp_path / "cargo" / "rustc", f"cat {chosen}").parent
    env = {"PATH": f"{directory}:/usr/bin:/bin"}
    keys = []
    for version in ("1.85.0", "1.86.0", "1.85.0"):
        chosen.write_text(f"release: {version}\nhost: x86_64-unknown-linux-gnu\n")
        keys.append(build_key(plan, env, SEEN))
    assert keys[0] != keys[1]
    assert keys[0] == keys[2]


def test_links_and_missing_files(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    first = digest_tree(tmp_path)
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("c")
    assert digest_tree(tmp_path) != first
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
    (tmp_path / "directory").symlink_to("x")
    to_x = digest_tree(tmp_path)
    (tmp_path / "directory").unlink()
    (tmp_path / "directory").symlink_to("y")
    assert digest_tree(tmp_path) != to_x
    assert identify(str(tmp_path / "absent")).endswith("missing")
    assert digest_parts({"a": "b", "c": ""}) != digest_parts({"a": "", "c": "b"})


def test_compiler_wrappers_in_the_tree_do_not_count(tmp_path: Path) -> None:
    # The prepare hook of an sdist leaves them there, with the path of the unpacked tree.
    (tmp_path / "m.c").write_text("int x;\n")
    before = digest_tree(tmp_path)
    wrappers = tmp_path / "build" / "variantbuild-v2-0123456789" / route.DIRECTORY_NAME
    wrappers.mkdir(parents=True)
    (wrappers / "gcc").write_text("#!/bin/sh\n")
    assert digest_tree(tmp_path) == before
    (wrappers.parent / "m.o").write_bytes(b"")
    assert digest_tree(tmp_path) != before
