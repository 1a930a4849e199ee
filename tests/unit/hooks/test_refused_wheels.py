"""A refused wheel is kept, and the same build under another policy continues from it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import stat
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from binaries.elves import elf
from canned import Tree, enter, module
from variantbuild.buildcache import refused
from variantbuild.buildcache.store import Store
from variantbuild.cli import main
from variantbuild.config.delegatespec import DelegateSpec, resolve_delegate
from variantbuild.config.project import load_project
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.run import Built, run_build_hook
from variantbuild.errors import AuditError, VariantBuildError, WheelError
from variantbuild.frontend.situation import Situation
from variantbuild.hooks import produce
from variantbuild.host.local import LocalHost
from variantbuild.plan import BuildPlan, make_plan
from variantbuild.stamp.sbom import parse_provenance

pytestmark = [
    pytest.mark.usefixtures("fake_compilers"),
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64",
        reason="the plan is for Linux on x86-64",
    ),
]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A source tree whose backend hands out a wheel that needs v4."""
    made = Tree(tmp_path / "tree")
    enter(made, monkeypatch, tmp_path / "home")
    # An editable distribution counts by the files of its tree, which may change during a test.
    monkeypatch.setattr(refused, "visible_distributions", list)
    made.hand_out(module("v4"))
    return made


def build(tree: Tree, directory: Path | None = None, **settings: str) -> Path:
    """Build `directory`, the tree itself by default, for v3; return the published wheel."""
    plan, spec = planned(directory or tree.directory, **settings)
    return produce.produce_wheel(plan, tree.load(spec), tree.out)


def planned(directory: Path, **settings: str) -> tuple[BuildPlan, DelegateSpec]:
    given = {"cpu": "v3", **settings}
    ours = {f"variantbuild.{key.replace('_', '-')}": value for key, value in given.items()}
    project = load_project(directory, ours, os.environ, machine_files=())
    spec = resolve_delegate(project)
    host = LocalHost(env=os.environ, source=directory)
    return make_plan(project, spec, host, Situation(kind="build", evidence="test")), spec


def refusal(tree: Tree, directory: Path | None = None, **settings: str) -> VariantBuildError:
    with pytest.raises(VariantBuildError) as caught:
        build(tree, directory, **settings)
    return caught.value


def kept(error: VariantBuildError) -> Path:
    """Return the path that the hint of a refusal names."""
    found = re.search("the built wheel is kept: (.+)", error.hint or "")
    assert found is not None, error.hint
    return Path(found[1])


def builds(tree: Tree) -> int:
    return tree.calls.count("build_wheel")


def test_the_wheel_is_kept_whole_and_named(tree: Tree) -> None:
    error = refusal(tree)
    assert isinstance(error, AuditError)
    assert error.exit_code == 1
    (canned,) = (tree.directory / "canned").iterdir()
    assert kept(error).read_bytes() == canned.read_bytes()
    assert "variantbuild stamp" in str(error.hint)
    assert "appended after ours" in str(error.hint)  # the hint of the audit itself comes first
    assert tree.made == []


def test_another_policy_goes_on_without_compiling(tree: Tree) -> None:
    path = kept(refusal(tree))
    made = build(tree, audit="warn")
    assert builds(tree) == 1
    assert made.name == "demo-1.0-py3-none-linux_x86_64.whl"
    (said,) = [each for each in tree.reporter.warnings if "nothing is compiled" in each]
    assert str(path) in said
    # The build has succeeded: nothing is kept of it.
    assert not path.exists()


def test_an_exempt_file_goes_on_without_compiling(tree: Tree) -> None:
    tree.hand_out(module("v3"), elf(machine=40))
    error = refusal(tree)
    assert error.hint is not None
    assert 'audit-exclude = ["m1.so"]' in error.hint
    made = build(tree, audit_exclude="m1.*")
    assert builds(tree) == 1
    with zipfile.ZipFile(made) as archive:
        (record,) = [each for each in archive.namelist() if each.endswith(".cdx.json")]
        assert b"variantbuild:audited:exempt:demo/m1.so" in archive.read(record)


@pytest.mark.parametrize(("cpu", "audit"), [("v3", "error"), ("none", "error"), ("v3", "warn")])
def test_firmware_in_a_wheel_for_any_platform(tree: Tree, cpu: str, audit: str) -> None:
    """It gets no stamp, but a record of what it contains on purpose, so that it verifies."""
    tree.hand_out(elf(machine=40), tag="py3-none-any")
    if (cpu, audit) == ("v3", "error"):
        error = refusal(tree)
        assert "is tagged `any`, but contains machine code: demo/m0.so" in error.message
        assert error.hint is not None
        assert 'audit-exclude = ["m0.so"]' in error.hint
    made = build(tree, audit_exclude="m0.so", cpu=cpu, audit=audit)
    assert made.name == "demo-1.0-py3-none-any.whl"
    assert main(["verify", str(made)]) == 0
    assert not [text for text in tree.reporter.warnings if "m0.so" in text]


def test_an_exemption_without_effect_is_told(tree: Tree) -> None:
    tree.hand_out(module("v3"))
    build(tree, audit_exclude="*.elf")
    text = "audit-exclude '*.elf' matches no file that is code for another machine"
    assert text in tree.reporter.notes


