"""pip in fresh environments: what it installs is what was compiled, under the name it earned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pythons import VERSIONS, find_python
from workshop import Environment, MakeEnvironment

pytestmark = [pytest.mark.isolated, pytest.mark.compile]

Project = Callable[[str], Path]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python(make_environment: MakeEnvironment, project: Project, version: str) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    environment = make_environment("other", python)
    environment.pip("install", project("setuptools-c"), VARIANTBUILD_CPU="v2").ok()
    assert environment.compiled_for("whatami") == {"level": "v2", "optimized": 1, "user": 0}
    assert environment.version("whatami") == "1.0+v2"


def test_install_tree_for_a_lesser_level(environment: Environment, project: Project) -> None:
    tree = project("setuptools-c")
    environment.pip("install", tree, "-C", "variantbuild.cpu=v2", CFLAGS="-DUSER_DEFINE=7").ok()
    assert environment.compiled_for("whatami") == {"level": "v2", "optimized": 1, "user": 7}
    assert environment.version("whatami") == "1.0+v2"
    # The same tree with other flags never takes objects of the first build.
    environment.pip("install", "--force-reinstall", tree, VARIANTBUILD_CPU="v1").ok()
    assert environment.compiled_for("whatami")["level"] == "v1"
    assert environment.version("whatami") == "1.0"


def test_install_sdist_and_by_name(environment: Environment, project: Project) -> None:
    """pip by name refuses a version that the index did not announce, so it stays plain."""
    tree = project("setuptools-c")
    environment.uv_pip("install", "build").ok()
    environment.run(environment.python, "-m", "build", "--sdist", "-o", "dist", ".", cwd=tree).ok()
    (sdist,) = (tree / "dist").iterdir()
    assert sdist.name == "whatami-1.0.tar.gz"
    environment.pip("install", sdist, VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"
    assert environment.version("whatami") == "1.0"
    environment.pip("uninstall", "-y", "whatami").ok()
    links = ("--find-links", tree / "dist", "--no-binary", "whatami")
    environment.pip("install", *links, "whatami==1.0", VARIANTBUILD_CPU="v2").ok()
    assert environment.compiled_for("whatami")["level"] == "v2"
    environment.pip("check").ok()
    # Another processor, the same cache: never the wheel of the first.
    again = ("install", "--force-reinstall", "--no-deps", *links, "whatami")
    environment.pip(*again, VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"


def test_install_without_isolation(environment: Environment, project: Project) -> None:
    environment.uv_pip("install", "variantbuild", "setuptools").ok()
    tree = project("setuptools-c")
    environment.pip("install", "--no-build-isolation", tree, VARIANTBUILD_TARGET="v2").ok()
    assert environment.compiled_for("whatami")["level"] == "v2"


def test_path_with_spaces_and_umlauts(environment: Environment, project: Project) -> None:
    tree = project("setuptools-c")
    odd = tree.with_name("grüße aus köln")
    tree.rename(odd)
    environment.pip("install", odd, VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"


def test_source_tree_is_left_as_the_delegate_leaves_it(
    environment: Environment, project: Project, tmp_path: Path
) -> None:
    """Beside setuptools' own build and egg-info folders nothing appears."""
    tree = project("setuptools-c")
    before = {path.name for path in tree.iterdir()}
    environment.pip("wheel", "-w", tmp_path / "out", tree, VARIANTBUILD_CPU="v2").ok()
    assert {path.name for path in tree.iterdir()} - before <= {"build", "whatami.egg-info"}
    assert all(path.name.startswith("variantbuild-v2-") for path in (tree / "build").iterdir())
