"""From the delegate's wheel to the published one: audited, stamped, or neither."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from binaries.elves import command_lines, elf, isa_note
from canned import POPCNT, Tree, enter, header, module
from variantbuild.config.delegatespec import resolve_delegate
from variantbuild.config.project import load_project
from variantbuild.delegate.backend import Delegate
from variantbuild.errors import AuditError, ConfigError, DelegateError, WheelError
from variantbuild.frontend.situation import Situation, SituationKind
from variantbuild.hooks import approval, produce
from variantbuild.hooks.prepared import unpack_metadata
from variantbuild.host.local import LocalHost
from variantbuild.plan import BuildPlan, make_plan
from variantbuild.plan.flags.rustflags import RustFlags
from variantbuild.stamp.sbom import parse_provenance

pytestmark = [
    pytest.mark.usefixtures("fake_compilers"),
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64",
        reason="the plan is for Linux on x86-64",
    ),
]

PLAIN = "demo-1.0-py3-none-linux_x86_64.whl"
STAMPED = "demo-1.0+v3-py3-none-linux_x86_64.linux_x86_64_v3.whl"
RECORD = "demo-1.0+v3.dist-info/sboms/variantbuild.cdx.json"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A source tree whose backend hands out a wheel for v3."""
    made = Tree(tmp_path / "tree")
    enter(made, monkeypatch, tmp_path / "home")
    return made


def plan_of(
    tree: Tree, kind: SituationKind = "build", **settings: str
) -> tuple[BuildPlan, Delegate]:
    """Plan a build of `tree` for v3, or as `settings` say."""
    given = {"cpu": "v3", **settings}
    ours = {f"variantbuild.{key.replace('_', '-')}": value for key, value in given.items()}
    project = load_project(tree.directory, ours, os.environ, machine_files=())
    delegate = tree.load(resolve_delegate(project))
    host = LocalHost(env=os.environ, source=tree.directory)
    situation = Situation(kind=kind, evidence="test")
    return make_plan(project, delegate.spec, host, situation), delegate


def produced(tree: Tree, kind: SituationKind = "build", **settings: str) -> str:
    """Build, and return the name of the one file that was published."""
    plan, delegate = plan_of(tree, kind, **settings)
    path = produce.produce_wheel(plan, delegate, tree.out)
    assert tree.made == [path.name]
    return path.name


def test_stamp_has_a_record_of_the_build(tree: Tree) -> None:
    assert produced(tree) == STAMPED
    assert tree.reporter.notes[0].startswith("building for v3: cpu is v3")
    with zipfile.ZipFile(tree.out / STAMPED) as archive:
        record = json.loads(archive.read(RECORD))
    assert record["metadata"]["component"]["version"] == "1.0+v3"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("-ffp-contract=off", "-ffp-contract=off", ""),
        ("-ffp-contract=off", "", "a recorded command line has no -ffp-contract"),
        (
            "-ffp-contract=off",
            "-ffp-contract=fast",
            "a recorded command line has -ffp-contract=fast",
        ),
        ("", "", "a recorded command line has no -ffp-contract"),
    ],
)
def test_record_says_how_the_objects_contract(
    first: str, second: str, words: str, tree: Tree
) -> None:
    lines = command_lines(*(f"GNU C17 -march=x86-64-v3 {each}" for each in (first, second)))
    tree.hand_out(elf(note=isa_note(4), sections=lines))
    assert produced(tree, fp_contract="off") == STAMPED
    warned = [each for each in tree.reporter.warnings if "fp-contract" in each]
    assert len(warned) == bool(words)
    assert words in "".join(warned)
    with zipfile.ZipFile(tree.out / STAMPED) as archive:
        recorded = parse_provenance(archive.read(RECORD))["variantbuild:audited:file:demo/m0.so"]
    for each in filter(None, (first, second)):
        assert f"-march=x86-64-v3 {each}" in recorded
    if not words:
        assert "-march=x86-64-v3;" not in f"{recorded};"


def test_a_stamp_does_not_contradict_the_version_of_the_project(tree: Tree) -> None:
    tree.hand_out(module("v3"), version="1.0+v2")
    plan, delegate = plan_of(tree)
    with pytest.raises(WheelError, match="declares different variants: v3 by the tag"):
        produce.produce_wheel(plan, delegate, tree.out)
    assert tree.made == []


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("py3-none-linux_x86_64_v3", "1.0"),
        ("py3-none-linux_x86_64.linux_x86_64_v3", "1.0"),
        ("py3-none-linux_x86_64_v3", "1.0+v3"),
        ("py3-none-linux_x86_64", "1.0+v3"),
    ],
)
def test_the_stamp_of_a_backend_is_not_doubled(tree: Tree, tag: str, version: str) -> None:
    tree.hand_out(module("v3"), tag=tag, version=version)
    plan, delegate = plan_of(tree)
    produce.produce_wheel(plan, delegate, tree.out)
    assert tree.made == [STAMPED]


