"""Source trees of other people's packages: fetch the sdist, unpack it, put variantbuild in front.

Only the unpacked copy is changed.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from realworld.commands import StepError, run
from realworld.recipes import Recipe

#: The default of PEP 517 for a project without [build-system].
_NO_BACKEND = "setuptools.build_meta:__legacy__"

_TABLE = re.compile(r"^\s*\[", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildSystem:
    """`[build-system]` of a project, with the defaults of PEP 517 and PEP 518."""

    requires: tuple[str, ...]
    backend: str
    path: tuple[str, ...]


def fetch_sdist(recipe: Recipe, directory: Path, env: Mapping[str, str], *, newest: bool) -> Path:
    """Return the sdist of `recipe` in `directory`, fetched by pip from the index it is set up for.

    The pinned file is compared with its digest; with `newest` whatever is newest comes. Raises
    StepError where pip cannot get it.
    """
    place = directory / ("newest" if newest else recipe.version) / recipe.name
    place.mkdir(parents=True, exist_ok=True)
    if found := [path for path in place.iterdir() if path.name.endswith((".tar.gz", ".zip"))]:
        return found[0]
    wanted = place / "requirement.txt"
    pin = "" if newest else f"=={recipe.version} --hash=sha256:{recipe.sha256}"
    wanted.write_text(f"{recipe.project}{pin}\n", encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
    words = ("--no-deps", "--no-binary", recipe.project, "-d", place, "-r", wanted)
    done = run(*pip, "download", *words, cwd=place, env={**env, **recipe.env})
    found = [path for path in place.iterdir() if path.name.endswith((".tar.gz", ".zip"))]
    if not found:
        raise StepError("the sdist cannot be fetched", done.output)
    return found[0]


def unpack(sdist: Path, directory: Path) -> Path:
    """Unpack `sdist` into the empty `directory`; return the tree."""
    directory.mkdir(parents=True)
    if sdist.suffix == ".zip":
        with zipfile.ZipFile(sdist) as archive:
            archive.extractall(directory)
    else:
        with tarfile.open(sdist) as tar:
            tar.extractall(directory, filter="tar")
    trees = [path for path in directory.iterdir() if path.is_dir()]
    if len(trees) != 1:
        raise StepError(f"{sdist.name} holds no single directory", "")
    return trees[0]


def read_build_system(tree: Path) -> BuildSystem:
    """Return the [build-system] table of `tree`."""
    file = tree / "pyproject.toml"
    table = cast(
        "dict[str, object]",
        _parse(file.read_text("utf-8")).get("build-system", {}) if file.is_file() else {},
    )
    return BuildSystem(
        requires=tuple(cast("list[str]", table.get("requires", ["setuptools"]))),
        backend=str(table.get("build-backend", _NO_BACKEND)),
        path=tuple(cast("list[str]", table.get("backend-path", []))),
    )


def switch_backend(tree: Path) -> BuildSystem:
    """Make variantbuild the backend of `tree`, with the backend it had as delegate.

    Returns what it had. Raises StepError where that cannot be done without touching other tables.
    """
    before = read_build_system(tree)
    file = tree / "pyproject.toml"
    text = file.read_text("utf-8") if file.is_file() else ""
    rest = _without_table(text, "build-system")
    expected = {key: value for key, value in _parse(text).items() if key != "build-system"}
    if _parse(rest) != expected:
        raise StepError("[build-system] cannot be told from the rest of pyproject.toml", text)
    requires = json.dumps([*before.requires, "variantbuild[audit]"])
    ours = [
        "[build-system]",
        f"requires = {requires}",
        'build-backend = "variantbuild"',
        "",
        "[tool.variantbuild]",
        f"delegate = {json.dumps(before.backend)}",
        *([f"delegate-path = {json.dumps(before.path)}"] if before.path else []),
    ]
    file.write_text(rest.rstrip() + "\n\n" + "\n".join(ours) + "\n", encoding="utf-8")
    return before


def _without_table(text: str, name: str) -> str:
    """Cut the table `name` out: up to the next header where what is left is TOML."""
    start = re.search(rf"^\s*\[\s*{re.escape(name)}\s*\]", text, re.MULTILINE)
    if start is None:
        return text
    for end in [found.start() for found in _TABLE.finditer(text, start.end())] + [len(text)]:
        rest = text[: start.start()] + "\n" + text[end:]
        try:
            _parse(rest)
        except ValueError:
            continue  # the bracket stood inside an array
        return rest
    return text


def _parse(text: str) -> Mapping[str, object]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)
