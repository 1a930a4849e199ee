"""Finds the first sign in a source tree that its wheel should contain machine code."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from variantbuild.config.buildsystem import SCIKIT_BUILD_CORE_BACKEND, SETUPTOOLS_BACKEND
from variantbuild.host.sourcetree import walk_sources

#: Files that configure a build system, and the backend that usually runs it.
_CONFIGURED = {
    "Cargo.toml": "maturin",
    "meson.build": "mesonpy",
    "CMakeLists.txt": SCIKIT_BUILD_CORE_BACKEND,
}
_ENDINGS = {
    **dict.fromkeys((".c", ".cc", ".cpp", ".cxx", ".c++", ".m", ".mm"), SETUPTOOLS_BACKEND),
    **dict.fromkeys((".pyx", ".cu", ".hip", ".ispc", ".asm", ".s"), SETUPTOOLS_BACKEND),
    **dict.fromkeys((".f", ".for", ".f77", ".f90", ".f95", ".f03", ".f08"), "mesonpy"),
    ".rs": "maturin",
    ".sip": "sipbuild.api",
    ".zig": SETUPTOOLS_BACKEND,
}
#: Directories whose sources are no part of the wheel.
_ASIDE = frozenset(
    {"benchmark", "benchmarks", "doc", "docs", "example", "examples", "test", "tests", "testing"}
)


class CompiledSource(NamedTuple):
    """A file that has to be compiled: its path in the tree, and the backend for its kind."""

    path: str
    backend: str


def find_compiled_source(source: Path) -> CompiledSource | None:
    """Return a file below `source` that has to be compiled; None if there is none.

    The configuration of a build system comes before a source file. Tests, documentation and
    examples are passed over.
    """
    first: CompiledSource | None = None
    for directory, names in walk_sources(source):
        relative = Path(directory).relative_to(source)
        if not _ASIDE.isdisjoint(relative.parts):
            continue
        for name in sorted(names):
            if name in _CONFIGURED:
                return CompiledSource(str(relative / name), _CONFIGURED[name])
            backend = _ENDINGS.get(os.path.splitext(name)[1].lower())  # noqa: PTH122 - Path costs ten times as much here
            if backend is not None and first is None:
                first = CompiledSource(str(relative / name), backend)
    return first
