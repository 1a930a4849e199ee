"""Modules that may mislead the audit: none of those that die on a CPU is said to run there.

Each module of tests/sources/adversary is run under qemu-user on a CPU of level v2, and audited for
that level, as it was built and without its symbol table.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Literal

import pytest

from variantbuild.audit import audit_files, judge_fit
from variantbuild.variant import Variant
from workshop import SOURCES

pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(sysconfig.get_platform() != "linux-x86_64", reason="compiles for x86-64"),
]
pytest.importorskip("iced_x86", reason="the extra audit is not installed")

_SOURCES = sorted((SOURCES / "adversary").glob("*.c"))
_BUILDS = ("gcc", "gcc stripped", "clang")


@pytest.mark.parametrize("build", _BUILDS)
@pytest.mark.parametrize("source", _SOURCES, ids=[each.stem for each in _SOURCES])
def test_the_verdict_agrees_with_an_emulated_cpu(source: Path, build: str, tmp_path: Path) -> None:
    compiler, _, strip = build.partition(" ")
    if shutil.which(compiler) is None or shutil.which("qemu-x86_64") is None:
        pytest.skip(f"no {compiler} or qemu-user here")
    module, include = tmp_path / "m.so", sysconfig.get_path("include")
    command = [compiler, "-O2", "-shared", "-fPIC", "-w", f"-I{include}", str(source)]
    subprocess.run([*command, "-o", str(module)], check=True)
    if strip:
        subprocess.run(["strip", str(module)], check=True)
    judgement = judge_fit(audit_files([module], name="m"), Variant(arch="x86_64", cpu="v2"))
    if judgement.verdict != "unclear":
        assert judgement.verdict == _ends(tmp_path), [each.message for each in judgement.findings]
    if source.stem == "guarded":
        assert judgement.verdict == "runs"


def _ends(directory: Path) -> Literal["runs", "needs"]:
    code = "import m; m.run()"
    command = ["qemu-x86_64", "-cpu", "Nehalem", sys.executable, "-S", "-c", code]
    done = subprocess.run(command, cwd=directory, capture_output=True, check=False)
    assert done.returncode in (0, -4, 132), done.stderr
    return "needs" if done.returncode else "runs"
