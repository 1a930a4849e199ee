"""BackendUnavailable of pyproject-hooks, for a wrapped backend that is not installed."""

from __future__ import annotations

import sys
from pathlib import Path


def raise_unavailable(message: str) -> None:
    """Raise BackendUnavailable of pyproject-hooks, if its process runs this hook.

    Front ends then report a missing backend as such. The pip that vendors it prints a traceback
    for that, and gets the exit code instead.
    """
    main = sys.modules.get("__main__")
    kind = getattr(main, "BackendUnavailable", None)
    place = Path(getattr(main, "__file__", None) or "")
    if place.name != "_in_process.py" or "pip" in place.parts:
        return
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            error = kind(message, "")
        except TypeError:  # before 1.1 it took the traceback only
            error = kind(message)
        raise error from None
