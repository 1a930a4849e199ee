"""An installation without the extra `audit`, on a project with AVX-512 code that is chosen at run
time: each command and each front end says that the decoder is needed to tell, and how to get it.
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from variantbuild.cli import main
from workshop import Done, Environment, MakeEnvironment, copy_project

pytestmark = [
    pytest.mark.compile,
    pytest.mark.isolated,
    pytest.mark.skipif(sysconfig.get_platform() != "linux-x86_64", reason="compiles for x86-64"),
]

UNKNOWN = "cannot be told without the decoder of instructions"
IN_REQUIRES = 'requires = ["variantbuild[audit]", …] in [build-system]'
INSTALL = "hint: install the decoder: pip install 'variantbuild[audit]'"


@pytest.fixture
def bare(make_environment: MakeEnvironment) -> Environment:
    """A fresh environment with variantbuild, and without the decoder."""
    environment = make_environment("venv", sys.executable, "variantbuild[build]", "setuptools")
    assert environment.run(environment.python, "-c", "import iced_x86").code != 0
    return environment


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return copy_project("setuptools-dispatch", tmp_path)


def variantbuild(environment: Environment, *words: str | Path) -> Done:
    return environment.run(environment.python, "-m", "variantbuild", *words)


def check_refused(done: Done, hint: str) -> None:
    assert done.code != 0
    assert UNKNOWN in done.output
    assert "-mavx512vl" in done.output
    assert hint in done.output
    assert "needs v4" not in done.output
    assert "Traceback" not in done.output


def test_builds_by_front_ends(bare: Environment, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    isolation = ("--no-build-isolation", "--no-deps")
    check_refused(bare.pip("install", tree), IN_REQUIRES)
    check_refused(bare.pip("install", *isolation, tree), IN_REQUIRES)
    check_refused(bare.pip("install", *isolation, "-e", tree), IN_REQUIRES)
    check_refused(bare.uv_pip("install", tree), IN_REQUIRES)
    check_refused(variantbuild(bare, "build", tree, "-o", out), IN_REQUIRES)
    check_refused(variantbuild(bare, "build", "--no-isolation", tree, "-o", out), IN_REQUIRES)


def test_commands_on_its_wheel(
    bare: Environment, tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setting = ("-C", "variantbuild.audit=warn", "-w", tmp_path)
    bare.pip("wheel", "--no-build-isolation", "--no-deps", *setting, tree).ok()
    (wheel,) = tmp_path.glob("*.whl")
    out = tmp_path / "out"
    check_refused(variantbuild(bare, "stamp", "--target", "v3", "-o", out, wheel), INSTALL)
    check_refused(variantbuild(bare, "audit", "--expect", "v3", wheel), "pip install")
    repaired = variantbuild(bare, "repair", "--tag-only", "-w", out, wheel)
    assert repaired.code == 1
    assert "needs v3 by its recorded -march=x86-64-v3" in repaired.output
    assert INSTALL in repaired.output
    shown = variantbuild(bare, "audit", wheel).ok()
    assert UNKNOWN in shown.output
    assert "variantbuild[audit]" in shown.output
    # The decoder, which the interpreter of these tests has, tells.
    main(["audit", str(wheel)])
    assert UNKNOWN not in capsys.readouterr().out
