"""The shell that kills what a killed build leaves: where it cannot be started, and its end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from variantbuild.host import deathwatch
from variantbuild.host.deathwatch import DeathWatch

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc")


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_start_and_end_leave_no_open_file() -> None:
    before = open_files()
    watch = DeathWatch("mark-of-nobody")
    watch.end()
    watch.start()
    watch.start()
    assert open_files() == before + 1
    watch.end()
    watch.end()
    assert open_files() == before


@pytest.mark.parametrize("name", ["_SHELL", "_PROC"])
def test_a_system_without_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deathwatch, name, Path("/not/there"))
    before = open_files()
    watch = DeathWatch("mark-of-nobody")
    watch.start()
    watch.end()
    assert open_files() == before


def test_a_shell_that_was_killed_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deathwatch, "_SCRIPT", "exit 3")
    watch = DeathWatch("mark-of-nobody")
    watch.start()
    subprocess.run([sys.executable, "-c", "import time; time.sleep(0.2)"], check=True)
    watch.end()


def test_a_forked_child_does_not_hold_the_pipe() -> None:
    watch = DeathWatch("mark-of-nobody")
    before = open_files()
    watch.start()
    child = os.fork()
    if child == 0:
        os._exit(0 if open_files() == before else 1)
    assert os.waitpid(child, 0)[1] == 0
    watch.end()
