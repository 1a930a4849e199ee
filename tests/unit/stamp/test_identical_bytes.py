"""A stamped wheel has the same bytes wherever, whenever and by whomever it is stamped."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from binaries.elves import command_lines, elf, isa_note
from wheels.forge import Draft

_BACKEND = Path(__file__).resolve().parents[3] / "backend"
_EPOCH = "1700000000"
#: Environments that tools have been seen to depend on, each with a umask.
_PLACES = {
    "another zone": ({"TZ": "Pacific/Kiritimati"}, 0o022),
    "a zone behind": ({"TZ": "America/St_Johns"}, 0o022),
    "another locale": ({"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}, 0o022),
    "the locale C": ({"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, 0o022),
    "hash seed 1": ({"PYTHONHASHSEED": "1"}, 0o022),
    "hash seed 4242": ({"PYTHONHASHSEED": "4242"}, 0o022),
    "umask 0": ({}, 0),
    "umask 077": ({}, 0o077),
    "another home": ({"HOME": "/nonexistent", "USER": "somebody"}, 0o022),
    "a terminal": ({"FORCE_COLOR": "1", "COLUMNS": "40"}, 0o022),
    "optimised": ({"PYTHONOPTIMIZE": "2"}, 0o022),
}


def stamped(wheel: Path, out: Path, env: dict[str, str], umask: int) -> str:
    """Stamp `wheel` in another process; return its name and the digest of its bytes."""
    code = f"import os, sys; os.umask({umask}); from variantbuild.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "stamp", str(wheel), "--target", "v3", "-o", str(out)]
    given = {**os.environ, "PYTHONPATH": str(_BACKEND), "SOURCE_DATE_EPOCH": _EPOCH, **env}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = out.iterdir()
    return f"{made.name} {hashlib.sha256(made.read_bytes()).hexdigest()}"


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str, str]:
    """Return a wheel, its name, and what stamping it gives here."""
    directory = tmp_path_factory.mktemp("identical")
    draft = Draft()
    marked = elf(note=isa_note(4), sections=command_lines("GNU C17 -march=x86-64-v3"))
    draft.part("demo/core.so").data = marked
    wheel = directory / draft.file_name
    wheel.write_bytes(draft.build())
    return wheel.read_bytes(), wheel.name, stamped(wheel, directory / "out", {"TZ": "UTC"}, 0o022)


@pytest.mark.parametrize("place", _PLACES)
def test_environment(expected: tuple[bytes, str, str], tmp_path: Path, place: str) -> None:
    data, name, digest = expected
    env, umask = _PLACES[place]
    directory = tmp_path / "another path" / "with é"
    directory.mkdir(parents=True)
    (directory / name).write_bytes(data)
    os.utime(directory / name, (1, 1))
    assert stamped(directory / name, directory / "out", env, umask) == digest


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no second file system")
def test_file_system(expected: tuple[bytes, str, str]) -> None:
    data, name, digest = expected
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        wheel = Path(directory, name)
        wheel.write_bytes(data)
        assert stamped(wheel, Path(directory, "out"), {}, 0o022) == digest


def test_the_time_counts(expected: tuple[bytes, str, str], tmp_path: Path) -> None:
    data, name, digest = expected
    (tmp_path / name).write_bytes(data)
    other = stamped(tmp_path / name, tmp_path / "out", {"SOURCE_DATE_EPOCH": "1262304000"}, 0o022)
    assert other != digest


def test_a_wrong_time_is_refused(expected: tuple[bytes, str, str], tmp_path: Path) -> None:
    data, name, _ = expected
    (tmp_path / name).write_bytes(data)
    env = {**os.environ, "PYTHONPATH": str(_BACKEND), "SOURCE_DATE_EPOCH": "1e3"}
    command = [
        sys.executable,
        "-m",
        "variantbuild",
        "stamp",
        str(tmp_path / name),
        "--target",
        "v3",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "SOURCE_DATE_EPOCH is '1e3': expected a whole number" in done.stderr
