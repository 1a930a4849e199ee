"""cmake/examples/one_fast_module through pip: a core for every CPU, and one fast module."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from variantbuild.binary.elf import parse_elf
from workshop import REPO, Environment

pytestmark = [pytest.mark.isolated, pytest.mark.compile]


@pytest.mark.parametrize("level", ["v1", "v2", "v4"])
def test_only_one_module_is_for_the_variant(
    environment: Environment, tmp_path: Path, host_level: str, level: str
) -> None:
    if not host_level.startswith("v"):
        pytest.skip("levels are x86-64's")
    source = tmp_path / "one_fast_module"
    shutil.copytree(REPO / "cmake" / "examples" / "one_fast_module", source)
    environment.pip("install", source, "-C", f"variantbuild.target={level}").ok()

    assert environment.ask("one_fast_module.core.level()", "one_fast_module.core") == "v1"
    needed = {
        path.name.partition(".")[0]: parse_elf(path.read_bytes()).isa_needed
        for path in environment.directory.glob("lib/python*/site-packages/one_fast_module/*.so")
    }
    assert needed["core"] in (None, "v1")
    assert needed["kernels"] == (None if level == "v1" else level)
    if level <= host_level:
        assert (
            environment.ask("one_fast_module.kernels.level()", "one_fast_module.kernels") == level
        )
    else:
        done = environment.run(environment.python, "-c", "import one_fast_module.kernels")
        assert done.code == 1
        assert "ImportError" in done.stderr
