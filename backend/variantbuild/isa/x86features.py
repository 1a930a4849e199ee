"""The features of x86-64 CPUs by level, as the audit compares them: the compilers' names.

`ymm`, `zmm` and `tile` stand for registers that the operating system saves, `tzcnt` for the result
of TZCNT where that of BSF differs, `xsave` for what XGETBV tells.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from variantbuild.isa import x86flags
from variantbuild.isa.architecture import architecture

_MORE = {"v3": ("ymm", "xsave", "tzcnt"), "v4": ("zmm",)}
_WITH = {"avx": ("ymm", "xsave"), "avx512f": ("zmm",), "amx-tile": ("tile",), "bmi": ("tzcnt",)}
_LINUX = {
    "pclmulqdq": "pclmul", "sha_ni": "sha", "abm": "lzcnt", "bmi1": "bmi", "lahf_lm": "sahf",
    "rdrand": "rdrnd", "sse4_1": "sse4.1", "sse4_2": "sse4.2", "pni": "sse3",
}  # fmt: skip


@functools.cache
def features_of(level: str) -> frozenset[str]:
    """Return what every CPU of `level` has."""
    known = architecture("x86_64")
    more = (each for name, row in _MORE.items() if known.includes(level, name) for each in row)
    return x86flags.features_within(level) | frozenset(more)


def with_named(level: str, names: Iterable[str]) -> frozenset[str]:
    """Return what a CPU of `level` with the features `names` (archspec's) has."""
    found = set(features_of(level))
    for name in names:
        found |= x86flags.expand(_LINUX.get(name, name.replace("_", "")), name.replace("_", "-"))
    return frozenset(found.union(*(_WITH[name] for name in found & _WITH.keys())))


@functools.cache
def level_of(feature: str) -> str | None:
    """Return the lowest level that has `feature`; None if none has.

    TZCNT shows no level: compilers emit it for the baseline.
    """
    if feature == "tzcnt":
        return None
    levels = architecture("x86_64").levels
    return next((each.name for each in levels if feature in features_of(each.name)), None)
