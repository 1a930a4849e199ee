"""Lists the files that a Python process has mapped at its end, for any C library.

`bundle --check` copies this file, as `sitecustomize.py`, to a directory in PYTHONPATH; the list is
written to the directory above it. It runs in the Python of the checked command, which may be older
than ours.
"""

import atexit
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

_NAME = "sitecustomize"


def _report() -> None:
    above = Path(__file__).resolve().parent.parent
    text = Path("/proc/self/maps").read_bytes()
    (above / f"mapped.{os.getpid()}").write_bytes(text)


def _run_next() -> None:
    """Run the sitecustomize that this one stands before."""
    own = Path(__file__).resolve().parent
    places = [each for each in sys.path if Path(each).resolve() != own]
    spec = PathFinder.find_spec(_NAME, places)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


if __name__ == _NAME:
    atexit.register(_report)
    _run_next()
