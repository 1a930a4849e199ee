"""Other tools accept every unusual wheel of the corpus after it was stamped."""

from __future__ import annotations

import importlib.metadata
import itertools
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from variantbuild.stamp import name_stamp, plan_stamp
from variantbuild.wheel import Edit, apply_edit, open_wheel, plan_edit, verify_wheel
from wheels.forge import Draft
from wheels.good import good_cases

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the corpus holds Linux wheels"
)
#: Odd wheels that some versions of a tool refuse, and why: before the stamp as after it.
_FOLDED = "some parsers take no line end within a value"
_NO_TAG = "its one tag is a variant's, which no installer knows"
_NO_DIRECTORIES = "uv takes no directories among the scripts"
_EXCUSED = {
    "pip": {
        "hybrid": _NO_TAG,
        "version on a line of its own": _FOLDED,
        "folded requirement": _FOLDED,
    },
    "uv": {
        "hybrid": _NO_TAG,
        "nested script": _NO_DIRECTORIES,
        "folded requirement": _FOLDED,
        "version on a line of its own": _FOLDED,
    },
    "twine": {"folded requirement": _FOLDED, "version on a line of its own": _FOLDED},
}
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


@dataclass(frozen=True)
class Pair:
    """A wheel of the corpus and what a stamp made of it."""

    name: str
    before: Path
    after: Path


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    """Every odd wheel of the corpus, stamped, each in its own directory."""
    root = tmp_path_factory.mktemp("stamped")
    made = []
    for number, case in enumerate(good_cases()):
        directory, output = root / str(number), root / str(number) / "stamped"
        output.mkdir(parents=True)
        path = directory / case.draft.file_name
        path.write_bytes(case.draft.build())
        with open_wheel(path) as wheel:
            inventory = verify_wheel(wheel)
            if "any" in inventory.file_name.platforms:
                plan = plan_edit(inventory, Edit(version=f"{inventory.version}+v3"))
            else:
                plan = plan_stamp(inventory, name_stamp(inventory, "set", "v3", "_v3"))
            made.append(Pair(case.name, path, apply_edit(wheel, plan, output)))
    return made


def run(argv: Sequence[str | Path], cwd: Path) -> str:
    """Run a tool and return its complaints; empty if there are none."""
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.endswith("OK")]
    return "\n".join(said)[-3000:] or "refused" if done.returncode else ""


def check_all(tool: str, pairs: Sequence[Pair], check: Callable[[Sequence[Path]], str]) -> None:
    """Let `tool` check every stamped wheel, except for those that it rejects unstamped too.

    `check` returns the complaints about some wheels.
    """
    excused = _EXCUSED.get(tool, {})
    assert not check([pair.after for pair in pairs if pair.name not in excused])
    named = {pair.name: pair for pair in pairs}
    for name in excused:
        before, after = check([named[name].before]), check([named[name].after])
        assert bool(before) == bool(after), f"{name}: {before} -> {after}"


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def need(distribution: str) -> None:
    # Not by looking for the module: setuptools removes distutils if someone looks for pip.
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{distribution} is not installed")


def test_installer_validates_every_record(pairs: list[Pair], tmp_path: Path) -> None:
    need("installer")
    check_all(
        "installer",
        pairs,
        lambda wheels: run([sys.executable, "-c", _INSTALLER, *wheels], tmp_path),
    )


def test_pip_installs_them(pairs: list[Pair], tmp_path: Path) -> None:
    need("pip")
    numbers = itertools.count()

    def install(wheels: Sequence[Path]) -> str:
        return run([sys.executable, "-c", _PIP, str(next(numbers)), *wheels], tmp_path)

    check_all("pip", pairs, install)


def test_uv_installs_them(pairs: list[Pair], tmp_path: Path) -> None:
    uv = program("uv")
    numbers = itertools.count()

    def install(wheels: Sequence[Path]) -> str:
        argv = [uv, "pip", "install", "-q", "--offline", "--no-deps", "--python", sys.executable]
        cache = ["--cache-dir", str(tmp_path / "cache"), "--target"]
        said = (run([*argv, *cache, f"{next(numbers)}", wheel], tmp_path) for wheel in wheels)
        return "\n".join(filter(None, said))

    check_all("uv", pairs, install)


def test_twine_takes_their_metadata(pairs: list[Pair], tmp_path: Path) -> None:
    twine = program("twine")
    check_all("twine", pairs, lambda wheels: run([twine, "--no-color", "check", *wheels], tmp_path))


def test_check_wheel_contents_finds_nothing_new(pairs: list[Pair], tmp_path: Path) -> None:
    # These speak of what a project chose to ship (equal files, many packages), which the corpus
    # does on purpose; what an edit could break are the others.
    argv = [program("check-wheel-contents"), "--no-config"]
    argv += ["--ignore", "W002,W003,W004,W005,W009,W010"]
    check_all("check-wheel-contents", pairs, lambda wheels: run([*argv, *wheels], tmp_path))


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
