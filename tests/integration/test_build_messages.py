"""`variantbuild build` reports the hooks' warnings, and nothing that other programs print."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from canned import BACKEND, EDITABLE, PREPARE, Tree, enter, module
from variantbuild.cli import main
from workshop import REPO

pytestmark = pytest.mark.compile

#: A backend that prints lines that look like our messages.
NOISY = 'print("variantbuild: warning: from a test program")\n'


def test_warnings_are_those_of_the_hooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tree = Tree(tmp_path / "tree")
    enter(tree, monkeypatch, tmp_path / "home")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(REPO / "backend"), str(REPO / "tests"))))
    backend = (BACKEND + PREPARE + EDITABLE).replace('"wheel-tool"', "")
    tree.backend(NOISY + backend)
    tree.hand_out(module("v1"))
    words = ["build", "--no-isolation", "--json", "-o", str(tree.out)]
    assert main([*words, "-C", "variantbuild.cpu=v3", "-C", "variantbuild.audit=warn"]) == 0
    captured = capfd.readouterr()
    (wheel,) = json.loads(captured.out)["wheels"]
    assert any("the wheel is not stamped as v3" in message for message in wheel["messages"])
    assert "from a test program" not in str(wheel["messages"])
    assert "from a test program" not in captured.err
