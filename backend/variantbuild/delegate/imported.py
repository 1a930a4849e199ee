"""Imports the module of a backend: from the source tree if its directories have it (PEP 517)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from variantbuild.config.delegatespec import DelegateSpec
from variantbuild.errors import UnavailableDelegateError

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


class TreeFinder:
    """Finds top-level modules in `directories`, whatever other finders the environment has.

    Editable installations add finders that come before `sys.path`: a module of the same name as
    the backend in the tree would be imported from there.
    """

    def __init__(self, directories: Sequence[str]) -> None:
        self._directories = list(directories)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of top-level module `name` in the directories; None if it is not there.

        Submodules are found through their package.
        """
        from importlib.machinery import PathFinder

        return None if "." in name else PathFinder.find_spec(name, self._directories, target)


def search_tree(directories: Sequence[Path]) -> None:
    """Let `directories` of the source tree be searched first, instead of those of earlier calls."""
    sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, TreeFinder)]
    if not directories:
        return
    names = [str(directory) for directory in directories]
    sys.path[:0] = [name for name in names if name not in sys.path]
    sys.meta_path.insert(0, TreeFinder(names))


def import_backend(spec: DelegateSpec) -> ModuleType:
    """Import the module that `spec` names, its directories first.

    Raises UnavailableDelegateError if it is not installed or an import in it fails.
    """
    search_tree(spec.path)
    name = spec.backend.partition(":")[0]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = error.name or name
        subject = f"delegate {spec.backend!r} ({spec.origin})"
        if isinstance(error, ModuleNotFoundError) and _names(missing, name):
            raise UnavailableDelegateError(
                f"{subject} is not installed: no module {missing!r}",
                hint="add the distribution that holds it to [build-system] requires"
                + ("" if not spec.path else ", or correct delegate-path"),
            ) from None
        place = _last_line(error.__traceback__)
        raise UnavailableDelegateError(
            f"{subject} cannot be imported: {error} ({place})",
            hint="add what it imports to [build-system] requires, or correct the backend",
        ) from error


def _names(missing: str, module: str) -> bool:
    """Tell whether `missing` is `module` or a package that contains it."""
    return module == missing or module.startswith(f"{missing}.")


def _last_line(trace: TracebackType | None) -> str:
    """Return file and line of the import that failed."""
    place = "unknown place"
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith("<frozen"):
            place = f"{file}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return place
