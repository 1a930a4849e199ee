"""`python -m variantbuild.cmake`, for projects that include the module without a build backend."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MODULE_FOLDER = Path(__file__).resolve().parents[3] / "cmake"


def test_the_folder_is_printed_for_plain_cmake() -> None:
    done = subprocess.run(
        [sys.executable, MODULE_FOLDER], check=True, capture_output=True, text=True
    )

    assert Path(done.stdout.strip()) == MODULE_FOLDER
