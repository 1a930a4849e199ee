"""Leaves scikit-build-core's setuptools plugin out of builds that do not use it.

setuptools loads every installed plugin in each hook. This one is installed because variantbuild
requires scikit-build-core, and imports most of it, which takes longer than all of our own modules.
It also replaces the project's `build_ext` command. A project that does not use it gets the same
build as without variantbuild.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Protocol, cast

#: The module of the plugin's entry points (scikit-build-core 0.10 to 1.1).
PLUGIN = "scikit_build_core.setuptools.build_cmake"

#: What the build files of a project that uses the plugin contain: its build requirement, its table
#: in pyproject.toml, its command in setup.cfg, or its keywords.
_USES = re.compile(r"scikit[-_.]build|skbuild|build_cmake|cmake_source_dir", re.IGNORECASE)
_BUILD_FILES = ("pyproject.toml", "setup.py", "setup.cfg")


class _Finalize(Protocol):
    """The entry point that sets the plugin up for a `setuptools.Distribution`."""

    def __call__(self, dist: object) -> None: ...


class _Deferred(ModuleType):
    """Stands in for the plugin, which is imported when something needs it after all.

    setuptools asks for the plugin's set-up and its command in each build, the latter for the names
    of its options (`[tool.distutils]`). It asks for a keyword only if a distribution sets it. The
    set-up that was left out is done when the plugin is imported.
    """

    def __init__(self) -> None:
        super().__init__(PLUGIN)
        self._left_out: list[object] = []

    def finalize_distribution_options(self, dist: object) -> None:
        """Set the plugin up for `dist` if it is imported, or used in the current directory."""
        if sys.modules.get(PLUGIN) is not self or _is_used(Path.cwd()):
            _finalize(self.load(), dist)
        else:
            self._left_out.append(dist)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # import and inspection ask for these
            raise AttributeError(name)
        if name == "BuildCMake" and not _is_used(Path.cwd()):
            return _deferred_command(self)
        return getattr(self.load(), name)

    def load(self) -> ModuleType:
        """Import the plugin, and set it up for the distributions that exist."""
        if sys.modules.get(PLUGIN) is self:
            del sys.modules[PLUGIN]
        plugin = importlib.import_module(PLUGIN)
        while self._left_out:
            _finalize(plugin, self._left_out.pop(0))
        return plugin


@contextlib.contextmanager
def deferred_plugin() -> Iterator[None]:
    """Within the context, import the plugin only for a project that uses it."""
    if PLUGIN in sys.modules:
        yield
        return
    deferred = _Deferred()
    sys.modules[PLUGIN] = deferred
    try:
        yield
    finally:
        if sys.modules.get(PLUGIN) is deferred:
            del sys.modules[PLUGIN]


def _deferred_command(deferred: _Deferred) -> object:
    """Return a command that becomes the plugin's when setuptools creates it."""
    from setuptools import Command

    class BuildCMake(Command):
        user_options: ClassVar[list[tuple[str, str, str]]] = []

        def __new__(cls, dist: object) -> object:  # type: ignore[misc]  # another class's instance
            return deferred.load().BuildCMake(dist)

    return BuildCMake


def _finalize(plugin: ModuleType, dist: object) -> None:
    cast("_Finalize", plugin.finalize_distribution_options)(dist)


def _is_used(directory: Path) -> bool:
    if "build_cmake" in sys.argv:
        return True
    for name in _BUILD_FILES:
        try:
            text = (directory / name).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if _USES.search(text):
            return True
    return False
