"""Which builds need a tree of their own, because their objects cannot be kept apart otherwise."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from variantbuild.config.buildsystem import BuildSystem
from variantbuild.delegate.backend import Delegate
from variantbuild.delegate.products import has_products
from variantbuild.plan.languages import find_languages

#: What a setup.py may import and still leave all compiling to build_ext, in our build directory.
_PLAIN_IMPORTS = frozenset(
    {"__future__", "codecs", "Cython", "distutils", "glob", "io", "numpy", "os", "pathlib"}
    | {"platform", "pybind11", "re", "setuptools", "setuptools_scm", "sys", "sysconfig"}
    | {"typing", "warnings"}
)
_RUNS = frozenset({"system", "popen", "chdir", "spawnl", "spawnv", "execv", "posix_spawn"})
_OWN_DIRECTORY = re.compile(r"^\s*(?:build[-_](?:base|temp|lib|platlib)|inplace)\s*[=:]", re.M)


def needs_own_tree(delegate: Delegate, source: Path) -> bool:
    """Tell whether a wheel of `source` has to be built in a copy of the tree.

    CMake, Meson and cargo have a build directory for each variant, and so has setuptools as long
    as nothing but its own build_ext compiles. What an earlier build left among the sources would be
    used all the same: setuptools copies package data before it compiles, and programs that CMake
    or a build script run write where they like.
    """
    system = delegate.spec.system
    if system is BuildSystem.VARIANTBUILD:
        return False
    # `maturin develop` leaves a module in the tree, which the next build overwrites.
    if has_products(source, modules=not system.runs_cargo):
        return True
    if system.runs_cargo:
        return False
    match system.channel:
        case "cmake" | "meson":
            return False
        case "environment":
            return system is BuildSystem.UNKNOWN or bool(find_languages(source))
        case "setuptools":
            return not _keeps_to_build_ext(source, delegate.env)


def _keeps_to_build_ext(source: Path, env: Mapping[str, str]) -> bool:
    # The standard library's distutils does not read DIST_EXTRA_CONFIG.
    if env.get("SETUPTOOLS_USE_DISTUTILS") == "stdlib":
        return False
    if _OWN_DIRECTORY.search(_text(source / "setup.cfg")):
        return False
    script = source / "setup.py"
    return not script.exists() or _is_plain(_text(script))


def _is_plain(text: str) -> bool:
    """Tell whether a setup.py neither runs programs nor brings commands of its own."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return False
    return all(_is_harmless(node) for node in ast.walk(tree))


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.Import(names=names):
            return all(each.name.partition(".")[0] in _PLAIN_IMPORTS for each in names)
        case ast.ImportFrom(module=module, level=level):
            return not level and (module or "").partition(".")[0] in _PLAIN_IMPORTS
        case ast.ClassDef():
            return False
        case ast.Attribute(attr=name):
            return name not in _RUNS
        case ast.Name(id=name):
            return name not in ("__import__", "run_setup", "import_module")
        case ast.keyword(arg=name):
            return name not in ("script_args", "options")
        case _:
            return True


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
