"""What other tools say of the odd wheels once they are stamped: all of them take every one."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wheels.forge import Draft
from wheels.good import good_cases

Stamped = Callable[[Path], Path]

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the corpus holds Linux wheels"
)
#: Sound by every rule, yet the one tag is a variant's, which no installer takes, and the other's
#: folded version is none to pip on Python 3.10 (pkg_resources), before the stamp as after.
_UNINSTALLABLE = ("hybrid", "version on a line of its own")
_PIP = """
import sys
from pip._internal.cli.main import main
for i, wheel in enumerate(sys.argv[2:]):
    code = main(["install", "-q", "--no-index", "--no-deps", "--no-compile", "--target",
                 f"{sys.argv[1]}/{i}", "--disable-pip-version-check", wheel])
    if code:
        sys.exit(f"{wheel}: {code}")
"""
_INSTALLER = """
import sys
from installer.sources import WheelFile
for wheel in sys.argv[1:]:
    with WheelFile.open(wheel) as source:
        source.validate_record(validate_contents=True)
"""


@pytest.fixture(scope="session")
def stamped_corpus(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every odd wheel of the corpus, stamped, each in a folder of its own."""
    from variantbuild.wheel import (
        Edit,
        apply_edit,
        name_stamp,
        open_wheel,
        plan_edit,
        plan_stamp,
        verify_wheel,
    )

    root = tmp_path_factory.mktemp("stamped")
    outputs = []
    for number, case in enumerate(good_cases()):
        if case.name in _UNINSTALLABLE:
            continue
        folder = root / str(number)
        folder.mkdir()
        path = folder / case.draft.file_name
        path.write_bytes(case.draft.build())
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel)
            if "any" in inventory.file_name.platforms:
                plan = plan_edit(inventory, Edit(version=f"{inventory.version}+v3"))
            else:
                plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
            outputs.append(apply_edit(wheel, plan, folder, consume=True))
    return outputs


def run(argv: list[str | Path], cwd: Path) -> None:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.endswith("OK")]
    assert done.returncode == 0, "\n".join(said)[-3000:]


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def need(distribution: str) -> None:
    # Not by looking for the module: setuptools takes distutils away where someone looks for pip.
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")


def test_installer_validates_every_record(stamped_corpus: list[Path], tmp_path: Path) -> None:
    need("installer")
    run([sys.executable, "-c", _INSTALLER, *stamped_corpus], tmp_path)


def test_pip_installs_them(stamped_corpus: list[Path], tmp_path: Path) -> None:
    need("pip")
    run([sys.executable, "-c", _PIP, tmp_path, *stamped_corpus], tmp_path)


def test_uv_installs_them(stamped_corpus: list[Path], tmp_path: Path) -> None:
    uv = program("uv")
    for number, wheel in enumerate(stamped_corpus):
        argv = [uv, "pip", "install", "-q", "--offline", "--no-deps", "--python", sys.executable]
        folders = ["--cache-dir", str(tmp_path / "cache"), "--target", str(tmp_path / str(number))]
        run([*argv, *folders, wheel], tmp_path)


def test_twine_takes_their_metadata(stamped_corpus: list[Path], tmp_path: Path) -> None:
    run([program("twine"), "--no-color", "check", *stamped_corpus], tmp_path)


def test_check_wheel_contents_finds_nothing_new(stamped_corpus: list[Path], tmp_path: Path) -> None:
    # These speak of what a project chose to ship (equal files, many packages), which the corpus
    # does on purpose; what an edit could break are the others.
    argv = [
        program("check-wheel-contents"),
        "--no-config",
        "--ignore",
        "W002,W003,W004,W005,W009,W010",
    ]
    run([*argv, *stamped_corpus], tmp_path)


def test_validators_would_see_a_broken_record(tmp_path: Path) -> None:
    need("installer")
    draft = Draft()
    draft.rows(lambda rows: rows.pop(0))
    path = tmp_path / draft.file_name
    path.write_bytes(draft.build())
    done = subprocess.run(
        [sys.executable, "-c", _INSTALLER, path], capture_output=True, check=False
    )
    assert done.returncode != 0
