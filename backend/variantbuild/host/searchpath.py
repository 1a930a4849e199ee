"""The directories of PATH in which programs are looked for."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class SearchPath(NamedTuple):
    """A PATH without its relative and empty entries, and what is wrong with the original."""

    text: str
    warnings: tuple[str, ...] = ()


def search_path(env: Mapping[str, str]) -> SearchPath | None:
    """Return the PATH of `env` with its absolute directories only; None if it has no PATH.

    A relative entry, or an empty one, would find the programs of the tree that is built, while
    probes do not look there: another compiler would run than the one that is recorded. For root, a
    directory that every user can write to is reported: it is searched all the same. If no entry is
    left the result is the system's default: with an empty PATH programs would be looked for in the
    current directory.
    """
    given = env.get("PATH")
    if given is None:
        return None
    entries = given.split(os.pathsep)
    kept = [entry for entry in entries if os.path.isabs(entry)]  # noqa: PTH117 - pathlib costs more
    warnings = []
    if dropped := [entry for entry in entries if entry not in kept]:
        named = list(dict.fromkeys(repr(entry) for entry in dropped))
        several = len(named) > 1
        warnings.append(
            f"PATH has the {'entries' if several else 'entry'} {', '.join(named)}, which "
            f"{'are not absolute and are' if several else 'is not absolute and is'} not searched: "
            "programs of the source tree would be run"
        )
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        warnings += [
            f"PATH has the directory {entry}, in which every user can replace programs that root "
            "runs"
            for entry in dict.fromkeys(kept)
            if _is_open(Path(entry))
        ]
    return SearchPath(os.pathsep.join(kept) or os.defpath, tuple(warnings))


def _is_open(directory: Path) -> bool:
    try:
        mode = directory.stat().st_mode
    except OSError:
        return False
    # The sticky bit only keeps others from replacing files: new ones can still be found first.
    return stat.S_ISDIR(mode) and bool(mode & stat.S_IWOTH)
