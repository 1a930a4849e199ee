"""How many levels of a bundle are built at the same time."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import cast

import pytest

from reporters import RecordingReporter
from variantbuild.config.buildsystem import BuildSystem
from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.run import Built
from variantbuild.hooks import levelbuilds, produce
from variantbuild.hooks.levelbuilds import build_levels, levels_at_once
from variantbuild.host.ending import clean_ending, watch_processes
from variantbuild.plan import BuildPlan

GIB = 1 << 30


@pytest.mark.parametrize(
    ("system", "levels", "cpus", "available", "expected"),
    [
        (BuildSystem.SETUPTOOLS, 3, 1, 64 * GIB, 1),
        (BuildSystem.SETUPTOOLS, 3, 2, 7 * GIB, 2),
        (BuildSystem.SETUPTOOLS, 3, 8, 7 * GIB, 3),
        (BuildSystem.SETUPTOOLS, 3, 8, 3 * GIB, 1),
        (BuildSystem.SCIKIT_BUILD_CORE, 3, 4, 15 * GIB, 3),
        (BuildSystem.SCIKIT_BUILD_CORE, 3, 8, 16 * GIB, 2),
        (BuildSystem.MESON_PYTHON, 3, 64, 64 * GIB, 1),
        (BuildSystem.UNKNOWN, 2, 4, 1 * GIB, 1),
        (BuildSystem.SETUPTOOLS, 3, 8, None, 1),
        (BuildSystem.SETUPTOOLS, 3, 8, 0, 1),
    ],
)
def test_levels_at_once(
    system: BuildSystem, levels: int, cpus: int, available: int | None, expected: int
) -> None:
    assert levels_at_once(levels, system, cpus, available) == expected


@pytest.mark.parametrize("at_once", [1, 2])
def test_a_level_that_ends_leaves_the_others_alone(
    at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """v3 runs a program of the same run that is still there for a while after v1 has ended."""

    def fake(plan: BuildPlan, delegate: Delegate, place: Path, *, own_tree: bool) -> Built:
        assert own_tree is (at_once > 1)
        watch_processes()
        made, started = place / "demo.whl", tmp_path / "started"
        if place.name == "v3":
            words = ("sh", "-c", f": > {started}; sleep 1.5")
            subprocess.run(words, check=True, env=dict(os.environ))
        while at_once > 1 and not started.exists():
            time.sleep(0.01)
        made.write_bytes(b"")
        return Built(wheel=made)

    monkeypatch.setattr(produce, "produce_built", fake)
    monkeypatch.setattr(levelbuilds, "levels_at_once", lambda *_: at_once)
    spec = DelegateSpec(backend="setuptools.build_meta", path=(), origin="a test")
    delegate = Delegate(spec, None, env=os.environ, reporter=RecordingReporter())
    plans = {label: cast("BuildPlan", None) for label in ("v1", "v3")}
    with clean_ending(os.environ):
        made = build_levels(plans, delegate, tmp_path, parallel=True)
    assert {label: each.wheel.parent.name for label, each in made.items()} == {
        "v1": "v1",
        "v3": "v3",
    }
