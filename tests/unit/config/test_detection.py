"""Which backend builds a project without the setting `delegate`, and when that is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from variantbuild.config.detection import detect_backend
from variantbuild.config.project import load_project
from variantbuild.config.setupscript import is_plain_setup
from variantbuild.errors import DelegateError

SKBC, SETUPTOOLS = "scikit_build_core.build", "setuptools.build_meta"
PLUGIN = "scikit_build_core.setuptools.build_meta"
POETRY = "poetry.core.masonry.api"


def tree(directory: Path, text: str, *requires: str, **files: str) -> Path:
    """Write a project; a file's name has `__` for its dot and `_in_` for a slash."""
    listed = ", ".join(f'"{each}"' for each in ("variantbuild[audit]", *requires))
    head = f'[build-system]\nrequires = [{listed}]\nbuild-backend = "variantbuild"\n'
    (directory / "pyproject.toml").write_text(head + text, encoding="utf-8")
    for name, content in files.items():
        path = directory / name.replace("_in_", "/").replace("__", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return directory


def detect(directory: Path) -> tuple[str, str]:
    return detect_backend(load_project(directory, None, {}, machine_files=()))


@pytest.mark.parametrize(
    ("requires", "text", "files", "backend"),
    [
        (["maturin"], '[tool.maturin]\nmanifest-path = "rs/Cargo.toml"\n', {}, "maturin"),
        (["maturin>=1,<2"], "", {"rs_in_Cargo__toml": ""}, "maturin"),
        ([], "[tool.maturin]\n", {}, "maturin"),
        ([], "", {"Cargo__toml": ""}, "maturin"),
        (["setuptools", "setuptools-rust"], "", {"Cargo__toml": "", "setup__py": ""}, SETUPTOOLS),
        (["setuptools-rust"], "[[tool.setuptools-rust.ext-modules]]\n", {"a__rs": ""}, SETUPTOOLS),
        (["meson-python"], "", {}, "mesonpy"),
        (["Meson_Python"], "", {"meson__build": "", "CMakeLists__txt": ""}, "mesonpy"),
        ([], "", {"meson__build": ""}, "mesonpy"),
        ([], "[tool.meson-python.args]\nsetup = []\n", {}, "mesonpy"),
        (["poetry-core", "setuptools"], "[tool.poetry]\n", {"a__c": ""}, POETRY),
        (["poetry-core", "setuptools"], "[tool.poetry]\nname='a'\n", {"setup__py": ""}, POETRY),
        ([], "[tool.poetry]\nname = 'a'\n", {}, POETRY),
        (
            ["poetry-core", "poetry-dynamic-versioning[plugin]"],
            "",
            {},
            "poetry_dynamic_versioning.backend",
        ),
        (["pdm-backend", "setuptools"], "", {"a__c": ""}, "pdm.backend"),
        ([], "[tool.pdm.build]\n", {}, "pdm.backend"),
        (["setuptools"], "[tool.pdm.dev-dependencies]\n", {"setup__py": ""}, SETUPTOOLS),
        (["hatchling", "hatch-vcs", "cython", "setuptools"], "", {"a__pyx": ""}, "hatchling.build"),
        ([], "[tool.hatch.build.hooks.custom]\n", {}, "hatchling.build"),
        (["setuptools"], "[tool.hatch.envs.default]\n", {"setup__py": ""}, SETUPTOOLS),
        (["flit_core >=3.2,<4"], "", {}, "flit_core.buildapi"),
        ([], "[tool.flit.module]\nname = 'a'\n", {}, "flit_core.buildapi"),
        ([], "[tool.flit.metadata]\nmodule = 'a'\n", {}, "flit_core.buildapi"),
        ([], "[project]\nname='a'\ndynamic=['description']\n", {"a__py": ""}, "flit_core.buildapi"),
        ([], "[tool.scikit-build]\n", {"setup__py": ""}, SKBC),
        (["setuptools"], "", {"CMakeLists__txt": ""}, SKBC),
        (["scikit-build-core"], "", {"CMakeLists__txt": "", "setup__py": ""}, SKBC),
        (["setuptools"], "", {"CMakeLists__txt": "", "setup__py": "import x"}, SETUPTOOLS),
        (["setuptools", "scikit-build", "cmake"], "", {"setup__py": "import skbuild"}, SETUPTOOLS),
        (
            ["setuptools", "scikit-build-core"],
            "[tool.scikit-build]\n",
            {"setup__py": "setup(cmake_source_dir='.')", "CMakeLists__txt": ""},
            PLUGIN,
        ),
        (["setuptools"], "", {"setup__cfg": "[metadata]\nname = a\n"}, SETUPTOOLS),
        ([], "", {"setup__cfg": "[flake8]\n", "meson__build": ""}, "mesonpy"),
        ([], "[tool.setuptools]\next-modules = [{name='a'}]\n", {"a__c": ""}, SETUPTOOLS),
        ([], "", {"setup__py": "from b import d\nd()", "src_in_a__c": ""}, SETUPTOOLS),
        ([], "", {"a__py": ""}, SETUPTOOLS),
        (["setuptools"], "", {"tests_in_a__c": "", "docs_in_CMakeLists__txt": ""}, SETUPTOOLS),
        (["uv_build"], "", {}, "uv_build"),
        ([], "[tool.uv.build-backend]\nmodule-name = 'a'\n", {"a__py": ""}, "uv_build"),
        ([], "[tool.uv]\ndev-dependencies = []\n", {"setup__py": "import x"}, SETUPTOOLS),
        (["whey"], "[tool.whey]\n", {}, "whey"),
        ([], "[tool.whey]\n", {}, "whey"),
        (["trampolim"], "", {}, "trampolim"),
        (["pymsbuild"], "", {"_msbuild__py": ""}, "pymsbuild"),
        ([], "", {"_msbuild__py": "", "a__c": ""}, "pymsbuild"),
        (["enscons"], "", {"SConstruct": "", "a__c": ""}, "enscons.api"),
        ([], "[tool.enscons]\n", {"a__c": ""}, "enscons.api"),
        ([], "", {"SConstruct": "", "a__c": ""}, "enscons.api"),
        (["setuptools"], "", {"SConstruct": "", "setup__py": "import x"}, SETUPTOOLS),
        ([], "[tool.cmeel]\n", {"CMakeLists__txt": ""}, "cmeel.build"),
        ([], "[tool.mesonpep517.metadata]\n", {"meson__build": ""}, "mesonpep517.buildapi"),
        (
            ["jupyter_packaging"],
            "[tool.jupyter-packaging.builder]\nfactory = 'a'\n",
            {"setup__cfg": "[metadata]\n"},
            "jupyter_packaging.build_api",
        ),
        (["jupyter_packaging", "setuptools"], "", {"setup__py": "import x"}, SETUPTOOLS),
    ],
)
def test_backend(
    tmp_path: Path, requires: list[str], text: str, files: dict[str, str], backend: str
) -> None:
    assert detect(tree(tmp_path, text, *requires, **files))[0] == backend


@pytest.mark.parametrize(
    ("requires", "text", "files", "named"),
    [
        (["maturin", "meson-python"], "", {}, ("maturin", "mesonpy")),
        ([], "[tool.maturin]\n[tool.poetry]\nname = 'a'\n", {}, ("maturin", POETRY)),
        ([], "", {"Cargo__toml": "", "CMakeLists__txt": ""}, ("maturin", SKBC)),
        (["poetry-core", "setuptools"], "", {"setup__py": ""}, (POETRY, SETUPTOOLS)),
        (["setuptools"], "[tool.maturin]\n", {"setup__py": ""}, (SETUPTOOLS, "maturin")),
    ],
)
def test_several_backends_are_asked_about(
    tmp_path: Path, requires: list[str], text: str, files: dict[str, str], named: tuple[str, ...]
) -> None:
    with pytest.raises(DelegateError, match="names several backends") as caught:
        detect(tree(tmp_path, text, *requires, **files))
    assert caught.value.hint is not None
    for backend in named:
        assert backend in caught.value.message
        assert f'"{backend}"' in caught.value.hint


@pytest.mark.parametrize(
    ("requires", "text", "files", "likely"),
    [
        ([], "", {"rs_in_Cargo__toml": "", "a__c": ""}, "maturin"),
        ([], "", {"src_in_lib__rs": ""}, "maturin"),
        ([], "", {"src_in_a__sip": ""}, "sipbuild.api"),
        ([], "", {"src_in_a__zig": ""}, SETUPTOOLS),
        (["setuptools"], "", {"native_in_meson__build": ""}, "mesonpy"),
        (["setuptools"], "", {"cpp_in_CMakeLists__txt": ""}, SKBC),
        (["setuptools"], "[tool.setuptools]\npackages = []\n", {"src_in_a__f90": ""}, "mesonpy"),
        ([], "[tool.hatch.envs.x]\n", {"src_in_a__pyx": ""}, "hatchling.build"),
        ([], "[project]\nname = 'a'\n", {"src_in_a__c": ""}, SETUPTOOLS),
        (
            ["setuptools"],
            "",
            {"setup__py": "import setuptools\nsetuptools.setup()", "a__cpp": ""},
            SETUPTOOLS,
        ),
    ],
)
def test_sources_that_nothing_compiles_are_asked_about(
    tmp_path: Path, requires: list[str], text: str, files: dict[str, str], likely: str
) -> None:
    with pytest.raises(DelegateError, match="no backend would compile") as caught:
        detect(tree(tmp_path, text, *requires, **files))
    assert f'delegate = "{likely}"' in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("script", "plain"),
    [
        ("from setuptools import setup\nsetup()\n", True),
        ("import os, setuptools\nsetuptools.setup(name='a', packages=['a'])\n", True),
        ("from setuptools import setup\nsetup(ext_modules=[])\n", False),
        ("from setuptools import setup\nsetup(**options)\n", False),
        ("from setuptools import setup\nfrom helper import x\nsetup()\n", False),
        ("import numpy.distutils.core\n", False),
        ("print 'old'\n", False),
        ("", False),
    ],
)
def test_a_setup_script_that_compiles_nothing(script: str, plain: bool) -> None:
    assert is_plain_setup(script) is plain
