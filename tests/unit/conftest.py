"""Fixtures of the unit tests: machines served from recorded files, wheels of the corpus."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hosts import gpus
from hosts.recorded import RecordedHost
from variantbuild.host.local import LocalHost
from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.wheel import Edit, Plan, apply_edit, open_wheel, plan_edit, verify_wheel
from wheels.forge import Draft

Write = Callable[[Draft], Path]
Stamped = Callable[[Path], Path]


@pytest.fixture
def recorded_host() -> Callable[[str], RecordedHost]:
    """Load a machine of tests/hosts by its folder's name."""
    return RecordedHost.load


@pytest.fixture
def local_host() -> LocalHost:
    """The machine that the tests run on."""
    return LocalHost(env=os.environ)


@pytest.fixture
def gpu_host() -> Callable[[str], RecordedHost]:
    """Load a machine of tests/hosts/gpu by its file's name."""
    return gpus.load


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a draft to a folder of its own and return its path."""

    def write_draft(draft: Draft) -> Path:
        folder = tmp_path / "input"
        folder.mkdir(exist_ok=True)
        path = folder / draft.file_name
        path.write_bytes(draft.build())
        return path

    return write_draft


@pytest.fixture
def stamped(tmp_path: Path) -> Stamped:
    """Stamp a wheel as v3 (only its version where it is pure) and return the new one."""

    def stamp(path: Path) -> Path:
        folder = tmp_path / "stamped"
        folder.mkdir(exist_ok=True)
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel)
            plan: Plan
            if "any" in inventory.file_name.platforms:
                version = f"{inventory.version}{'.' if '+' in inventory.version else '+'}v3"
                plan = plan_edit(inventory, Edit(version=version))
            else:
                plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
            return apply_edit(wheel, plan, folder)

    return stamp


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return the path of a sound wheel on disk."""
    draft = Draft()
    path = tmp_path / draft.file_name
    path.write_bytes(draft.build())
    return path
