"""`variantbuild build` and `plan` on the command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas import answers_of
from variantbuild.types import JSONValue
from workshop import REPO, Environment, MakeEnvironment

pytestmark = [pytest.mark.isolated, pytest.mark.compile]

Project = Callable[[str], Path]
SCHEMAS = REPO / "backend" / "variantbuild" / "cli"


def check(command: str, text: str) -> dict[str, JSONValue]:
    value: dict[str, JSONValue] = json.loads(text)
    answers_of(command).validate(value)
    return value


@pytest.fixture
def tool(make_environment: MakeEnvironment) -> Environment:
    return make_environment("venv", sys.executable, "variantbuild[build]")


def test_several_targets_from_one_sdist(setuptools_c: Path, tool: Environment) -> None:
    tool.run(tool.python, "-m", "build", "--sdist", "-o", "dist", ".", cwd=setuptools_c).ok()
    program = tool.directory / "bin" / "variantbuild"
    sdist = setuptools_c / "dist" / "whatami-1.0.tar.gz"
    done = tool.run(
        program, "build", sdist, "--target", "v2", "--target", "v3", "-o", "out", cwd=setuptools_c
    ).ok()
    names = sorted(path.name.split("-")[1] for path in (setuptools_c / "out").iterdir())
    assert names == ["1.0+v2", "1.0+v3"]
    assert done.stdout.splitlines()[0].split() == ["target", "size", "time", "wheel"]
    assert "\x1b" not in done.output
    assert "v3: compiling" in done.stderr


def test_json_and_failures(setuptools_c: Path, tool: Environment) -> None:
    program = tool.directory / "bin" / "variantbuild"
    (setuptools_c / "whatami.c").write_text("this is not C\n", encoding="utf-8")
    done = tool.run(program, "build", "--target", "v2", "--json", cwd=setuptools_c)
    assert done.code == 2
    assert "'path': None" in str(check("build", done.stdout)["wheels"])
    assert "Traceback" not in done.stderr.splitlines()[-2:]
    assert "error:" in done.stderr
    assert not (setuptools_c / "dist").exists()


def test_without_isolation(tool: Environment, project: Project) -> None:
    tree = project("setuptools-c")
    program = tool.directory / "bin" / "variantbuild"
    words = ("build", "--no-isolation", "--json", "-C", "variantbuild.cpu=v2")
    value = check("build", tool.run(program, *words, cwd=tree).ok().stdout)
    assert "1.0+v2" in str(value["wheels"])
    meson = project("meson-c")
    done = tool.run(program, "build", "--no-isolation", cwd=meson)
    assert done.code == 2
    assert "delegate 'mesonpy'" in done.stderr
    assert "is not installed" in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("build", "nowhere"), "nowhere does not exist"),
        (("build", "whatami.c"), "cannot be read as an sdist"),
        (("build", "-C", "cpu"), "-C 'cpu' is not KEY=VALUE"),
        (("build", "--target", "v2", "--target", "V2"), "both name v2"),
        (("build", "--target", "v9"), "--target: unknown CPU 'v9'"),
        (("build", "-o", "whatami.c/out"), "cannot be created"),
        (("plan", "nowhere"), "contains no pyproject.toml"),
        (("plan", "--target", "v9"), "--target: unknown CPU 'v9'"),
    ],
)
def test_mistakes(
    setuptools_c: Path, tool: Environment, words: tuple[str, ...], message: str
) -> None:
    before = sorted(setuptools_c.rglob("*"))
    done = tool.run(tool.directory / "bin" / "variantbuild", *words, cwd=setuptools_c)
    assert done.code == 2, done.output
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert sorted(setuptools_c.rglob("*")) == before


@pytest.mark.parametrize(
    ("levels", "message"), [("v1,v9", "bundle 'v9'"), ("v1,v3,v3", "names v3 twice")]
)
def test_a_wrong_bundle_is_refused_before_an_environment_is_created(
    setuptools_c: Path, tool: Environment, levels: str, message: str
) -> None:
    program = tool.directory / "bin" / "variantbuild"
    done = tool.run(program, "build", "--bundle", levels, cwd=setuptools_c)
    assert done.code == 2
    assert message in done.stderr
    assert "creating an environment" not in done.stderr
    assert not (setuptools_c / "dist").exists()


def test_plan_json(setuptools_c: Path, tool: Environment) -> None:
    program = tool.directory / "bin" / "variantbuild"
    done = tool.run(
        program, "plan", "--target", "v3", "--json", cwd=setuptools_c, CFLAGS="-march=native"
    )
    value = check("plan", done.ok().stdout)
    assert "-march=native" in str(value["messages"])
    assert not (setuptools_c / "build").exists()
