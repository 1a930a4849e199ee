"""The refusing build tools and the fake compilers that unit tests have on PATH."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from faketools import BUILD_TOOLS, RefusingTools
from variantbuild.binary.elf import parse_elf


def test_tools_refuse_and_remember(tmp_path: Path) -> None:
    tools = RefusingTools(tmp_path)
    assert tools.take_calls() == ""
    for argv in (["gcc", "-c", "m.c"], ["nvcc"]):
        command = [str(tmp_path / argv[0]), *argv[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 97
        assert done.stderr == f"{argv[0]}: unit tests do not start build tools\n"
    assert tools.take_calls() == "gcc -c m.c\nnvcc \n"
    assert tools.take_calls() == ""


@pytest.mark.parametrize("tool", BUILD_TOOLS)
def test_tools_of_the_machine_are_hidden(tool: str, refusing_tools: RefusingTools) -> None:
    assert shutil.which(tool) == str(refusing_tools.directory / tool)


def test_fake_compilers_write_the_note_of_the_level(fake_compilers: Path, tmp_path: Path) -> None:
    for compiler in ("gcc", "g++", "gfortran"):
        assert shutil.which(compiler) == str(fake_compilers / compiler)
        command = [compiler, "-march=x86-64-v3", "m.c", "-shared", "-o", tmp_path / "m.so"]
        subprocess.run(command, check=True)
        assert parse_elf((tmp_path / "m.so").read_bytes()).isa_needed == "v3"
        assert subprocess.run([compiler], capture_output=True, check=False).returncode == 1
