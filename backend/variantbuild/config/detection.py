"""Detects the backend of a project that does not name its delegate.

Evidence in order of weight: what `[build-system] requires` names, `[tool.*]` tables that configure
a build, files at the top of the tree. Several backends with equal evidence are an error that asks,
and so is a tree with compiled sources that nothing claims: setuptools would build an empty wheel.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypedDict, cast

from variantbuild.config.buildsystem import SCIKIT_BUILD_CORE_BACKEND, SETUPTOOLS_BACKEND
from variantbuild.config.compiledsources import find_compiled_source
from variantbuild.config.setupscript import is_plain_setup
from variantbuild.data import load_table
from variantbuild.errors import DelegateError

if TYPE_CHECKING:
    from pathlib import Path

    from variantbuild.config.project import Project

#: The backend of scikit-build-core that runs setuptools, with CMake behind its `build_ext`.
_PLUGIN_BACKEND = "scikit_build_core.setuptools.build_meta"
_PLUGIN_SIGNS = re.compile(r"\bcmake_source_dir\b|\bscikit_build_core\b")
_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_SETUP_CFG = re.compile(r"^\[(?:metadata|options[\w.]*)\]", re.MULTILINE)


class _Row(TypedDict, total=False):
    """A row of data/backends.json.

    `extends` is a backend that this one includes; `keys` are the keys of a table that configure a
    build: other tools of the same name keep their settings in the same table.
    """

    name: str
    backend: str
    extends: str
    keys: list[str]


class Candidate(NamedTuple):
    """A backend that something in the project names, and what that is."""

    backend: str
    evidence: str


def detect_backend(project: Project) -> Candidate:
    """Return the backend that `project` is configured for, with the evidence.

    Raises DelegateError if several are equally likely, and if there is no evidence for a tree with
    compiled sources.
    """
    found = _choose(project)
    if found is None:
        found = Candidate(SETUPTOOLS_BACKEND, "the default")
    if found.backend == SETUPTOOLS_BACKEND:
        _refuse_unclaimed_sources(project, found)
    elif found.backend == SCIKIT_BUILD_CORE_BACKEND and _uses_plugin(project):
        return Candidate(_PLUGIN_BACKEND, f"{found.evidence}, and setuptools with its plugin")
    return found


def _choose(project: Project) -> Candidate | None:
    """Weigh the evidence; None if there is none. Raises DelegateError if it is contradictory."""
    required = _by_backend(_required(project))
    tables = _by_backend(_tables(project))
    files = _by_backend(_files(project))
    setuptools = tables.pop(SETUPTOOLS_BACKEND, None) or _setuptools_file(project.path)
    helper = required.pop(SETUPTOOLS_BACKEND, None)
    if required:
        shown = [each for each in required.values() if each.backend in tables]
        shown = shown or [each for each in required.values() if each.backend in files]
        # A backend whose build script runs setuptools requires both, and has no setup.py.
        contested = helper is not None and setuptools is not None
        if len(required) == 1 and (shown or not contested):
            return next(iter(required.values()))
        if len(shown) == 1:
            return shown[0]
        raise _ambiguous([*required.values(), *([helper] if contested and helper else [])])
    if SCIKIT_BUILD_CORE_BACKEND in tables and len(tables) == 1:
        return tables[SCIKIT_BUILD_CORE_BACKEND]
    if tables and helper is not None and setuptools is not None:
        raise _ambiguous([helper, *tables.values()])
    has_script = setuptools is not None and (project.path / "setup.py").is_file()
    if not tables and (has_script or _declares_extensions(project)):
        return setuptools
    for found in (tables, files):
        if len(found) > 1:
            raise _ambiguous(list(found.values()))
        if found:
            return next(iter(found.values()))
    return setuptools or helper


def _by_backend(candidates: Iterator[Candidate]) -> dict[str, Candidate]:
    found: dict[str, Candidate] = {}
    for each in candidates:
        found.setdefault(each.backend, each)
    return found


def _required(project: Project) -> Iterator[Candidate]:
    """Yield the backends of the distributions in `[build-system] requires`."""
    known = cast("dict[str, _Row]", load_table("backends")["distributions"])
    table = project.pyproject.get("build-system")
    listed = table.get("requires") if isinstance(table, Mapping) else None
    names = [_NAME.match(str(each)) for each in (listed if isinstance(listed, list) else [])]
    rows = {
        name: known[name]
        for match in names
        if match is not None and (name := re.sub(r"[-_.]+", "-", match[1]).lower()) in known
    }
    included = {row.get("extends") for row in rows.values()}
    for name, row in rows.items():
        if row["backend"] not in included:
            yield Candidate(row["backend"], f"{name} in [build-system] requires")


def _tables(project: Project, *, any_key: bool = False) -> Iterator[Candidate]:
    """Yield the backends whose `[tool.*]` tables configure a build; with `any_key` any of them."""
    for row in cast("list[_Row]", load_table("backends")["tables"]):
        table = project.tool_table(row["name"])
        if table is None:
            continue
        keys = row.get("keys")
        if keys is None or any_key or not table.keys().isdisjoint(keys):
            yield Candidate(row["backend"], f"[tool.{row['name']}] in pyproject.toml")


def _files(project: Project) -> Iterator[Candidate]:
    """Yield the backends of the files next to pyproject.toml."""
    for row in cast("list[_Row]", load_table("backends")["files"]):
        if (project.path / row["name"]).is_file():
            yield Candidate(row["backend"], row["name"])
    metadata = project.pyproject.get("project")
    dynamic = metadata.get("dynamic") if isinstance(metadata, Mapping) else None
    if isinstance(dynamic, list) and "description" in dynamic:
        # Only flit reads it from the module's docstring without further settings.
        yield Candidate("flit_core.buildapi", 'dynamic = ["description"] in pyproject.toml')


def _setuptools_file(source: Path) -> Candidate | None:
    """Return setuptools where setup.py or a setup.cfg with metadata configures it.

    Other tools (flake8, mypy) keep their settings in setup.cfg too.
    """
    if (source / "setup.py").is_file():
        return Candidate(SETUPTOOLS_BACKEND, "setup.py")
    if _SETUP_CFG.search(_read(source / "setup.cfg")):
        return Candidate(SETUPTOOLS_BACKEND, "setup.cfg")
    return None


def _declares_extensions(project: Project) -> bool:
    """Tell whether setuptools may compile something."""
    table = project.tool_table("setuptools") or {}
    script = project.path / "setup.py"
    return (
        (script.is_file() and not is_plain_setup(_read(script)))
        or project.tool_table("setuptools-rust") is not None
        or not table.keys().isdisjoint(("ext-modules", "cmdclass"))
    )


def _uses_plugin(project: Project) -> bool:
    table = project.tool_table("setuptools") or {}
    in_setup = _PLUGIN_SIGNS.search(_read(project.path / "setup.py")) is not None
    return in_setup or "cmake-source-dir" in table


def _refuse_unclaimed_sources(project: Project, found: Candidate) -> None:
    """Refuse setuptools where it would leave out what has to be compiled."""
    if _declares_extensions(project):
        return
    source = find_compiled_source(project.path)
    if source is None:
        return
    weak = next(_tables(project, any_key=True), None)
    if source.backend != SETUPTOOLS_BACKEND:
        likely = source.backend
    elif weak is not None:
        likely = weak.backend
    else:
        likely = SETUPTOOLS_BACKEND
    remedy = f'set delegate = "{likely}" in [tool.variantbuild], or name the backend that does'
    if likely == SETUPTOOLS_BACKEND:
        remedy = (
            "declare the extension in setup.py or [tool.setuptools] ext-modules, or name the "
            "backend that compiles it as delegate in [tool.variantbuild]; "
            f'delegate = "{SETUPTOOLS_BACKEND}" builds the wheel without it'
        )
    raise DelegateError(
        f"no backend would compile {source.path}: delegate is not set, and setuptools "
        f"({found.evidence}) has no extension modules to build",
        hint=remedy,
    )


def _ambiguous(candidates: Sequence[Candidate]) -> DelegateError:
    named = " and ".join(f"{each.backend} ({each.evidence})" for each in candidates)
    choices = " or ".join(f'"{each.backend}"' for each in candidates)
    return DelegateError(
        f"delegate is not set, and the project names several backends: {named}",
        hint=f"set delegate = {choices} in [tool.variantbuild]",
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
