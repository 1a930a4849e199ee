"""Five of the real packages for v3, from the index, with sdists pinned by digest.

All of them, and all targets, run by `python tests/realworld/run.py --all`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from realworld.attempt import attempt
from realworld.building import Workshop
from realworld.recipes import load_recipes
from realworld.run import build_ours, find_uv
from realworld.verdict import verdict
from wheelhouse import share_once

pytestmark = [pytest.mark.isolated, pytest.mark.compile]

RECIPES = load_recipes()


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (wheel,) = share_once(tmp_path_factory, "ours", build_ours).iterdir()
    return wheel


@pytest.mark.parametrize("name", [name for name, each in RECIPES.items() if each.subset])
def test_package(name: str, ours: Path, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    shop = Workshop(directory=tmp_path / "work", ours=ours, uv=find_uv(), bytecode=False)
    outcome = attempt(recipe, shop, tmp_path / "sdists", print, targets=("v3",))
    assert verdict(recipe, outcome, ("v3",)).problems == ()
