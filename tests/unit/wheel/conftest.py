"""Fixtures of the wheel engine's tests: wheels of the corpus on disk, and one edit of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from variantbuild.wheel import (
    Edit,
    Plan,
    apply_edit,
    name_stamp,
    open_wheel,
    plan_edit,
    plan_stamp,
    verify_wheel,
)
from wheels.forge import Draft

Write = Callable[[Draft], Path]
Stamped = Callable[[Path], Path]


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
