"""Generate the package map and the import rules: `python docs/contributing.py [--check]`.

The map comes from the first sentence of each package's docstring, the rules from the import-linter
contracts in pyproject.toml. Both are written to CONTRIBUTING.md. With `--check` nothing is written;
the exit code is 1 if the file is out of date.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypedDict, cast

from marks import render_table, update_parts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent


class Layers(TypedDict):
    """The import-linter contract that orders the packages."""

    type: Literal["layers"]
    layers: list[str]


class Forbidden(TypedDict):
    """An import-linter contract on packages that must not import others."""

    type: Literal["forbidden"]
    name: str
    source_modules: list[str]
    forbidden_modules: list[str]


def render_packages(root: Path) -> str:
    """Return a table of all packages and top-level modules of the tree at `root`."""
    rows = [(f"[`{name}`]({where})", summary) for name, where, summary in _packages(root)]
    return render_table(("package", "purpose"), rows)


def _packages(root: Path) -> Iterator[tuple[str, str, str]]:
    backend = root / "backend" / "variantbuild"
    files = [path for path in backend.rglob("__init__.py") if path.parent != backend]
    files += [path for path in backend.glob("*.py") if not path.stem.startswith("__")]
    names = {
        path: path.relative_to(backend).with_suffix("").as_posix().removesuffix("/__init__")
        for path in files
    }
    names[root / "cmake" / "__init__.py"] = "cmake"
    for path, name in sorted(names.items(), key=lambda item: item[1].split("/")):
        where = path.parent if path.name == "__init__.py" else path
        yield name, where.relative_to(root).as_posix(), _summary(path)


def _summary(path: Path) -> str:
    """Return the first paragraph of the docstring in the file at `path`, on one line."""
    text = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    return " ".join(text.partition("\n\n")[0].split())


def render_layers(root: Path) -> str:
    """Return the table of layers, highest first."""
    (contract,) = (each for each in _contracts(root) if each["type"] == "layers")
    rows = [
        (str(number), ", ".join(f"`{name.strip()}`" for name in layer.split("|")))
        for number, layer in enumerate(contract["layers"], start=1)
    ]
    return render_table(("layer", "packages"), rows)


def render_forbidden(root: Path) -> str:
    """Return the table of imports that are forbidden in addition to the layers."""
    rows = [
        (each["name"], _names(each["source_modules"]), _names(each["forbidden_modules"]))
        for each in _contracts(root)
        if each["type"] == "forbidden"
    ]
    return render_table(("rule", "packages", "must not import"), rows)


def _contracts(root: Path) -> list[Layers | Forbidden]:
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    return cast("list[Layers | Forbidden]", table["tool"]["importlinter"]["contracts"])


def _names(modules: list[str]) -> str:
    return ", ".join(f"`{module.removeprefix('variantbuild.')}`" for module in modules)


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Update or check CONTRIBUTING.md in the tree at `root`."""
    parts = {
        "packages": render_packages(root),
        "layers": render_layers(root),
        "forbidden": render_forbidden(root),
    }
    return update_parts(
        root / "CONTRIBUTING.md",
        parts,
        command="python docs/contributing.py",
        check="--check" in arguments,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
