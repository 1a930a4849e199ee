"""Which languages a source tree holds, told from file names."""

from __future__ import annotations

import os
from pathlib import Path

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

#: Folders that hold other people's files or what a build left behind.
_SKIPPED = frozenset({"build", "dist", "node_modules", "venv", "__pycache__", "site-packages"})

#: Names looked at before giving up: a tree may be a home folder by mistake.
_LIMIT = 50_000


def holds_rust(source: Path) -> bool:
    """Tell whether `source` holds a Cargo.toml, no deeper than two folders down.

    maturin and setuptools-rust look at the top, or in folders such as `rust` and `src/rust`.
    """
    return any(
        next(source.glob(pattern), None) is not None
        for pattern in ("Cargo.toml", "*/Cargo.toml", "*/*/Cargo.toml")
    )


def find_languages(source: Path) -> tuple[Language, ...]:
    """Return the compiled languages that files below `source` are written in, C first.

    Hidden folders, virtual environments and build folders are passed over. A tree that generates
    its sources shows none, which proves nothing.
    """
    found: set[Language] = set()
    looked = 0
    for folder, folders, files in os.walk(source):
        folders[:] = [
            name
            for name in folders
            if name not in _SKIPPED
            and not name.startswith(".")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118 - Path costs ten times as much here
        ]
        for name in files:
            found.update(_ENDINGS.get(os.path.splitext(name)[1].lower(), ()))  # noqa: PTH122 - as above
        looked += len(files)
        if len(found) == len(LANGUAGES) or looked > _LIMIT:
            break
    return tuple(language for language in LANGUAGES if language in found)
