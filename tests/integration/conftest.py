"""Session wheelhouse, fresh environments, and the sources that front ends install from."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices import TOOLCHAIN, download_once
from frontends import Sources, Table, lay_out_index, serve
from wheelhouse import fill_wheelhouse, share_once
from workshop import (
    Environment,
    MakeEnvironment,
    clean_environment,
    copy_project,
    run,
)


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels of everything that isolated builds need, variantbuild from this checkout."""
    return share_once(tmp_path_factory, "wheelhouse", fill_wheelhouse)


@pytest.fixture(scope="session")
def nvidia_wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheels of CUDA's compiler, 0.15 GB, downloaded once a session."""
    return download_once(tmp_path_factory, "nvidia", *TOOLCHAIN)


@pytest.fixture(scope="session")
def cuobjdump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NVIDIA's own reader of device code, from its wheel."""
    (wheel,) = download_once(tmp_path_factory, "cuobjdump", "nvidia-cuda-cuobjdump>=13.2").iterdir()
    directory = tmp_path_factory.mktemp("cuobjdump")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory)
    (program,) = directory.glob("nvidia/cu*/bin/cuobjdump")
    program.chmod(0o755)
    return program


@pytest.fixture(scope="session")
def uv_program() -> Path:
    """The uv that is installed next to pytest."""
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        pytest.fail("uv is not installed: pip install '.[test]'")
    return Path(found)


@pytest.fixture
def make_environment(tmp_path: Path, wheelhouse: Path, uv_program: Path) -> MakeEnvironment:
    """Return a maker of fresh virtual environments with pip in them."""

    def make(name: str = "venv", python: str | Path = sys.executable, *extra: str) -> Environment:
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        env = clean_environment(home, wheelhouse)
        directory = tmp_path / name
        run(uv_program, "venv", "-q", "--python", python, directory, cwd=tmp_path, env=env).ok()
        environment = Environment(directory, wheelhouse, uv_program, env)
        # With a cache of all tests: each test has its own for what it installs itself.
        cache = str(wheelhouse.with_name("uv-cache"))
        environment.uv_pip("install", "-q", "pip", *extra, UV_CACHE_DIR=cache).ok()
        return environment

    return make


@pytest.fixture
def environment(make_environment: MakeEnvironment) -> Environment:
    """One fresh environment."""
    return make_environment()


@pytest.fixture(scope="session")
def host_level() -> str:
    """The x86-64 level of this machine."""
    from variantbuild.host.local import LocalHost
    from variantbuild.probe.cpu import probe_cpu
    from variantbuild.probe.facts import Found

    fact = probe_cpu(LocalHost(env=os.environ))
    assert isinstance(fact, Found)
    return fact.value.level or "none"


@pytest.fixture(scope="session")
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """Collect the outcome of each route of the front ends, and print the table at the end."""
    made = Table()
    yield made
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"\n{made}\n")


@pytest.fixture(scope="session")
def sources(
    tmp_path_factory: pytest.TempPathFactory, wheelhouse: Path, uv_program: Path
) -> Iterator[Sources]:
    """Make an sdist, a simple index over HTTP (PEP 503) and a git repository of one project."""
    directory = tmp_path_factory.mktemp("sources")
    tree = copy_project("setuptools-c", directory)
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('[project.optional-dependencies]\nextra = ["packaging"]\n')
    env = clean_environment(directory / "home", wheelhouse)
    pristine = directory / "repository"
    shutil.copytree(tree, pristine)
    made = ("--sdist", "-o", directory / "sdist", tree)
    run(uv_program, "build", "-q", *made, cwd=directory, env=env).ok()
    (sdist,) = (directory / "sdist").glob("*.tar.gz")
    lay_out_index(directory / "served", [sdist])
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "x")):
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", *identity, *command], cwd=pristine, check=True, env=env)
    app = copy_project("app", directory)
    with serve(directory / "served") as address:
        yield Sources(tree, sdist, address, pristine, app)


@pytest.fixture
def index(sources: Sources, wheelhouse: Path, tmp_path: Path) -> Iterator[str]:
    """Serve the sdist and the wheelhouse over HTTP, for front ends that need both in one index."""
    lay_out_index(tmp_path / "served", [sources.sdist, *wheelhouse.glob("*.whl")])
    with serve(tmp_path / "served") as address:
        yield address
