"""Find the Pythons of this machine: `python tests/pythons.py [VERSION]` prints their paths."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def find_python(version: str) -> Path | None:
    """Return an interpreter of `version` that runs: on PATH, or among pyenv's, else None.

    pyenv puts shims on PATH for versions that are not active; those do not run.
    """
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = shutil.which(f"python{version}")
    candidates = [Path(found)] if found else []
    candidates += sorted(root.glob(f"versions/{version}.*/bin/python{version}"), reverse=True)
    return next((path for path in candidates if _runs(path)), None)


def _runs(python: Path) -> bool:
    command = [str(python), "-c", "import venv, ensurepip"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    for wanted in sys.argv[1:] or VERSIONS:
        if path := find_python(wanted):
            print(path)
