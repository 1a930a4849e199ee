"""The real poetry: its installations stay unchanged, and its cache never provides the wrong code.

FRONTEND_MATRIX=full adds the route by path and `poetry build` to that by name.
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

FULL = os.environ.get("FRONTEND_MATRIX") == "full"
full_only = pytest.mark.skipif(not FULL, reason="FRONTEND_MATRIX=full runs it")

_PROJECT = """
[project]
name = "app"
version = "1"
requires-python = "=={python}.*"

[tool.poetry]
package-mode = false
"""

#: poetry gets build requirements from this index too; otherwise it would only use PyPI.
_SOURCE = """
[[tool.poetry.source]]
name = "local"
url = "{index}"
priority = "primary"
"""


@pytest.fixture(scope="module")
def poetry_program(uv_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install poetry into a separate environment."""
    directory = tmp_path_factory.mktemp("poetry") / "venv"
    subprocess.run([uv_program, "venv", "-q", "--python", sys.executable, directory], check=True)
    python = directory / "bin" / "python"
    words = ("pip", "install", "-q", "--compile-bytecode", "--python", python, "poetry==2.*")
    subprocess.run([uv_program, *words], check=True)
    return directory / "bin" / "poetry"


class Poetry(Protocol):
    """Runs poetry in a directory, on a machine of a level."""

    def __call__(self, directory: Path, level: str, *words: str | Path) -> Done: ...


@pytest.fixture
def poetry(poetry_program: Path, wheelhouse: Path, tmp_path: Path) -> Poetry:
    home = tmp_path / "home"
    home.mkdir()
    env = clean_environment(home, wheelhouse)
    env |= {"POETRY_VIRTUALENVS_IN_PROJECT": "true", "POETRY_KEYRING_ENABLED": "false"}
    # Its own Python, not the first one on PATH, which has only five seconds to print its version.
    env["POETRY_VIRTUALENVS_USE_POETRY_PYTHON"] = "true"

    def call(directory: Path, level: str, *words: str | Path) -> Done:
        changed = {**env, "VARIANTBUILD_CPU": level}
        return run(poetry_program, "-n", *words, cwd=directory, env=changed).ok()

    return call


def application(directory: Path, index: str) -> Path:
    """Write a project without packages, which installs from `index`."""
    directory.mkdir()
    python = "{}.{}".format(*sys.version_info)
    text = _PROJECT.format(python=python) + _SOURCE.format(index=index)
    (directory / "pyproject.toml").write_text(text, encoding="utf-8")
    return directory


def installed(directory: Path) -> tuple[str, str]:
    """Return version and level of the package in the project's environment."""
    code = (
        "import importlib.metadata as m, whatami;"
        "print(m.version('whatami'), whatami.compiled_for()['level'])"
    )
    python = directory / ".venv" / "bin" / "python"
    version, level = run(python, "-c", code, cwd=directory, env={}).ok().stdout.split()
    return version, level


def test_by_name(poetry: Poetry, index: str, tmp_path: Path, table: Table, host_level: str) -> None:
    first = application(tmp_path / "first", index)
    poetry(first, "v2", "add", "whatami==1.0")
    assert installed(first) == ("1.0", "v2")
    for command in ("install", "sync"):
        assert "No dependencies to install or update" in poetry(first, "v2", command).output
    seen = ["v2"]
    # The same lock file and the same cache on machines of other kinds.
    for number, level in enumerate(("v3", "v2") if FULL else ("v3",)):
        if level > host_level:
            continue
        other = tmp_path / f"other-{number}"
        other.mkdir()
        for name in ("pyproject.toml", "poetry.lock"):
            shutil.copy(first / name, other)
        poetry(other, level, "install")
        assert installed(other) == ("1.0", level)
        seen.append(level)
    table.rows.append(("poetry", "add by name, install and sync again", "1.0", ", ".join(seen)))


@full_only
def test_by_path(
    poetry: Poetry, index: str, sources: Sources, tmp_path: Path, table: Table
) -> None:
    app = application(tmp_path / "app", index)
    tree = shutil.copytree(sources.repository, tmp_path / "whatami")
    for _ in range(2):
        poetry(app, "v2", "add", tree)
        assert installed(app) == ("1.0", "v2")
    for command in ("install", "sync"):
        assert "No dependencies to install or update" in poetry(app, "v2", command).output
    table.rows.append(("poetry", "add ./project twice, install and sync again", "1.0", "v2"))


@full_only
def test_build(poetry: Poetry, index: str, sources: Sources, tmp_path: Path, table: Table) -> None:
    tree = shutil.copytree(sources.repository, tmp_path / "whatami")
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(_SOURCE.format(index=index))
    poetry(tree, "v2", "build")
    (wheel,) = (tree / "dist").glob("*.whl")
    assert wheel.name.endswith("-linux_x86_64.linux_x86_64_v2.whl")
    table.rows.append(("poetry", "build", wheel.name.split("-")[1], "not installed"))
