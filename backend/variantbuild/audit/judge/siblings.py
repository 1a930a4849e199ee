"""Modules of which Python code loads one: their names differ only by the features that they use."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from variantbuild.audit.report import FileReport

_FEATURE = re.compile(
    r"avx(?:2|512\w*)?|sse\d*(?:[._]?\d)?|ssse3|aesni|aes|clmul|pclmul|shani|bmi2?|fma|popcnt|"
    r"neon|sve2?|v[234]|x86[-_]64[-_]v[234]|native|scalar|generic|portable|base(?:line)?",
    re.IGNORECASE,
)


def find_siblings(files: Iterable[FileReport]) -> Mapping[str, str]:
    """Return a module between which and another one Python may choose, by the path of the other.

    Both lie in one directory, and their names without the words for features are the same. Only
    modules whose names have such a word are returned.
    """
    groups: dict[str, list[str]] = {}
    for file in files:
        if file.role == "host":
            groups.setdefault(_without_features(file.path), []).append(file.path)
    found: dict[str, str] = {}
    for key, paths in groups.items():
        for path in paths:
            other = next((each for each in paths if each != path), None)
            if other is not None and key != path:
                found[path] = other
    return found


def _without_features(path: str) -> str:
    directory, name = posixpath.split(path)
    stem, dot, suffix = name.partition(".")
    words = [each for each in re.split(r"[_-]", stem) if not _FEATURE.fullmatch(each)]
    if len(words) == len(re.split(r"[_-]", stem)):
        return path
    return posixpath.join(directory, "_".join(words) + dot + suffix)
