"""Builds that end without a stamp, through pip and build: why, and what is left of them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from workshop import Environment, MakeEnvironment

pytestmark = [pytest.mark.compile, pytest.mark.isolated]


@pytest.fixture
def environment(make_environment: MakeEnvironment) -> Environment:
    return make_environment("venv", sys.executable, "variantbuild", "setuptools", "build")


def test_an_optional_extension_that_does_not_compile(
    environment: Environment, setuptools_optional: Path
) -> None:
    done = environment.run(environment.python, "-m", "build", "-nwx", ".", cwd=setuptools_optional)
    assert done.code == 0
    assert (
        "warning: not stamped as v3: the wheel contains no machine code, but the source tree "
        "contains src/m.c: an optional extension may have failed to compile"
    ) in done.output


def test_an_extension_that_a_condition_leaves_out(
    environment: Environment, setuptools_condition: Path
) -> None:
    done = environment.run(environment.python, "-m", "build", "-nwx", ".", cwd=setuptools_condition)
    assert done.code == 0
    assert "or a condition may have left it out" in done.output


def test_a_pure_wheel_from_a_tree_without_sources(environment: Environment, pure: Path) -> None:
    done = environment.run(
        environment.python, "-m", "build", "-nwx", ".", cwd=pure, VARIANTBUILD_CPU="v3"
    )
    assert done.code == 0
    assert "note: not stamped as v3: the wheel contains no machine code\n" in done.output


def test_pip_goes_on_from_the_wheel_that_was_refused(
    environment: Environment, setuptools_too_much: Path, tmp_path: Path
) -> None:
    """pip unpacks the sdist to another temporary directory each time."""
    sdist = environment.run(
        environment.python, "-m", "build", "-nsx", "-o", tmp_path, ".", cwd=setuptools_too_much
    )
    assert sdist.code == 0
    words = ("wheel", "-v", "--no-build-isolation", "--no-deps", "-w", tmp_path / "out")
    refused = environment.pip(*words, tmp_path / "tiny-1.0.tar.gz")
    assert refused.code != 0
    assert "not stamped as v3: tiny" in refused.output
    found = re.search(r"the built wheel is kept: (\S+\.whl)", refused.output)
    assert found is not None
    audited = environment.run(environment.python, "-m", "variantbuild", "audit", found[1])
    assert "declares no variant; the code needs v4" in audited.output
    relaxed = ("-C", "variantbuild.audit=warn")
    done = environment.pip(*words, *relaxed, tmp_path / "tiny-1.0.tar.gz").ok()
    assert "nothing is compiled" in done.output
    assert "building 'tiny' extension" not in done.output
    assert "building 'tiny' extension" in refused.output


def test_the_kept_wheel_is_stamped_with_what_it_is(
    environment: Environment, setuptools_too_much: Path, tmp_path: Path
) -> None:
    refused = environment.run(
        environment.python, "-m", "build", "-nwx", ".", cwd=setuptools_too_much
    )
    found = re.search(r"the built wheel is kept: (\S+\.whl)", refused.output)
    assert found is not None
    stamp = ("-m", "variantbuild", "stamp", found[1], "--target", "v4", "-o", tmp_path)
    stamped = environment.run(environment.python, *stamp).ok()
    assert "tiny-1.0+v4-" in stamped.stdout
    cleared = environment.run(
        environment.python, "-m", "variantbuild", "cache", "clear", "--tree", setuptools_too_much
    ).ok()
    assert "1 wheel removed" in cleared.stdout
    assert not Path(found[1]).exists()
