"""`variantbuild plan`: it says that it ran a compiler, and which commands."""

from __future__ import annotations

import platform
import shlex
import sys
from pathlib import Path
from typing import TypedDict, cast

import pytest

from answers import answer
from variantbuild.cli import main

pytestmark = [
    pytest.mark.usefixtures("fake_compilers"),
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() != "x86_64",
        reason="targets of this test are for Linux on x86-64",
    ),
]


class Trial(TypedDict):
    commands: list[list[str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with C and C++ in it."""
    for name in ("m.c", "n.cpp", "setup.py"):
        (tmp_path / name).touch()
    delegate = '[tool.variantbuild]\ndelegate = "setuptools.build_meta"\n'
    (tmp_path / "pyproject.toml").write_text(delegate, encoding="utf-8")
    return tmp_path


def commands(tree: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[list[str]]:
    """Return the commands of the trial, from the JSON."""
    assert main(["plan", str(tree), "--json", *words]) == 0
    return cast("Trial", answer(capsys, "plan")["trial"])["commands"]


def test_commands_that_ran_are_listed(
    tree: Path, fake_compilers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = commands(tree, capsys, "--target", "v3")
    # The interpreter's own name for them: x86_64-linux-gnu-gcc for Debian's.
    ran_compilers = [Path(command[0]) for command in ran]
    assert {each.parent for each in ran_compilers} == {fake_compilers}
    assert [each.name.rpartition("-")[2] for each in ran_compilers] == ["gcc", "g++"]
    assert all("-march=x86-64-v3" in command for command in ran)
    assert main(["plan", str(tree), "--target", "v3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith("trial compilation")]
    assert [row.partition("  ")[2].strip() for row in rows] == [shlex.join(each) for each in ran]


def test_nothing_is_listed_where_nothing_was_compiled(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commands(tree, capsys, "-C", "variantbuild.cpu=none") == []
    assert main(["plan", str(tree), "-C", "variantbuild.cpu=none"]) == 0
    assert "trial compilation" not in capsys.readouterr().out


def test_help_says_that_a_compiler_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["plan", "--help"])
    assert "compiles a small probe" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ("v1;v3", "a bundle of v1, v3 is built, with a plain version and plain tags"),
        (
            "armv8.2a",
            "not a bundle: bundle (the config-setting variantbuild.bundle) names no level",
        ),
    ],
)
def test_a_bundle_is_told(
    tree: Path, levels: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plan", str(tree), "-C", f"variantbuild.bundle={levels}"]) == 0
    assert said in " ".join(capsys.readouterr().err.split())
