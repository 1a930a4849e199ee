"""The real pdm: what it builds, installs and caches is what its machine asked for.

FRONTEND_MATRIX=full adds the route by name to `pdm build` and `pdm install`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

from frontends import Sources, Table
from workshop import Done, clean_environment, run

pytestmark = [pytest.mark.compile, pytest.mark.isolated]
if sys.version_info < (3, 11):
    pytest.skip("the wheelhouse of one Python is enough", allow_module_level=True)

#: pdm 2.29 uses names that hishel 2 has not.
_HISHEL = "hishel<2"
FULL = os.environ.get("FRONTEND_MATRIX") == "full"

_APP = """
[project]
name = "app"
version = "1"
requires-python = "=={python}.*"
dependencies = []
"""
#: pdm gets build requirements from here too.
_SOURCE = """
[[tool.pdm.source]]
name = "pypi"
url = "{index}"
"""


@pytest.fixture(scope="module")
def pdm_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install pdm into a separate environment."""
    directory = tmp_path_factory.mktemp("pdm") / "venv"
    subprocess.run([sys.executable, "-m", "venv", directory], check=True)
    subprocess.run([directory / "bin" / "pip", "install", "-q", "pdm==2.*", _HISHEL], check=True)
    return directory / "bin" / "pdm"


class Pdm(Protocol):
    """Runs pdm in a directory, on a machine of a level; everything shares one cache."""

    def __call__(self, directory: Path, level: str, *words: str | Path) -> Done: ...


@pytest.fixture
def pdm(pdm_program: Path, wheelhouse: Path, tmp_path: Path) -> Pdm:
    home = tmp_path / "home"
    home.mkdir()
    env = clean_environment(home, wheelhouse)
    env |= {"PDM_CHECK_UPDATE": "0", "PDM_CACHE_DIR": str(tmp_path / "cache")}

    def call(directory: Path, level: str, *words: str | Path) -> Done:
        changed = {**env, "VARIANTBUILD_CPU": level}
        return run(pdm_program, *words, cwd=directory, env=changed).ok()

    return call


@pytest.fixture
def tree(sources: Sources, index: str, tmp_path: Path) -> Path:
    """The project's tree, whose build requirements come from the index."""
    directory = shutil.copytree(sources.repository, tmp_path / "whatami")
    with (directory / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(_SOURCE.format(index=f"{index.rstrip('/')}/"))
    return directory


def installed(directory: Path) -> tuple[str, str]:
    """Return version and level of the package in the project's environment."""
    code = (
        "import importlib.metadata as m, whatami;"
        "print(m.version('whatami'), whatami.compiled_for()['level'])"
    )
    python = directory / ".venv" / "bin" / "python"
    version, level = run(python, "-P", "-c", code, cwd=directory, env={}).ok().stdout.split()
    return version, level


def test_build(pdm: Pdm, tree: Path, table: Table) -> None:
    for options in ((), ("--no-sdist",)):
        pdm(tree, "v2", "build", *options)
        (wheel,) = (tree / "dist").glob("*.whl")
        assert wheel.name.startswith("whatami-1.0+v2-")
        assert wheel.name.endswith("-linux_x86_64.linux_x86_64_v2.whl")
    table.rows.append(("pdm", "build, build --no-sdist", "1.0+v2", "not installed"))


def test_install(pdm: Pdm, tree: Path, table: Table) -> None:
    for words in (("install",), ("install",), ("sync", "--no-editable")):
        pdm(tree, "v2", *words)
        assert installed(tree) == ("1.0", "v2")
    table.rows.append(("pdm", "install twice, sync --no-editable", "1.0", "v2"))


@pytest.mark.skipif(not FULL, reason="FRONTEND_MATRIX=full runs it")
def test_by_name(pdm: Pdm, index: str, tmp_path: Path, table: Table, host_level: str) -> None:
    first = tmp_path / "first"
    first.mkdir()
    python = "{}.{}".format(*sys.version_info)
    text = _APP.format(python=python) + _SOURCE.format(index=index)
    (first / "pyproject.toml").write_text(text, encoding="utf-8")
    pdm(first, "v2", "add", "whatami==1.0")
    assert installed(first) == ("1.0", "v2")
    assert "All packages are synced to date" in pdm(first, "v2", "sync").output
    seen = ["v2"]
    # The same lock file and the same cache on machines of other kinds.
    for number, level in enumerate(("v3", "v2")):
        if level > host_level:
            continue
        other = tmp_path / f"other-{number}"
        other.mkdir()
        for name in ("pyproject.toml", "pdm.lock"):
            shutil.copy(first / name, other)
        pdm(other, level, "install")
        assert installed(other) == ("1.0", level)
        seen.append(level)
    table.rows.append(("pdm", "add by name, install elsewhere", "1.0", ", ".join(seen)))
