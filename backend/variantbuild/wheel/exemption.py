"""Patterns for files that are code for another machine on purpose: firmware, eBPF, test data.

Light: the wheel engine imports it for wheels that are tagged for any platform.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from variantbuild.wheel.reader import Wheel

Exemptions = Callable[["Wheel"], Sequence[str]]
"""Returns the patterns of the exempt files of a wheel; called only where they matter."""


def matching_pattern(path: str, patterns: Sequence[str]) -> str | None:
    """Return the first of `patterns` that matches the file `path` of a wheel; None without one.

    A pattern matches the whole path in the wheel, or the file's name if it has no slash.
    """
    names = (path, path.rpartition("/")[2])
    return next((each for each in patterns if any(fnmatchcase(n, each) for n in names)), None)
