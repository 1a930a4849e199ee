"""The build systems behind PEP 517 backends: how to recognise them, and how to pass them flags."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from variantbuild.values import dataclass

#: How flags reach a build system: setuptools' configuration and commands, CMake's variables,
#: Meson's variables, or the environment variables that nearly all build systems read.
Channel = Literal["setuptools", "cmake", "meson", "environment"]

#: Whose search for compilers a build system follows.
CompilerSearch = Literal["setuptools", "cmake", "meson"]


SETUPTOOLS_BACKEND = "setuptools.build_meta"
SCIKIT_BUILD_CORE_BACKEND = "scikit_build_core.build"


class BuildSystem(Enum):
    """A build system that is known by name; the value is its name for messages."""

    SETUPTOOLS = "setuptools"
    SCIKIT_BUILD_CORE = "scikit-build-core"
    SCIKIT_BUILD_CORE_PLUGIN = "scikit-build-core's setuptools plugin"
    MESON_PYTHON = "meson-python"
    MATURIN = "maturin"
    HATCHLING = "hatchling"
    POETRY_CORE = "poetry-core"
    PDM_BACKEND = "pdm-backend"
    FLIT_CORE = "flit-core"
    VARIANTBUILD = "variantbuild"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, backend: str) -> BuildSystem:
        """Return the build system of `backend`, which is written as in PEP 517."""
        module = module_of(backend)
        # The longest module wins: a plugin is part of its build system's package.
        matches = [
            (len(row.module), system)
            for system, row in _TABLE.items()
            if module == row.module or module.startswith(f"{row.module}.")
        ]
        return max(matches, key=lambda match: match[0])[1] if matches else cls.UNKNOWN

    @property
    def channel(self) -> Channel:
        """How flags reach it; the environment for a backend that is not known."""
        row = _TABLE.get(self)
        return "environment" if row is None else row.channel

    @property
    def compiler_search(self) -> CompilerSearch:
        """Whose search for compilers it follows.

        setuptools for backends that are not known: most wrap it, or use the interpreter's
        configuration as it does.
        """
        row = _TABLE.get(self)
        return "setuptools" if row is None else row.search

    @property
    def runs_cmake(self) -> bool:
        """Whether the project is configured by CMake."""
        return self.compiler_search == "cmake"

    @property
    def runs_cargo(self) -> bool:
        """Whether cargo builds the project; its build scripts run again when CFLAGS changes."""
        return self is BuildSystem.MATURIN

    @property
    def takes_cmake_settings(self) -> bool:
        """Whether config-settings such as `cmake.define.X` reach CMake with every version.

        The setuptools plugin of scikit-build-core 0.10 ignores them, that of 1.1 reads them.
        """
        return self is BuildSystem.SCIKIT_BUILD_CORE


@dataclass(frozen=True, kw_only=True, slots=True)
class _Row:
    """How to recognise and address one build system.

    `module` is the package of its backends, `backend` the one that most projects name, where
    the distribution's name is not a backend itself.
    """

    module: str
    backend: str | None = None
    channel: Channel = "environment"
    search: CompilerSearch = "setuptools"


_TABLE = {
    BuildSystem.SETUPTOOLS: _Row(
        module="setuptools", backend=SETUPTOOLS_BACKEND, channel="setuptools"
    ),
    BuildSystem.SCIKIT_BUILD_CORE: _Row(
        module="scikit_build_core",
        backend=SCIKIT_BUILD_CORE_BACKEND,
        channel="cmake",
        search="cmake",
    ),
    BuildSystem.SCIKIT_BUILD_CORE_PLUGIN: _Row(
        module="scikit_build_core.setuptools", channel="setuptools", search="cmake"
    ),
    BuildSystem.MESON_PYTHON: _Row(
        module="mesonpy", backend="mesonpy", channel="meson", search="meson"
    ),
    BuildSystem.MATURIN: _Row(module="maturin"),
    BuildSystem.HATCHLING: _Row(module="hatchling", backend="hatchling.build"),
    BuildSystem.POETRY_CORE: _Row(module="poetry.core", backend="poetry.core.masonry.api"),
    BuildSystem.PDM_BACKEND: _Row(module="pdm.backend", backend="pdm.backend"),
    BuildSystem.FLIT_CORE: _Row(module="flit_core", backend="flit_core.buildapi"),
    BuildSystem.VARIANTBUILD: _Row(module="variantbuild"),
}


def module_of(backend: str) -> str:
    """Return the module of a `backend` written as in PEP 517 (`module:object`)."""
    return backend.partition(":")[0]


def package_of(backend: str) -> str:
    """Return the top-level package of a `backend` written as in PEP 517."""
    return module_of(backend).partition(".")[0]


def suggest_backend(distribution: str) -> str | None:
    """Return the backend that the `distribution` provides; None if it is not known.

    None as well for maturin, whose name is that of its backend.
    """
    name = distribution.replace("_", "-")
    return next((row.backend for system, row in _TABLE.items() if system.value == name), None)
