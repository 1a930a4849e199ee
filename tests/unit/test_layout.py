"""The layout of the package: what import-linter cannot see, read from the syntax trees."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import variantbuild

ROOT = Path(variantbuild.__file__).parent
#: Without the package variantbuild.cmake: in the source it is the top-level directory cmake/, and
#: only an installed copy has it here.
MODULES = tuple(
    path
    for path in (each.relative_to(ROOT) for each in ROOT.rglob("*.py"))
    if path.parts[0] != "cmake"
)
#: Modules at the top level: those that every stage uses, and the two entry points.
TOP = {
    "__init__.py",
    "__main__.py",
    "errors.py",
    "messages.py",
    "py.typed",
    "types.py",
    "values.py",
}


def package(path: Path) -> str:
    """Return the top-level package of a module, or its stem if it is at the top level."""
    return path.parts[0] if len(path.parts) > 1 else path.stem


def is_program(tree: ast.Module) -> bool:
    """Return whether a module is run as a program, by `if __name__ == "__main__"`."""
    return any(
        isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"
        for node in tree.body
    )


def uses(tree: ast.Module, *names: str) -> Iterator[int]:
    """Yield the lines on which one of `names`, dotted or not, is read or called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in names:
            yield node.lineno


@cache
def trees() -> dict[Path, ast.Module]:
    """Return the syntax tree of each module, in a second: not while tests are collected."""
    return {path: ast.parse((ROOT / path).read_bytes()) for path in MODULES}


def modules() -> dict[Path, ast.Module]:
    """Return all modules that others import."""
    return {path: tree for path, tree in trees().items() if not is_program(tree)}


def test_top_level_holds_only_what_every_stage_uses() -> None:
    files = {path.name for path in ROOT.iterdir() if path.is_file()}
    assert files == TOP


def test_no_module_name_stands_twice() -> None:
    names = Counter(
        path.parent.name if path.name == "__init__.py" else path.stem
        for path in MODULES
        if package(path) != "cli" and path.parts != ("__init__.py",)
    )
    assert [name for name, count in names.items() if count > 1] == []


@pytest.mark.parametrize("path", sorted(p for p in MODULES if p.name == "__init__.py"), ids=str)
def test_packages_say_what_they_are_in_one_sentence(path: Path) -> None:
    first = (ast.get_docstring(trees()[path]) or "").partition("\n\n")[0]
    assert first.endswith(".")
    assert ". " not in first.replace("\n", " ")


def test_environment_is_read_at_the_doors() -> None:
    found = {
        f"{path}:{line}"
        for path, tree in modules().items()
        if package(path) not in ("hooks", "cli")
        for line in uses(tree, "os.environ", "os.getenv", "environ", "getenv")
    }
    assert found == set()


def test_printing_is_done_at_the_doors() -> None:
    found = {
        f"{path}:{line}"
        for path, tree in modules().items()
        if package(path) not in ("hooks", "cli", "messages")
        for line in uses(tree, "print", "sys.stdout", "sys.stderr")
    }
    assert found == set()


def test_programs_of_their_own_are_imported_by_nobody() -> None:
    programs = {path.stem for path, tree in trees().items() if is_program(tree)}
    imported = {
        name
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        for name in (*alias.name.split("."), *(getattr(node, "module", None) or "").split("."))
    }
    assert programs
    assert programs & imported == set()


#: Lines of a module, and of a function without its docstring.
MODULE, FUNCTION = 250, 40
#: Longer modules, with the lines that they may have.
LONGER = {
    "config/settings.py": 270,  # one table, which schema and documentation are generated from
    "binary/elf/loaded.py": 251,
    "binary/elf/symbols.py": 258,
}


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function without its docstring."""
    assert node.end_lineno is not None
    count = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is None:
        return count
    docstring = node.body[0]
    assert docstring.end_lineno is not None
    return count - (docstring.end_lineno - docstring.lineno + 1)


def short(packages: dict[Path, ast.Module]) -> dict[Path, ast.Module]:
    """Return the modules without those of the audit, whose engine has longer ones."""
    return {path: tree for path, tree in packages.items() if package(path) != "audit"}


def test_modules_are_short() -> None:
    long = {
        str(path): count
        for path in short(trees())
        if (count := len((ROOT / path).read_text(encoding="utf-8").splitlines()))
        > LONGER.get(path.as_posix(), MODULE)
    }
    assert long == {}


def test_functions_are_short() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}: {lines(node)}"
        for path, tree in short(trees()).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines(node) > FUNCTION
    ]
    assert long == []
