"""The languages of a source tree, by file names."""

from __future__ import annotations

import os
from pathlib import Path

from variantbuild.host.sourcetree import walk_sources
from variantbuild.probe.facts import LANGUAGES, Language

_ENDINGS: dict[str, tuple[Language, ...]] = {
    ".c": ("c",),
    ".pyx": ("c",),
    ".cc": ("cxx",),
    ".cpp": ("cxx",),
    ".cxx": ("cxx",),
    ".c++": ("cxx",),
    ".cu": ("cxx",),
    ".hip": ("cxx",),
    ".f": ("fortran",),
    ".for": ("fortran",),
    ".f77": ("fortran",),
    ".f90": ("fortran",),
    ".f95": ("fortran",),
    ".f03": ("fortran",),
    ".f08": ("fortran",),
}


def holds_rust(source: Path) -> bool:
    """Return whether `source` contains a Cargo.toml, at most two directories down.

    maturin and setuptools-rust look at the top, or in directories such as `rust` and `src/rust`.
    """
    return any(
        next(source.glob(pattern), None) is not None
        for pattern in ("Cargo.toml", "*/Cargo.toml", "*/*/Cargo.toml")
    )


def find_languages(source: Path) -> tuple[Language, ...]:
    """Return the compiled languages that files below `source` are written in, C first.

    Hidden directories, virtual environments and build directories are skipped. A tree that
    generates its sources may contain none.
    """
    found: set[Language] = set()
    for _, files in walk_sources(source):
        for name in files:
            found.update(_ENDINGS.get(os.path.splitext(name)[1].lower(), ()))  # noqa: PTH122 - Path costs ten times as much here
        if len(found) == len(LANGUAGES):
            break
    return tuple(language for language in LANGUAGES if language in found)
