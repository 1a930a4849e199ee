"""Fixtures of the unit tests: machines served from recorded files, wheels of the corpus."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faketools import RefusingTools, write_compilers
from hosts import gpus
from hosts.recorded import RecordedHost
from variantbuild.host.local import LocalHost
from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.wheel import Edit, Plan, apply_edit, open_wheel, plan_edit, verify_wheel
from variantbuild.wheel.distinfo.record import Chunks
from wheels.forge import Draft

Stamped = Callable[[Path, Chunks], Path]


@pytest.fixture(scope="session")
def refusing_tools(tmp_path_factory: pytest.TempPathFactory) -> RefusingTools:
    """Build tools that refuse to run."""
    return RefusingTools(tmp_path_factory.mktemp("refusing-tools"))


@pytest.fixture(autouse=True)
def no_build_tools(
    refusing_tools: RefusingTools, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fail each test that starts a build tool: what compiles belongs in tests/integration."""
    monkeypatch.setenv("PATH", str(refusing_tools.directory), prepend=os.pathsep)
    yield
    if calls := refusing_tools.take_calls():
        pytest.fail(f"a unit test started build tools:\n{calls}", pytrace=False)


@pytest.fixture(scope="session")
def compilers_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the compilers of `fake_compilers`."""
    directory = tmp_path_factory.mktemp("compilers")
    write_compilers(directory)
    return directory


@pytest.fixture
def fake_compilers(
    no_build_tools: None, compilers_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Put compilers on PATH that answer as gcc 12.2 does, and write modules without compiling."""
    for name in ("CC", "CXX", "FC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(compilers_directory), prepend=os.pathsep)
    return compilers_directory


@pytest.fixture
def recorded_host() -> Callable[[str], RecordedHost]:
    """Load a machine of tests/hosts by its directory's name."""
    return RecordedHost.load


@pytest.fixture
def local_host() -> LocalHost:
    """The machine that the tests run on."""
    return LocalHost(env=os.environ)


@pytest.fixture
def gpu_host() -> Callable[[str], RecordedHost]:
    """Load a machine of tests/hosts/gpu by its file's name."""
    return gpus.load


@pytest.fixture
def stamped(tmp_path: Path) -> Stamped:
    """Stamp a wheel as v3 (only its version where it is pure) and return the new one.

    Its check is divided as the second argument says.
    """

    def stamp(path: Path, chunks: Chunks) -> Path:
        directory = tmp_path / "stamped"
        directory.mkdir(exist_ok=True)
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel, chunks=chunks)
            plan: Plan
            if "any" in inventory.file_name.platforms:
                version = f"{inventory.version}{'.' if '+' in inventory.version else '+'}v3"
                plan = plan_edit(inventory, Edit(version=version))
            else:
                plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
            return apply_edit(wheel, plan, directory)

    return stamp


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """Return the path of a sound wheel on disk."""
    draft = Draft()
    path = tmp_path / draft.file_name
    path.write_bytes(draft.build())
    return path
