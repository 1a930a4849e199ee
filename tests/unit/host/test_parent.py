"""The command line of the parent process, from /proc and from ps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from variantbuild.host.parent import ps_command_line

BACKEND = Path(__file__).resolve().parents[3] / "backend"
CODE = "from variantbuild.host.parent import parent_command_line; print(parent_command_line())"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc here")
def test_parent_is_the_process_that_started_this_one() -> None:
    env = {**os.environ, "PYTHONPATH": str(BACKEND)}
    words = [sys.executable, "-c", CODE]
    said = subprocess.run(words, env=env, capture_output=True, text=True, check=True).stdout
    own = Path("/proc/self/cmdline").read_bytes().split(b"\0")
    assert said.strip() == repr(tuple(word.decode() for word in own if word))


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="ps is not installed")
def test_ps_prints_a_command_line() -> None:
    assert ps_command_line(os.getpid())[0].rpartition("/")[2].startswith("py")
    assert ps_command_line(2**22 + 1) == ()
