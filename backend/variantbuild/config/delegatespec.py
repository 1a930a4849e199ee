"""Which backend is wrapped: the one named in the settings, or the one the project implies."""

from __future__ import annotations

import re
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem, suggest_backend
from variantbuild.config.detection import detect_backend
from variantbuild.config.project import Project
from variantbuild.errors import DelegateError
from variantbuild.values import dataclass

#: PEP 517: "module" or "module:object.attribute".
_BACKEND = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class DelegateSpec:
    """A backend as in PEP 517, the directories to import it from, and where it was named."""

    backend: str
    path: tuple[Path, ...]
    origin: str

    @property
    def system(self) -> BuildSystem:
        """The build system that the backend belongs to."""
        return BuildSystem.of(self.backend)


def resolve_delegate(project: Project) -> DelegateSpec:
    """Choose the backend for `project`.

    `auto` detects it (see `detection`). Raises DelegateError for a name that no backend can have,
    for variantbuild itself, for a directory outside the source tree, and where the project does not
    tell.
    """
    config = project.config
    path = tuple(_inside(project.path, directory) for directory in config.delegate_path)
    if config.delegate != "auto":
        origin = config.origin("delegate")
        _check_backend(config.delegate, origin)
        return DelegateSpec(backend=config.delegate, path=path, origin=origin)
    found = detect_backend(project)
    return DelegateSpec(backend=found.backend, path=path, origin=found.evidence)


def _check_backend(name: str, origin: str) -> None:
    suggested = suggest_backend(name)
    if suggested is not None and suggested != name:
        raise DelegateError(
            f"delegate {name!r} ({origin}) is the name of a distribution, not of a backend",
            hint=f'write delegate = "{suggested}"',
        )
    if not _BACKEND.fullmatch(name):
        raise DelegateError(
            f"delegate {name!r} ({origin}) is not a valid backend (PEP 517)",
            hint='write "module" or "module:object", such as "setuptools.build_meta"',
        )
    if BuildSystem.of(name) is BuildSystem.VARIANTBUILD:
        raise DelegateError(
            f"delegate {name!r} ({origin}) is variantbuild itself",
            hint='name the backend to wrap, such as "setuptools.build_meta"',
        )


def _inside(source: Path, directory: str) -> Path:
    path = (source / directory).resolve()
    if not path.is_relative_to(source.resolve()):
        raise DelegateError(
            f"delegate-path {directory!r} is outside the source tree {source}",
            hint="name directories below the one that contains pyproject.toml",
        )
    if not path.is_dir():
        raise DelegateError(f"delegate-path {directory!r} is not a directory in {source}")
    return path
