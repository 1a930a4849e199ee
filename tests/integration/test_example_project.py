"""The example project for the baseline and a level: same results, different code.

The baseline is built by `python -m build`, through an sdist; the level by pip, from the tree.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from variantbuild.binary.elf import parse_elf
from wheelhouse import share_once
from workshop import REPO, Environment, MakeEnvironment, copy_project

pytestmark = [pytest.mark.isolated, pytest.mark.compile]

#: Searches generated data and saves the results; prints nothing.
SEARCH = """
import sys
import numpy as np
import vecsearch
random = np.random.default_rng(1)
vectors = random.normal(size=(2050, 100)).astype(np.float16)
bits = random.integers(0, 256, (2050, 77), np.uint8)
found = {}
for queries in (1, 50):
    for metric in ("ip", "l2"):
        scores, rows = vecsearch.search_fp16(vectors[50:], vectors[:queries], 20, metric)
        found |= {f"{metric}{queries}": scores, f"{metric}{queries}_rows": rows}
    scores, rows = vecsearch.search_hamming(bits[50:], bits[:queries], 20)
    found |= {f"hamming{queries}": scores, f"hamming{queries}_rows": rows}
np.savez(sys.argv[1], **found)
"""

#: Compares two of these files: everything except squared distances must be bit-identical.
COMPARE = """
import sys
import numpy as np
one, other = np.load(sys.argv[1]), np.load(sys.argv[2])
for name in one.files:
    if name in ("l21", "l250"):
        bound = 2 * (100 / 8 + 8) * 2.0**-24 * one[name]
        assert (np.abs(one[name] - other[name]) <= bound).all(), name
    else:
        assert np.array_equal(one[name], other[name]), name
"""


def module_of(environment: Environment) -> Path:
    (module,) = environment.directory.glob("lib/python*/site-packages/vecsearch/_core*.so")
    return module


def disassemble(module: Path) -> str:
    objdump = shutil.which("objdump")
    if objdump is None:
        pytest.skip("objdump is not installed")
    done = subprocess.run(
        [objdump, "-d", "--no-show-raw-insn", module], check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def baseline(make_environment: MakeEnvironment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an sdist, and the wheel for v1 that was built from it, once a session."""

    def fill(directory: Path) -> None:
        environment = make_environment("builder", sys.executable, "build")
        command = (environment.python, "-m", "build", "-C", "variantbuild.target=v1")
        source = copy_project("example_project", environment.directory)
        environment.run(*command, "-o", directory, ".", cwd=source).ok()

    return share_once(tmp_path_factory, "example", fill)


def test_same_answers_from_other_instructions(
    make_environment: MakeEnvironment, baseline: Path, tmp_path: Path, host_level: str
) -> None:
    if host_level not in ("v3", "v4"):
        pytest.skip(f"this machine runs {host_level}, not v3")
    source = tmp_path / "example project"
    shutil.copytree(REPO / "example_project", source)
    (wheel,) = baseline.glob("*.whl")
    found: dict[str, Path] = {}
    for level, installed in (("v1", wheel), ("v3", source)):
        environment = make_environment(f"venv-{level}")
        words = ("-C", f"variantbuild.target={level}")
        environment.pip("install", f"{installed}[test]", *words).ok()
        assert environment.ask("vecsearch.compiled_for()", "vecsearch") == level
        plain = level == "v1"
        assert environment.version("vecsearch") == ("0.1.0" if plain else f"0.1.0+{level}")
        own_tests = ("-m", "pytest", "-q", "-p", "no:cacheprovider", source / "tests")
        environment.run(environment.python, *own_tests, cwd=source).ok()
        found[level] = tmp_path / f"{level}.npz"
        environment.run(environment.python, "-c", SEARCH, found[level]).ok()

        code = disassemble(module_of(environment))
        assert bool(re.search(r"vcvtph2ps .*%ymm", code)) is not plain
        assert bool(re.search(r"vfmadd\w+ps .*%ymm", code)) is not plain
        assert bool(re.search(r"\bpopcnt\b", code)) is not plain
        if not plain:
            elf = parse_elf(module_of(environment).read_bytes())
            lines = [words for words in elf.command_lines if "-march=x86-64-v3" in words]
            assert any("-O3" in words.split() for words in lines), elf.command_lines
    environment.run(environment.python, "-c", COMPARE, found["v1"], found["v3"]).ok()


def test_sources_hold_the_typed_interface(baseline: Path) -> None:
    """The sdist carries no stamp and builds again; the wheel has types and no sources."""
    (wheel,) = baseline.glob("*.whl")
    (sdist,) = baseline.glob("*.tar.gz")
    assert sdist.name == "vecsearch-0.1.0.tar.gz"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"vecsearch/__init__.py", "vecsearch/_core.pyi", "vecsearch/py.typed"} <= names
    assert not [name for name in names if name.endswith((".cpp", ".hpp"))]
