"""pip in fresh environments: it installs what was compiled, under the right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pythons import VERSIONS, find_python
from workshop import Environment, MakeEnvironment

pytestmark = [pytest.mark.isolated, pytest.mark.compile]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python(setuptools_c: Path, make_environment: MakeEnvironment, version: str) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    environment = make_environment("other", python)
    environment.pip("install", setuptools_c, VARIANTBUILD_CPU="v2").ok()
    assert environment.compiled_for("whatami") == {"level": "v2", "optimized": 1, "user": 0}
    assert environment.version("whatami") == "1.0+v2"


def test_install_tree_for_a_lesser_level(setuptools_c: Path, environment: Environment) -> None:
    environment.pip(
        "install", setuptools_c, "-C", "variantbuild.cpu=v2", CFLAGS="-DUSER_DEFINE=7"
    ).ok()
    assert environment.compiled_for("whatami") == {"level": "v2", "optimized": 1, "user": 7}
    assert environment.version("whatami") == "1.0+v2"
    # The same setuptools_c with other flags never uses objects of the first build.
    environment.pip("install", "--force-reinstall", setuptools_c, VARIANTBUILD_CPU="v1").ok()
    assert environment.compiled_for("whatami")["level"] == "v1"
    assert environment.version("whatami") == "1.0"


def test_install_sdist_and_by_name(setuptools_c: Path, environment: Environment) -> None:
    """pip by name refuses a version that the index did not announce, so it stays plain."""
    environment.uv_pip("install", "build").ok()
    environment.run(
        environment.python, "-m", "build", "--sdist", "-o", "dist", ".", cwd=setuptools_c
    ).ok()
    (sdist,) = (setuptools_c / "dist").iterdir()
    assert sdist.name == "whatami-1.0.tar.gz"
    environment.pip("install", sdist, VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"
    assert environment.version("whatami") == "1.0"
    environment.pip("uninstall", "-y", "whatami").ok()
    links = ("--find-links", setuptools_c / "dist", "--no-binary", "whatami")
    environment.pip("install", *links, "whatami==1.0", VARIANTBUILD_CPU="v2").ok()
    assert environment.compiled_for("whatami")["level"] == "v2"
    environment.pip("check").ok()
    # Another CPU, the same cache: never the wheel of the first.
    again = ("install", "--force-reinstall", "--no-deps", *links, "whatami")
    environment.pip(*again, VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"


def test_install_without_isolation(setuptools_c: Path, environment: Environment) -> None:
    environment.uv_pip("install", "variantbuild", "setuptools").ok()
    environment.pip("install", "--no-build-isolation", setuptools_c, VARIANTBUILD_TARGET="v2").ok()
    assert environment.compiled_for("whatami")["level"] == "v2"


def test_path_with_spaces_and_umlauts(setuptools_c: Path, environment: Environment) -> None:
    odd = setuptools_c.with_name("grüße aus köln")
    setuptools_c.rename(odd)
    environment.pip("install", odd, VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"


def test_source_tree_is_left_as_the_delegate_leaves_it(
    setuptools_c: Path, environment: Environment, tmp_path: Path
) -> None:
    """Nothing appears in the source tree but setuptools' build and egg-info directories."""
    before = {path.name for path in setuptools_c.iterdir()}
    environment.pip("wheel", "-w", tmp_path / "out", setuptools_c, VARIANTBUILD_CPU="v2").ok()
    assert {path.name for path in setuptools_c.iterdir()} - before <= {"build", "whatami.egg-info"}
    assert all(
        path.name.startswith("variantbuild-v2-") for path in (setuptools_c / "build").iterdir()
    )
