"""Directories for a user's settings and caches, by the conventions of the operating system."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

#: For each kind: the variable of Windows and the directory below AppData, the directory below
#: Library on macOS, the variable and default of the XDG base directory elsewhere.
_PLACES = {
    "config": ("APPDATA", "Roaming", "Application Support", "XDG_CONFIG_HOME", ".config"),
    "cache": ("LOCALAPPDATA", "Local", "Caches", "XDG_CACHE_HOME", ".cache"),
}


def user_directory(
    kind: Literal["config", "cache"], env: Mapping[str, str], platform: str = sys.platform
) -> Path | None:
    """Return this user's directory for settings or caches; None if the home is unknown.

    A relative path in a variable is ignored (XDG Base Directory Specification): it would name
    another directory in each source tree.
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
        # Looks in the user database; a container may run as a user that is missing from it.
        return Path.home()
    except RuntimeError:
        return None
