"""Where a user's own settings and caches stand, by the rules of the system at hand."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

#: For each kind of folder: the variable of Windows and the folder below AppData, the folder below
#: Library on macOS, the variable and the folder of the XDG base directories elsewhere.
_PLACES = {
    "config": ("APPDATA", "Roaming", "Application Support", "XDG_CONFIG_HOME", ".config"),
    "cache": ("LOCALAPPDATA", "Local", "Caches", "XDG_CACHE_HOME", ".cache"),
}


def user_directory(
    kind: Literal["config", "cache"], env: Mapping[str, str], platform: str = sys.platform
) -> Path | None:
    """Return the folder of this user for settings or caches; None where no home is known.

    A relative path in a variable counts as none (XDG Base Directory Specification), as it would
    name another folder in each source tree.
    """
    windows, roaming, library, xdg, dotted = _PLACES[kind]
    named = env.get(windows if platform == "win32" else xdg, "") if platform != "darwin" else ""
    if named and Path(named).is_absolute():
        return Path(named)
    home = _home(env)
    if home is None:
        return None
    if platform == "win32":
        return home / "AppData" / roaming
    return home / "Library" / library if platform == "darwin" else home / dotted


def _home(env: Mapping[str, str]) -> Path | None:
    for name in ("HOME", "USERPROFILE"):
        if (text := env.get(name)) and Path(text).is_absolute():
            return Path(text)
    try:
        # Asks the list of users; a container may run under a number that is not in it.
        return Path.home()
    except RuntimeError:
        return None
