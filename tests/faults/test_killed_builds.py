"""Real builds killed by each signal; `killedbuilds.py` is the command for hundreds of them."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

from faults.killedbuilds import PHASES, SIGNALS, Workplace, kill_once, measure
from workshop import PACKAGES

pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="no /proc"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc"),
]


def test_a_killed_build_leaves_nothing(tmp_path: Path) -> None:
    project = PACKAGES / "setuptools-c"
    place = Workplace(tmp_path)
    span = measure(PHASES["build"], project, place)
    for part, number in enumerate(SIGNALS, 1):
        # From the probes to the compilation by the backend and the audit.
        kill_once(PHASES["build"], project, place, signal.Signals(number), span * part / 5)
