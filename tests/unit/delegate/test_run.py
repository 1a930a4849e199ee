"""How a delegate's hooks are run: what is added to its metadata, and what it may not return."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from canned import Tree, enter, header, module
from devices import CUDA
from variantbuild.config.delegatespec import resolve_delegate
from variantbuild.config.project import load_project
from variantbuild.delegate import run as buildrun
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.described import read_distutils_config, read_meson_build
from variantbuild.delegate.returned import returned_path
from variantbuild.errors import DelegateError
from variantbuild.frontend.situation import Situation
from variantbuild.hooks import produce
from variantbuild.host.local import LocalHost
from variantbuild.plan import BuildPlan, make_plan
from variantbuild.plan.device.accelerator import AcceleratorChoice
from variantbuild.plan.device.deviceplan import DevicePlan
from variantbuild.variant.axes import Accelerator

pytestmark = [
    pytest.mark.usefixtures("fake_compilers"),
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64",
        reason="the plan is for Linux on x86-64",
    ),
]

OVERRIDE = """
[[tool.variantbuild.overrides]]
if.cpu = "v3"
dependencies = ["numpy>=1.23", "attrs"]
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A source tree whose backend hands out a wheel for v3."""
    made = Tree(tmp_path / "tree")
    enter(made, monkeypatch, tmp_path / "home")
    return made


def planned(tree: Tree, cpu: str = "v3") -> tuple[BuildPlan, Delegate]:
    project = load_project(tree.directory, {"variantbuild.cpu": cpu}, os.environ, machine_files=())
    delegate = tree.load(resolve_delegate(project))
    host = LocalHost(env=os.environ, source=tree.directory)
    situation = Situation(kind="build", evidence="test")
    return make_plan(project, delegate.spec, host, situation), delegate


def test_requirements_of_overrides_are_in_the_wheel(tree: Tree) -> None:
    tree.configure(OVERRIDE)
    made = produce.produce_wheel(*planned(tree), tree.out)
    assert header(made, "METADATA", "Requires-Dist") == ["numpy>=1.23", "attrs"]
    tree.hand_out(module("v2"))
    made = produce.produce_wheel(*planned(tree, "v2"), tree.out)
    assert header(made, "METADATA", "Requires-Dist") == []


def test_requirements_of_overrides_are_in_prepared_metadata(tree: Tree, tmp_path: Path) -> None:
    tree.configure(OVERRIDE)
    directory = tmp_path / "meta"
    directory.mkdir()
    dist_info = buildrun.delegate_metadata(*planned(tree), directory)
    lines = (dist_info / "METADATA").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("Requires-Dist")] == [
        "Requires-Dist: numpy>=1.23",
        "Requires-Dist: attrs",
    ]
    assert [path.name for path in directory.iterdir()] == [dist_info.name]


@pytest.mark.parametrize("name", ["", "none.whl", "sub/a.whl", "../a.whl", ".", None, 3])
def test_name_that_is_not_a_file_in_the_directory_is_refused(
    name: object, tree: Tree, tmp_path: Path
) -> None:
    _, delegate = planned(tree)
    (tmp_path / "made" / "sub").mkdir(parents=True)
    for path in ("a.whl", "made/a.whl", "made/sub/a.whl"):
        (tmp_path / path).touch()
    directory = tmp_path / "made"
    assert returned_path("a.whl", directory, delegate, "build_wheel") == directory / "a.whl"
    with pytest.raises(DelegateError, match="'canned_backend' returned .* from build_wheel, but"):
        returned_path(name, directory, delegate, "build_wheel")


def test_source_tree_that_cannot_be_written_is_an_error(tree: Tree) -> None:
    pytest.importorskip("setuptools")
    plan, delegate = planned(tree)
    assert delegate.kind == "setuptools.build_meta"
    (tree.directory / "build").touch()
    with pytest.raises(DelegateError) as caught:
        produce.produce_wheel(plan, delegate, tree.out)
    # Built in a copy, since a backend of the tree may keep objects anywhere.
    assert f"/tree/{tree.directory.name}/build/" in caught.value.message
    assert "cannot be written" in caught.value.message
    assert "copy the source tree" in str(caught.value.hint)
    assert tree.made == []


def test_configuration_that_cannot_be_read_is_none(tree: Tree) -> None:
    path = tree.directory / "extra.cfg"
    env = {"DIST_EXTRA_CONFIG": str(path)}
    assert read_distutils_config({}) == ""
    assert read_distutils_config(env) == ""
    path.write_bytes(b"\xff")
    assert read_distutils_config(env) == ""
    path.write_text("[build]\n", encoding="utf-8")
    assert read_distutils_config(env) == "[build]\n"
    assert read_meson_build(tree.directory) == ""
    (tree.directory / "meson.build").write_bytes(b"project('\xff')")
    assert read_meson_build(tree.directory) == "project('\ufffd')"


def test_a_toolkit_from_pypi_is_completed_once(tree: Tree, tmp_path: Path) -> None:
    """Completing it a second time in the build's directory is a FileExistsError."""
    root = tmp_path / "nvidia" / "cu13"
    for name in ("bin", "lib", "include"):
        (root / name).mkdir(parents=True)
    nvcc = root / "bin" / "nvcc"
    nvcc.write_text(f'#!/bin/sh\necho "$0" >> {tmp_path}/nvcc-calls\n', encoding="utf-8")
    nvcc.chmod(0o755)
    plan, delegate = planned(tree)
    toolkit = replace(CUDA.toolkit, root=str(root), origin="pypi")
    choice = AcceleratorChoice(
        label=Accelerator(kind="cuda", version=(13,)),
        toolkit=toolkit,
        architectures=CUDA.architectures,
        reason="test",
    )
    plan = replace(plan, devices=DevicePlan(choice=choice, reason="test"))
    directory = tmp_path / "private"
    directory.mkdir()
    built = buildrun.run_build_hook(plan, delegate, "build_wheel", directory)
    assert built.wheel.is_file()
    calls = (tmp_path / "nvcc-calls").read_text(encoding="utf-8").splitlines()
    assert (
        calls == [str(directory / "cuda" / "bin" / "nvcc")] * 2
    )  # the trial: dry run, compilation