@pytest.mark.parametrize("tag", ["linux_x86_64_v2", "linux_x86_64_zen4", "linux_x86_64_v3_cu12"])
def test_another_stamp_of_a_backend_is_refused(tree: Tree, tag: str) -> None:
    tree.hand_out(module("v3"), tag=f"py3-none-{tag}")
    plan, delegate = plan_of(tree)
    with pytest.raises(WheelError, match=f"its backend has given it the tag {tag}"):
        produce.produce_wheel(plan, delegate, tree.out)
    assert tree.made == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("build", STAMPED),
        ("uv", "demo-1.0-py3-none-linux_x86_64.linux_x86_64_v3.whl"),
        ("pip-sdist", "demo-1.0-py3-none-linux_x86_64_v3.whl"),
    ],
)
def test_names_are_what_the_front_end_accepts(kind: SituationKind, name: str, tree: Tree) -> None:
    assert produced(tree, kind) == name


@pytest.mark.parametrize(
    ("note", "name"),
    [("v3", STAMPED), (None, "demo-1.0+v3-py3-none-linux_x86_64_v3.whl")],
)
def test_generic_tag_goes_where_a_module_lacks_the_note(
    note: str | None, name: str, tree: Tree
) -> None:
    tree.hand_out(module("v3"), module("v3", note=note))
    assert produced(tree, "pip-tree") == name
    assert any("no ISA note" in each for each in tree.reporter.warnings) == (note is None)


@pytest.mark.parametrize(
    ("modules", "settings"),
    [
        ((), {}),
        ((module("v3"),), {"audit": "off"}),
        ((module("v1"),), {"audit": "warn"}),
        ((module("v1"),), {"audit": "downgrade"}),
        ((module("v4"),), {"cpu": "none"}),
    ],
    ids=["no machine code", "audit off", "warn", "downgrade", "no variant asked"],
)
def test_wheel_without_a_stamp_is_published_as_it_is(
    modules: tuple[bytes, ...], settings: dict[str, str], tree: Tree
) -> None:
    canned = tree.hand_out(*modules)
    assert produced(tree, "build", **settings) == PLAIN
    assert (tree.out / PLAIN).read_bytes() == canned.read_bytes()


def test_what_is_said_of_a_wheel_without_a_stamp(tree: Tree) -> None:
    produced(tree, audit="off")
    assert tree.reporter.notes[-1].startswith("not stamped as v3: `audit` is off")
    tree.reporter.notes.clear()
    produced(tree, audit="off", cpu="v1")
    assert tree.reporter.notes == tree.reporter.warnings == []
    tree.hand_out(module("v1"))
    produced(tree, audit="warn")
    assert any("the wheel is not stamped as v3" in each for each in tree.reporter.warnings)


def test_less_than_asked_is_stamped_where_it_is_allowed(tree: Tree) -> None:
    tree.hand_out(module("v1"))
    produced(tree, audit="downgrade")
    assert any("not stamped: the audit found code" in each for each in tree.reporter.warnings)
    (tree.out / PLAIN).unlink()
    tree.hand_out(module("v2", code=POPCNT))
    assert produced(tree, audit="downgrade") == STAMPED.replace("v3", "v2")


@pytest.mark.parametrize(
    ("march", "settings"),
    [("v4", {}), ("v1", {}), ("v2", {"cpu": "v1"}), ("v4", {"audit": "downgrade", "cpu": "v1"})],
)
def test_refused_wheel_leaves_nothing(march: str, settings: dict[str, str], tree: Tree) -> None:
    tree.hand_out(module(march))
    plan, delegate = plan_of(tree, "build", **settings)
    (tree.out / "before").touch()
    with pytest.raises(AuditError):
        produce.produce_wheel(plan, delegate, tree.out)
    assert tree.made == ["before"]


def test_runner_of_cibuildwheel_is_chance(tree: Tree) -> None:
    tree.hand_out(module("v1"))
    tree.configure('cpu = "auto"')
    project = load_project(tree.directory, {}, os.environ, machine_files=())
    delegate = tree.load(resolve_delegate(project))
    host = LocalHost(env=os.environ, source=tree.directory)
    for on_ci in (True, False):
        situation = Situation(kind="build", evidence="test", cibuildwheel=on_ci)
        plan = make_plan(project, delegate.spec, host, situation)
        if on_ci:
            assert produce.produce_wheel(plan, delegate, tree.out).name == PLAIN
            assert tree.reporter.notes[0].startswith("cibuildwheel runs this")
        else:
            assert plan.choice.reason.startswith("the level of this machine")


def test_sdist_is_built_once_where_the_cache_is_on(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tree.directory / "PKG-INFO").touch()
    for cache, builds in (("false", 1), ("true", 2), ("true", 2)):
        plan, delegate = plan_of(tree, "pip-sdist", build_cache=cache)
        made = produce.produce_wheel(plan, delegate, tree.out)
        made.unlink()
        # Each front end unpacks the sdist anew: what a build left in the tree is not there.
        shutil.rmtree(tree.directory / "build", ignore_errors=True)
        assert len(tree.calls) == builds
    assert tree.reporter.notes[-1].startswith("taken from the build cache")


