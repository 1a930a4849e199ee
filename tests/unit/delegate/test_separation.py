"""Which builds run in a copy of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from reporters import RecordingReporter
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.separation import needs_own_tree

SETUPTOOLS, CMAKE = "setuptools.build_meta", "scikit_build_core.build"
MODULE = "demo/_m.cpython-311-x86_64-linux-gnu.so"


def copied(tree: Path, backend: str, env: dict[str, str] | None = None) -> bool:
    spec = DelegateSpec(backend=backend, path=(), origin="test")
    delegate = Delegate(spec, object(), env=env or {}, reporter=RecordingReporter())
    return needs_own_tree(delegate, tree)


@pytest.mark.parametrize(
    ("backend", "files", "wanted"),
    [
        (SETUPTOOLS, {}, False),
        (SETUPTOOLS, {"setup.py": "from setuptools import setup\nsetup()"}, False),
        (SETUPTOOLS, {"setup.py": "import os, numpy\nfrom Cython.Build import cythonize"}, False),
        (SETUPTOOLS, {"setup.py": "import subprocess"}, True),
        (SETUPTOOLS, {"setup.py": "from skbuild import setup"}, True),
        (SETUPTOOLS, {"setup.py": "from .tools import x"}, True),
        (SETUPTOOLS, {"setup.py": "import os\nos.system('make')"}, True),
        (SETUPTOOLS, {"setup.py": "from setuptools import Command\nclass B(Command): ..."}, True),
        (SETUPTOOLS, {"setup.py": "setup(options={'build': {'build_base': 'x'}})"}, True),
        (SETUPTOOLS, {"setup.py": "__import__('subprocess')"}, True),
        (SETUPTOOLS, {"setup.py": "not python {"}, True),
        (SETUPTOOLS, {"setup.cfg": "[build]\nbuild_base = out\n"}, True),
        (SETUPTOOLS, {"setup.cfg": "[build_ext]\ninplace = 1\n"}, True),
        (SETUPTOOLS, {"setup.cfg": "[metadata]\nname = x\n"}, False),
        (SETUPTOOLS, {MODULE: ""}, True),
        (SETUPTOOLS, {"src/a.o": ""}, True),
        (CMAKE, {"CMakeLists.txt": ""}, False),
        (CMAKE, {"third_party/a.o": ""}, True),
        ("mesonpy", {MODULE: ""}, True),
        ("mesonpy", {"a.c": ""}, False),
        ("maturin", {"python/demo/_m.abi3.so": ""}, False),
        ("maturin", {"c/a.o": ""}, True),
        ("poetry.core.masonry.api", {"a.c": ""}, True),
        ("poetry.core.masonry.api", {"a.py": ""}, False),
        ("hatchling.build", {"a.pyx": ""}, True),
        ("unknown_backend", {}, True),
        ("variantbuild", {"a.o": ""}, False),
    ],
)
def test_copy(backend: str, files: dict[str, str], wanted: bool, tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert copied(tmp_path, backend) is wanted


def test_distutils_of_the_standard_library_reads_no_configuration(tmp_path: Path) -> None:
    assert copied(tmp_path, SETUPTOOLS, {"SETUPTOOLS_USE_DISTUTILS": "stdlib"})
