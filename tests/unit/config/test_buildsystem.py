"""The table of build systems: which backend belongs to which, in any spelling."""

from __future__ import annotations

import pytest

from variantbuild.config.buildsystem import (
    BuildSystem,
    Channel,
    CompilerSearch,
    package_of,
    suggest_backend,
)


@pytest.mark.parametrize(
    ("backend", "system", "channel", "search"),
    [
        ("setuptools.build_meta", BuildSystem.SETUPTOOLS, "setuptools", "setuptools"),
        ("setuptools.build_meta:__legacy__", BuildSystem.SETUPTOOLS, "setuptools", "setuptools"),
        ("scikit_build_core.build", BuildSystem.SCIKIT_BUILD_CORE, "cmake", "cmake"),
        (
            "scikit_build_core.setuptools.build_meta",
            BuildSystem.SCIKIT_BUILD_CORE_PLUGIN,
            "setuptools",
            "cmake",
        ),
        ("mesonpy", BuildSystem.MESON_PYTHON, "meson", "meson"),
        ("maturin", BuildSystem.MATURIN, "environment", "setuptools"),
        ("hatchling.build", BuildSystem.HATCHLING, "environment", "setuptools"),
        ("poetry.core.masonry.api", BuildSystem.POETRY_CORE, "environment", "setuptools"),
        ("pdm.backend", BuildSystem.PDM_BACKEND, "environment", "setuptools"),
        ("flit_core.buildapi", BuildSystem.FLIT_CORE, "environment", "setuptools"),
        ("variantbuild", BuildSystem.VARIANTBUILD, "environment", "setuptools"),
        ("setuptools_rust.build", BuildSystem.UNKNOWN, "environment", "setuptools"),
        ("scikit_build_core_extra", BuildSystem.UNKNOWN, "environment", "setuptools"),
        ("mine:mesonpy", BuildSystem.UNKNOWN, "environment", "setuptools"),
    ],
)
def test_backends(
    backend: str, system: BuildSystem, channel: Channel, search: CompilerSearch
) -> None:
    found = BuildSystem.of(backend)
    assert (found, found.channel, found.compiler_search) == (system, channel, search)


@pytest.mark.parametrize(
    ("distribution", "backend"),
    [
        ("setuptools", "setuptools.build_meta"),
        ("scikit-build-core", "scikit_build_core.build"),
        ("scikit_build_core", "scikit_build_core.build"),
        ("meson-python", "mesonpy"),
        ("meson_python", "mesonpy"),
        ("hatchling", "hatchling.build"),
        ("flit-core", "flit_core.buildapi"),
        ("flit_core", "flit_core.buildapi"),
        ("poetry-core", "poetry.core.masonry.api"),
        ("pdm-backend", "pdm.backend"),
        ("maturin", None),
        ("pdm.backend", None),
        ("mesonpy", None),
        ("unknown", None),
    ],
)
def test_names_of_distributions(distribution: str, backend: str | None) -> None:
    assert suggest_backend(distribution) == backend


def test_every_suggested_backend_belongs_to_its_system() -> None:
    for system in BuildSystem:
        backend = suggest_backend(system.value)
        assert backend is None or BuildSystem.of(backend) is system


def test_package() -> None:
    assert package_of("poetry.core.masonry.api") == "poetry"
    assert package_of("mine:backend.object") == "mine"