def test_replaced_options_are_recorded_in_the_wheel_that_goes_on(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.hand_out(module("v3"), elf(machine=40))

    def replacing(
        plan: BuildPlan, delegate: Delegate, hook: str, directory: Path, *, own_tree: bool
    ) -> Built:
        assert not own_tree
        built = run_build_hook(plan, delegate, hook, directory)
        return replace(built, replaced=("-march=native",))

    monkeypatch.setattr(produce, "run_build_hook", replacing)
    refusal(tree)
    made = build(tree, audit_exclude="m1.*")
    assert builds(tree) == 1
    with zipfile.ZipFile(made) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".cdx.json")]
        properties = parse_provenance(archive.read(name))
    assert properties["variantbuild:declared:replaced"] == "-march=native"


def test_the_same_policy_compiles_again(tree: Tree) -> None:
    refusal(tree)
    refusal(tree)
    assert builds(tree) == 2


def test_a_copy_of_the_tree_goes_on_too(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip unpacks an sdist to another temporary directory each time."""
    refusal(tree)
    copy = tree.directory.parent / "copy"
    shutil.copytree(tree.directory, copy)
    monkeypatch.chdir(copy)
    build(tree, copy, audit="warn")
    assert builds(tree) == 1


@pytest.mark.parametrize("change", ["edit", "add", "remove", "setting", "variable", "mode"])
def test_a_change_compiles_again(tree: Tree, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tree.directory / "src" / "m.c"
    source.write_text("int a;")
    refusal(tree)
    settings: dict[str, str] = {}
    match change:
        case "edit":
            source.write_text("int b;")
        case "add":
            source.with_name("n.c").touch()
        case "remove":
            source.unlink()
        case "mode":
            source.chmod(0o755)
        case "setting":
            settings["fp_contract"] = "off"
        case "variable":
            monkeypatch.setenv("LDFLAGS", "-Wl,-O1")
    build(tree, None, audit="warn", **settings)
    assert builds(tree) == 2


def files_of(tree: Tree) -> list[Path]:
    """Return what is in the tree, without the bytecode that Python may write."""
    return sorted(path for path in tree.directory.rglob("*") if "__pycache__" not in path.parts)


@pytest.mark.parametrize("made", ["build/x.o", "demo.egg-info/PKG-INFO", ".cache/x", "dist/x.whl"])
def test_output_of_builds_is_no_change(tree: Tree, made: str) -> None:
    before = files_of(tree)
    refusal(tree)
    assert files_of(tree) == before  # the wheel is kept in the user's cache
    (tree.directory / made).parent.mkdir()
    (tree.directory / made).touch()
    build(tree, audit="warn")
    assert builds(tree) == 1


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFSOCK], ids=["pipe", "socket"])
def test_what_is_no_file_is_not_read(tree: Tree, kind: int) -> None:
    """A pipe would block, and a socket cannot be opened."""
    os.mknod(tree.directory / "src" / "ipc", kind | 0o600)
    refusal(tree)
    build(tree, audit="warn")
    assert builds(tree) == 1


def test_a_file_that_vanishes_does_not_move_the_wheel_into_the_tree(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def vanished(tree: Path, names: object) -> str:
        raise FileNotFoundError(2, "No such file or directory", str(tree / "gone"))

    monkeypatch.setattr(refused, "digest_sources", vanished)
    error = refusal(tree)
    assert kept(error).is_relative_to(tmp_path / "home")
    assert "without compiling" not in str(error.hint)


def test_a_project_that_reads_files_outside_its_tree_compiles_again(tree: Tree) -> None:
    (tree.directory / "CMakeLists.txt").write_text("add_subdirectory(../shared)")
    error = refusal(tree)
    assert kept(error).is_file()
    assert "without compiling" not in str(error.hint)
    build(tree, audit="warn")
    assert builds(tree) == 2


def test_a_damaged_copy_is_not_used(tree: Tree) -> None:
    path = kept(refusal(tree))
    path.write_bytes(path.read_bytes()[:-1])
    build(tree, audit="warn")
    assert builds(tree) == 2


def test_a_damaged_record_does_not_hide_another_wheel(tree: Tree) -> None:
    entry = kept(refusal(tree)).parent
    damaged = entry.with_name(f"{entry.name.partition('-')[0]}-")  # comes first
    damaged.mkdir()
    (damaged / "entry.json").write_text("{", encoding="utf-8")
    build(tree, audit="warn")
    assert builds(tree) == 1


def test_a_refused_name_keeps_the_wheel(tree: Tree) -> None:
    tree.hand_out(module("v3"), version="1.0+v2")
    error = refusal(tree)
    assert isinstance(error, WheelError)
    assert kept(error).is_file()


def test_without_a_cache_directory_it_is_kept_in_the_tree(
    tree: Tree, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    caught = refusal(tree)
    path = kept(caught)
    assert path.is_relative_to(tree.directory / "build" / "variantbuild-refused")
    assert "it is not in the cache directory: " in str(caught.hint)
    build(tree, audit="warn")
    assert builds(tree) == 1


def test_old_ones_are_removed(tree: Tree) -> None:
    old = kept(refusal(tree))
    os.utime(old.parent, (0, 0))
    (tree.directory / "src" / "m.c").touch()
    refusal(tree, fp_contract="off")
    assert not old.exists()


def test_the_newest_is_kept_over_the_limit(tree: Tree, tmp_path: Path) -> None:
    store = Store(directory=tmp_path / "small", limit=1)
    (wheel,) = (tree.directory / "canned").iterdir()
    error = AuditError("refused")
    attempts = [
        refused.begin_attempt(planned(tree.directory, fp_contract=each)[0], os.environ, (store,))
        for each in ("default", "off")
    ]
    first, second = (kept(each.keep(wheel, error)) for each in attempts)
    assert not first.exists()
    assert second.exists()
