"""`python -m variantbuild.cmake`, for projects that include the module without a build backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULE_DIRECTORY = Path(__file__).resolve().parents[3] / "cmake"


def test_the_directory_is_printed_for_plain_cmake() -> None:
    done = subprocess.run(
        [sys.executable, MODULE_DIRECTORY], check=True, capture_output=True, text=True
    )

    assert Path(done.stdout.strip()) == MODULE_DIRECTORY
