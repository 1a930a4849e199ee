"""Which backend is wrapped: the one that the settings name, or the one that the project shows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from variantbuild.config.project import Project
from variantbuild.data import load_table
from variantbuild.errors import DelegateError

#: PEP 517: "module" or "module:object.attribute".
_BACKEND = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class DelegateSpec:
    """A backend as PEP 517 writes it, the folders to find it in, and where it was named."""

    backend: str
    path: tuple[Path, ...]
    origin: str


def resolve_delegate(project: Project) -> DelegateSpec:
    """Choose the backend for `project`.

    `auto` is scikit-build-core where `[tool.scikit-build]` stands, or CMakeLists.txt and no
    setup.py; else setuptools. Raises DelegateError for a name that no backend can have, for
    variantbuild itself, and for a folder outside of the source tree.
    """
    config = project.config
    folders = tuple(_inside(project.path, folder) for folder in config.delegate_path)
    if config.delegate != "auto":
        origin = config.origin("delegate")
        return DelegateSpec(
            backend=_backend_name(config.delegate, origin), path=folders, origin=origin
        )
    if project.tool_table("scikit-build") is not None:
        return _automatic(
            "scikit_build_core.build", "[tool.scikit-build] of pyproject.toml", folders
        )
    if (project.path / "CMakeLists.txt").is_file() and not (project.path / "setup.py").is_file():
        return _automatic("scikit_build_core.build", "CMakeLists.txt without setup.py", folders)
    return _automatic("setuptools.build_meta", "the default", folders)


def _automatic(backend: str, origin: str, folders: tuple[Path, ...]) -> DelegateSpec:
    return DelegateSpec(backend=backend, path=folders, origin=origin)


def _backend_name(name: str, origin: str) -> str:
    usual = cast("dict[str, str]", load_table("settings")["delegate-names"])
    if name in usual:
        raise DelegateError(
            f"delegate {name!r} ({origin}) is a distribution's name, not a backend's",
            hint=f'write delegate = "{usual[name]}"',
        )
    if not _BACKEND.fullmatch(name):
        raise DelegateError(
            f"delegate {name!r} ({origin}) is not written as PEP 517 writes backends",
            hint='write "module" or "module:object", such as "setuptools.build_meta"',
        )
    if name.partition(":")[0].partition(".")[0] == "variantbuild":
        raise DelegateError(
            f"delegate {name!r} ({origin}) is variantbuild itself",
            hint='name the backend that shall build, such as "setuptools.build_meta"',
        )
    return name


def _inside(source: Path, folder: str) -> Path:
    path = (source / folder).resolve()
    if not path.is_relative_to(source.resolve()):
        raise DelegateError(
            f"delegate-path {folder!r} lies outside of the source tree {source}",
            hint="name folders below the one that holds pyproject.toml",
        )
    if not path.is_dir():
        raise DelegateError(f"delegate-path {folder!r} is no folder of {source}")
    return path
