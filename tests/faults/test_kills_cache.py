"""Processes killed while they store wheels in one build cache: every entry stays sound."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from reporters import RecordingReporter
from variantbuild.buildcache.store import Store
from wheels.forge import Draft, Write

REPO = Path(__file__).resolve().parents[2]
REPORTER = RecordingReporter()

_LOOP = """
import sys
from pathlib import Path
from variantbuild.buildcache.store import Store
from variantbuild.messages import StderrReporter
store = Store(directory=Path(sys.argv[1]), limit=1 << 30)
number = 0
while True:
    store.store(f"{sys.argv[3]}{number % 40}", Path(sys.argv[2]), {})
    found = store.find(f"k{(number + 7) % 40}", StderrReporter({}))
    assert found is None or found.wheel.stat().st_size == Path(sys.argv[2]).stat().st_size
    print(number, flush=True)
    number += 1
"""


def wait_for_lines(process: subprocess.Popen[bytes], count: int) -> None:
    """Wait until the process has printed `count` lines; fail with its output if it ends before."""
    assert process.stdout is not None
    for _ in range(count):
        assert process.stdout.readline(), process.communicate()[1].decode()


def test_killed_processes_leave_a_sound_cache(tmp_path: Path, write: Write) -> None:
    store = Store(directory=tmp_path / "cache", limit=1 << 20)
    wheel = write(Draft())
    env = {**os.environ, "PYTHONPATH": str(REPO / "backend")}
    words = [sys.executable, "-c", _LOOP, str(store.directory), str(wheel), "k"]
    for round_ in range(6):
        pair = [
            subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(2)
        ]
        for process in pair:
            # Both are running; which step the signal interrupts is arbitrary.
            wait_for_lines(process, 1 + round_)
        for process in pair:
            process.send_signal(signal.SIGKILL)
            process.communicate()
    assert store.entries()
    for entry in store.entries():
        assert store.find(entry.key, REPORTER) is not None
    for left in store.directory.glob(".variantbuild-*"):
        os.utime(left, (0, 0))
    store.store("last", wheel, {})
    assert not list(store.directory.glob(".variantbuild-*"))
