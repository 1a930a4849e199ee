"""A hook imports only what it needs: front ends start several processes for one wheel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import variantbuild

#: Modules of the standard library that take long to import.
HEAVY = {
    "argparse",
    "asyncio",
    "concurrent.futures",
    "difflib",
    "email",
    "http",
    "importlib.metadata",
    "logging",
    "multiprocessing",
    "platform",
    "subprocess",
    "tempfile",
    "tomllib",
    "unittest",
    "urllib.request",
    "zipfile",
}
#: What only some hooks, or some projects, need.
STAGES = {
    "variantbuild.audit",
    "variantbuild.binary",
    "variantbuild.buildcache",
    "variantbuild.bundle",
    "variantbuild.cli",
    "variantbuild.delegate.handover",
    "variantbuild.delegate.privatetree",
    "variantbuild.delegate.route",
    "variantbuild.delegate.run",
    "variantbuild.frontend",
    "variantbuild.hooks.approval",
    "variantbuild.hooks.prepared",
    "variantbuild.hooks.produce",
    "variantbuild.plan",
    "variantbuild.probe.facts",
    "variantbuild.repair",
    "variantbuild.select",
    "variantbuild.stamp",
    "variantbuild.tags",
    "variantbuild.wheel",
}
OTHERS = {"archspec", "iced_x86", "packaging", "rich", "scikit_build_core", "setuptools"}


def imported(code: str, directory: Path | None = None, *, packages: Sequence[str] = ()) -> set[str]:
    """Return the modules that a bare interpreter has imported after `code`.

    `packages` are directories of installed packages that it can import.
    """
    paths = [str(Path(variantbuild.__file__).parent.parent), *packages]
    done = subprocess.run(
        # Without `site`: environments may import more at the start.
        [
            sys.executable,
            "-S",
            "-c",
            f"import sys; sys.path += {paths!r}\n{code}\nprint(*sys.modules, file=sys.stderr)",
        ],
        cwd=directory,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        check=True,
        text=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.fixture(scope="module")
def bare() -> set[str]:
    return imported("import variantbuild.hooks")


@pytest.mark.parametrize("modules", [HEAVY, STAGES, OTHERS], ids=["heavy", "stages", "others"])
def test_import_of_the_hooks_is_light(bare: set[str], modules: set[str]) -> None:
    assert bare & modules == set()
    assert "variantbuild.hooks" in bare


def test_names_are_those_of_modules() -> None:
    """A module that is renamed has to be renamed above."""
    root = Path(variantbuild.__file__).parent
    for name in STAGES:
        place = root.joinpath(*name.split(".")[1:])
        assert place.is_dir() or place.with_suffix(".py").is_file(), name


def test_requirements_need_no_plan(tmp_path: Path) -> None:
    (tmp_path / "backend.py").write_text(
        "def build_wheel(*_): ...\ndef get_requires_for_build_wheel(*_): return ['x']\n"
    )
    (tmp_path / "pyproject.toml").write_text(
        '[tool.variantbuild]\ndelegate = "backend"\ndelegate-path = ["."]\n'
    )
    made = imported("import variantbuild as v; v.get_requires_for_build_wheel()", tmp_path)
    assert "backend" in made
    assert made & (STAGES | OTHERS | {"difflib"}) == set()


def test_setuptools_loads_no_plugin_of_ours(setuptools_c: Path) -> None:
    """setuptools loads every installed plugin: that of scikit-build-core takes 0.1 s or more."""
    installed = [each for each in sys.path if Path(each).name in ("site-packages", "dist-packages")]
    made = imported(
        "import variantbuild as v; v.get_requires_for_build_wheel()",
        setuptools_c,
        packages=installed,
    )
    assert "setuptools.command.egg_info" in made
    stages = {name for name in made if name.startswith("scikit_build_core")} | made & STAGES
    assert stages == set()
