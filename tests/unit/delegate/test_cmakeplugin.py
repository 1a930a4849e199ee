"""scikit-build-core's setuptools plugin is imported only for projects that use it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, cast

import pytest

from variantbuild.delegate.cmakeplugin import PLUGIN, deferred_plugin

_FAKE = """
made = []
def finalize_distribution_options(dist): made.append(("finalized", dist))
def cmake_source_dir(dist, attr, value): made.append((attr, value))
class BuildCMake:
    user_options = [("source-dir=", "s", "")]
    def __init__(self, dist): made.append(("command", dist))
"""


def imported_modules() -> list[str]:
    """Return the modules of scikit-build-core, real or not, that are imported."""
    package = PLUGIN.partition(".")[0]
    return [name for name in sys.modules if name.partition(".")[0] == package]


@pytest.fixture(autouse=True)
def fake_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A plugin that notes what is called, and an empty project as the current directory."""
    for name in imported_modules():
        monkeypatch.delitem(sys.modules, name)
    site = tmp_path / "site"
    file = site.joinpath(*PLUGIN.split(".")).with_suffix(".py")
    file.parent.mkdir(parents=True)
    for package in (file.parent, file.parent.parent):
        (package / "__init__.py").touch()
    file.write_text(_FAKE, encoding="utf-8")
    monkeypatch.syspath_prepend(site)
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    yield project
    for name in imported_modules():
        del sys.modules[name]


class EntryPoint(Protocol):
    """The set-up, a keyword or the command of the plugin."""

    def __call__(self, dist: str, attr: str = "", value: str = "", /) -> object: ...


def attribute(name: str) -> EntryPoint:
    """Return what setuptools gets for an entry point of the plugin."""
    return cast("EntryPoint", getattr(importlib.import_module(PLUGIN), name))


def calls() -> list[tuple[str, object]] | None:
    """Return what the plugin was called for; None if it was not imported."""
    made = vars(sys.modules[PLUGIN]).get("made")
    return cast("list[tuple[str, object]] | None", made)


def test_a_project_without_it() -> None:
    with deferred_plugin():
        attribute("finalize_distribution_options")("dist")
        assert getattr(attribute("BuildCMake"), "user_options", None) == []
        assert calls() is None
    assert PLUGIN not in sys.modules


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[build-system]\nrequires = ["Scikit_Build.core"]\n'),
        ("pyproject.toml", '[tool.scikit-build]\ncmake.source-dir = "."\n'),
        ("pyproject.toml", '[tool.distutils.build_cmake]\nsource-dir = "."\n'),
        ("setup.cfg", "[build_cmake]\nsource_dir = .\n"),
        ("setup.py", "from skbuild import setup\n"),
        ("setup.py", "setup(cmake_source_dir='.')\n"),
    ],
)
def test_a_project_that_uses_it(fake_plugin: Path, name: str, text: str) -> None:
    (fake_plugin / name).write_text(text, encoding="utf-8")
    with deferred_plugin():
        attribute("finalize_distribution_options")("dist")
        assert calls() == [("finalized", "dist")]
        assert getattr(attribute("BuildCMake"), "user_options", None) != []


def test_the_command_on_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["setup.py", "build_cmake", "--source-dir=."])
    with deferred_plugin():
        attribute("finalize_distribution_options")("dist")
        assert calls() == [("finalized", "dist")]


def test_a_keyword_that_only_the_distribution_shows() -> None:
    with deferred_plugin():
        attribute("finalize_distribution_options")("dist")
        attribute("cmake_source_dir")("dist", "cmake_source_dir", ".")
        assert calls() == [("finalized", "dist"), ("cmake_source_dir", ".")]


def test_a_keyword_before_the_set_up() -> None:
    """setuptools gets all entry points first, and then calls them in any order."""
    with deferred_plugin():
        finalize = attribute("finalize_distribution_options")
        attribute("cmake_source_dir")("dist", "cmake_source_dir", ".")
        finalize("dist")
        assert calls() == [("cmake_source_dir", "."), ("finalized", "dist")]


def test_the_command_is_created_after_all() -> None:
    with deferred_plugin():
        command = attribute("BuildCMake")
        attribute("finalize_distribution_options")("dist")
        made = command("dist")
        assert calls() == [("finalized", "dist"), ("command", "dist")]
        assert type(made) is vars(sys.modules[PLUGIN])["BuildCMake"]


def test_one_that_was_imported_before_stays() -> None:
    plugin = importlib.import_module(PLUGIN)
    with deferred_plugin():
        assert sys.modules[PLUGIN] is plugin
    assert sys.modules[PLUGIN] is plugin
