"""Bundles on older systems: Debian 11, whose glibc 2.31 does not search glibc-hwcaps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bundles import INCLUDE, Binary, make_wheels, unpack
from debian11 import make_root, python_of, why_not
from workshop import run

pytestmark = [
    pytest.mark.compile,
    pytest.mark.isolated,
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]

LEVELS = ("v1", "v3", "v4")
EMULATED = {"qemu64": "v1", "Nehalem": "v1", "Haswell": "v3"}


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    """Return the words that run Debian 11's Python."""
    try:
        return python_of(make_root(tmp_path_factory.mktemp("debian11")))
    except RuntimeError as error:
        pytest.skip(f"Debian 11's packages cannot be had: {error}")


@pytest.fixture(scope="module", params=["stub", "loader", "auto"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle of a module with the stable ABI, which Python 3.9 loads."""
    folder = tmp_path_factory.mktemp(str(request.param))
    binary = Binary("demo/limited.abi3.so", "limited.c", (f"-I{INCLUDE}",))
    wheels = make_wheels(folder, [binary], LEVELS)
    words = ("bundle", *map(str, wheels), "-o", str(folder / "out"), "--method", str(request.param))
    done = run(sys.executable, "-m", "variantbuild", *words, cwd=folder, env=os.environ).ok()
    return Path(done.stdout.strip())


def test_the_best_copy_of_each_cpu(
    made: Path, python: tuple[str, ...], tmp_path: Path, host_level: str
) -> None:
    site = unpack(made, tmp_path / "site")
    has_loader = (site / "demo/glibc-hwcaps").exists()
    code = f"import sys; sys.path.insert(0, {str(site)!r})\nimport demo.limited as m\n"
    code += "import os; print(m.level().split()[0], os.confstr('CS_GNU_LIBC_VERSION'))"
    found = {}
    for cpu in ("", *EMULATED):
        prefix = ("qemu-x86_64", "-cpu", cpu) if cpu else ()
        done = subprocess.run(
            [*prefix, *python, "-I", "-c", code], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        level, libc = done.stdout.split(maxsplit=1)
        assert libc.strip() == "glibc 2.31"
        found[cpu] = level
    # The module tells v3 and v4 not apart.
    expected = {"": "v3" if host_level >= "v3" else "v1", **EMULATED}
    assert found == (dict.fromkeys(expected, "v1") if has_loader else expected)


def test_the_audit_says_that_it_runs_everywhere(made: Path, tmp_path: Path) -> None:
    words = (sys.executable, "-m", "variantbuild", "audit", "--expect", "v1", made)
    done = run(*words, cwd=tmp_path, env=os.environ).ok()
    assert "runs on v1: yes" in done.stdout
