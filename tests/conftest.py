"""Fixtures for unit and integration tests: wheels from drafts, and projects of tests/packages.

Each directory of tests/packages is a fixture: `setuptools_c` is the path of a copy of setuptools-c.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wheels.forge import Draft, Write
from workshop import PROJECTS, copy_project

# Tests start many Pythons in the same environments: compile their modules once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

#: Modules with long tests. They run first: a worker that begins one at the end lets others wait.
_LONG = (
    "test_cibuildwheel",
    "test_gpu_cmake",
    "test_example_project",
    "test_realworld",
    "test_frontend_poetry",
    "test_frontend_matrix",
    "test_build_cache",
    "test_routes",
    "test_pip",
    "test_kills",
    "test_gpu_setuptools",
    "test_route",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the modules with long tests to the front."""
    rank = {name: number for number, name in enumerate(_LONG)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(_LONG)))


def _copies(name: str) -> Callable[[Path], Path]:
    """Return the fixture of the project `name`."""

    @pytest.fixture(name=name.replace("-", "_"))
    def copied(tmp_path: Path) -> Path:
        return copy_project(name, tmp_path / "projects")

    return copied


globals().update({f"copied_{name}": _copies(name) for name in (*PROJECTS, "example_project")})


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that copies a project by its name, for tests of several projects."""
    return lambda name: copy_project(name, tmp_path / "projects")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a draft to its own directory and return its path."""

    def write_draft(draft: Draft) -> Path:
        directory = tmp_path / "input"
        directory.mkdir(exist_ok=True)
        path = directory / draft.file_name
        path.write_bytes(draft.build())
        return path

    return write_draft
