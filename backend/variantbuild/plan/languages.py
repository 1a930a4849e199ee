"""The languages of a source tree, by file names."""

from __future__ import annotations

import os
from pathlib import Path

from variantbuild.config.project import Project
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


def holds_rust(project: Project) -> bool:
    """Return whether the build of `project` runs cargo.

    `[tool.maturin] manifest-path` may lead out of the tree, and setuptools-rust has tables of its
    own; otherwise a Cargo.toml anywhere in the tree counts.
    """
    maturin = project.tool_table("maturin") or {}
    manifest = maturin.get("manifest-path")
    if isinstance(manifest, str) and (project.path / manifest).is_file():
        return True
    if project.tool_table("setuptools-rust") is not None:
        return True
    return any("Cargo.toml" in files for _, files in walk_sources(project.path))


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
