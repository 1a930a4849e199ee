"""pip in fresh environments: what it installs is what was compiled, under the name it earned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pythons import VERSIONS, find_python
from workshop import Environment, MakeEnvironment, run

pytestmark = [pytest.mark.isolated, pytest.mark.compile]

Project = Callable[[str], Path]


@pytest.mark.parametrize(
    ("name", "module"), [("setuptools-c", "whatami"), ("setuptools-cxx", "whatami_cxx")]
)
def test_install_tree(
    environment: Environment, project: Project, name: str, module: str, host_level: str
) -> None:
    done = environment.pip("install", project(name)).ok()
    assert environment.compiled_for(module) == {"level": host_level, "optimized": 1, "user": 0}
    distribution = module.replace("_", "-")
    expected = "1.0" if host_level == "v1" else f"1.0+{host_level}"
    assert environment.version(distribution) == expected
    assert environment.pip("check").ok()
    assert "error" not in done.stderr.lower()


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


def test_install_editable(environment: Environment, project: Project) -> None:
    tree = project("setuptools-c")
    environment.pip("install", "-e", tree, VARIANTBUILD_TARGET="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"
    assert environment.version("whatami") == "1.0"


def test_install_without_isolation(environment: Environment, project: Project) -> None:
    environment.uv_pip("install", "variantbuild", "setuptools").ok()
    tree = project("setuptools-c")
    environment.pip("install", "--no-build-isolation", tree, VARIANTBUILD_TARGET="v2").ok()
    assert environment.compiled_for("whatami")["level"] == "v2"


def test_pure_project_is_not_stamped(environment: Environment, project: Project) -> None:
    environment.pip("install", project("pure")).ok()
    assert environment.ask("plainpkg.ANSWER", "plainpkg") == "42"
    assert environment.version("plainpkg") == "1.0"


def test_in_tree_delegate(environment: Environment, project: Project) -> None:
    tree = project("in-tree-delegate")
    done = environment.pip("install", "-v", tree, VARIANTBUILD_CPU="v3").ok()
    assert "own backend at work" in done.output
    assert environment.compiled_for("whatami_tree") == {"level": "v3", "optimized": 1, "user": 0}
    assert environment.version("whatami-tree") == "1.0+v3"


def test_meson_python(environment: Environment, project: Project) -> None:
    environment.pip("install", project("meson-c"), VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami_meson") == {"level": "v3", "optimized": 1, "user": 0}
    assert environment.version("whatami-meson") == "1.0+v3"


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


def test_uv_pip_install(environment: Environment, project: Project) -> None:
    """uv gets a plain version: with a local one `uv sync` would never settle."""
    environment.uv_pip("install", project("setuptools-c"), VARIANTBUILD_CPU="v3").ok()
    assert environment.compiled_for("whatami")["level"] == "v3"
    assert environment.version("whatami") == "1.0"


def test_build(environment: Environment, project: Project) -> None:
    environment.uv_pip("install", "build").ok()
    tree = project("setuptools-c")
    build = (environment.python, "-m", "build", "-o", "dist", ".")
    environment.run(*build, cwd=tree, VARIANTBUILD_CPU="v3").ok()
    names = sorted(path.name for path in (tree / "dist").iterdir())
    python = environment.ask("'cp%d%d' % sys.version_info[:2]", "sys")
    assert names == [
        f"whatami-1.0+v3-{python}-{python}-linux_x86_64.linux_x86_64_v3.whl",
        "whatami-1.0.tar.gz",
    ]
    (wheel, _) = sorted((tree / "dist").iterdir())
    environment.pip("install", wheel).ok()
    assert environment.compiled_for("whatami")["level"] == "v3"
    run(
        environment.uv,
        "pip",
        "uninstall",
        "--python",
        environment.python,
        "whatami",
        cwd=tree,
        env=environment.env,
    ).ok()
    environment.uv_pip("install", wheel).ok()
    assert environment.compiled_for("whatami")["level"] == "v3"