def test_new_member_takes_the_time_that_the_environment_gives(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value, year in (("1262304000", 2010), ("", None), ("0", 1980), ("9" * 18, 2107)):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
        plan, delegate = plan_of(tree)
        path = produce.produce_wheel(plan, delegate, tree.out)
        with zipfile.ZipFile(path) as archive:
            found = archive.getinfo(RECORD).date_time[0]
            expected = archive.getinfo("demo-1.0+v3.dist-info/RECORD").date_time[0]
        assert found == (year or expected)


@pytest.mark.parametrize(
    "value",
    [
        "x",
        "-1",
        "1e3",
        "soon",
        "\u00b2",
        "1.5",
        " 1",
        "1\n",
        "0x10",
        "1_000",
        "+1",
        "٣",
        "9" * 5000,
    ],
)
def test_a_time_that_is_no_integer_is_refused(
    tree: Tree, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", value)
    plan, delegate = plan_of(tree)
    for attempt in (
        lambda: produce.produce_wheel(plan, delegate, tree.out),
        lambda: produce.produce_editable(plan, delegate, tree.out),
        lambda: produce.produce_sdist(plan.project, delegate, tree.out),
    ):
        with pytest.raises(ConfigError, match="SOURCE_DATE_EPOCH is .*: expected a whole number"):
            attempt()
    assert tree.calls == []
    assert list(tree.out.iterdir()) == []


def test_modules_are_known_by_their_endings(tree: Tree) -> None:
    for name in ("a.so", "sub/b.pyd", "sub/c.dylib", "d.txt", "so"):
        (tree.directory / "src" / name).parent.mkdir(exist_ok=True)
        (tree.directory / "src" / name).touch()
    found = approval.compiled_modules(tree.directory)
    assert sorted(path.name for path in found) == ["a.so", "b.pyd", "c.dylib"]


def test_flags_are_evidence_if_every_compiler_records_them(tree: Tree) -> None:
    plan, _ = plan_of(tree)
    assert approval.records_flags(plan)
    silent = replace(plan.flags, recorded=False)
    rusty = replace(plan.flags, rust=RustFlags(target="x86_64-unknown-linux-gnu"))
    for flags in (silent, rusty):
        other = replace(plan, compilation=replace(plan.compilation, flags=flags))
        assert not approval.records_flags(other)


def test_editable_is_audited_with_the_modules_in_the_tree(tree: Tree) -> None:
    """Only modules that the build left in the tree count, not those that were there before."""
    (tree.directory / "src" / "old.so").write_bytes(module("v4"))
    plan, delegate = plan_of(tree)
    (tree.directory / "inplace" / "new.so").write_bytes(module("v3"))
    assert produce.produce_editable(plan, delegate, tree.out).name == PLAIN
    (tree.directory / "inplace" / "new.so").write_bytes(module("v4"))
    with pytest.raises(AuditError, match=r": new\.so needs v4"):
        produce.produce_editable(plan, delegate, tree.out)
    baseline, delegate = plan_of(tree, cpu="none")
    assert produce.produce_editable(baseline, delegate, tree.out).name == PLAIN


def test_editable_wheel_is_audited_itself(tree: Tree) -> None:
    tree.hand_out(module("v4"))
    plan, delegate = plan_of(tree)
    with pytest.raises(AuditError):
        produce.produce_editable(plan, delegate, tree.out)
    plan, delegate = plan_of(tree, audit="warn")
    assert produce.produce_editable(plan, delegate, tree.out).name == PLAIN
    assert tree.reporter.warnings


def test_metadata_is_unpacked_alone(tree: Tree, tmp_path: Path) -> None:
    directory = tmp_path / "meta"
    directory.mkdir()
    wheel = tree.directory / "canned" / PLAIN
    dist_info = unpack_metadata(wheel, directory)
    assert dist_info == directory / "demo-1.0.dist-info"
    assert sorted(path.name for path in directory.rglob("*") if path.is_file()) == [
        "METADATA",
        "RECORD",
        "WHEEL",
    ]
    assert header(wheel, "METADATA", "Name") == ["demo"]


def test_delegate_that_made_nothing_is_refused(tree: Tree) -> None:
    plan, delegate = plan_of(tree)
    tree.backend("def build_wheel(*words):\n    return 'demo-1.0-py3-none-any.whl'\n")
    delegate = tree.load(delegate.spec)
    with pytest.raises(DelegateError, match="there is no such file"):
        produce.produce_wheel(plan, delegate, tree.out)
    with pytest.raises(WheelError, match="does not exist"):
        produce.produce_wheel(plan, delegate, tree.out / "none")
