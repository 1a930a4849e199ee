"""How the compilers of a plan are called, and what their wrappers run."""

from __future__ import annotations

import pytest

from variantbuild.delegate.drivers import Call, map_paths, names_directory
from variantbuild.delegate.handover.wrapper import Moved
from variantbuild.probe.facts import Compiler, CompilerFamily, Language


@pytest.mark.parametrize(
    ("command", "name", "runs", "arguments"),
    [
        (("/usr/bin/gcc",), "gcc", 1, ()),
        (("/usr/bin/gcc", "-m64"), "gcc", 1, ("-m64",)),
        (("/usr/bin/gcc", "-B", "/x"), "gcc", 1, ("-B", "/x")),
        (("/usr/bin/ccache", "/usr/bin/gcc", "-m64"), "gcc", 2, ("-m64",)),
        (("/usr/bin/ccache", "sloppiness=x", "/usr/bin/gcc"), "gcc", 3, ()),
        (("/opt/x86_64-conda-linux-gnu-cc",), "x86_64-conda-linux-gnu-cc", 1, ()),
        (("/opt/mpicc", "-g"), "mpicc", 1, ("-g",)),
        (("/usr/bin/env", "gcc"), "variantbuild-c", 2, ()),
        (("/usr/bin/env", "X=1", "gcc", "-m64"), "variantbuild-c", 4, ()),
        (("/usr/bin/ccache", "/usr/bin/env", "gcc"), "variantbuild-c", 3, ()),
        (("/opt/zig", "cc", "-target", "x86_64-linux-gnu"), "variantbuild-c", 4, ()),
        (("/usr/bin/python3", "compile.py", "gcc"), "variantbuild-c", 3, ()),
    ],
)
def test_call(command: tuple[str, ...], name: str, runs: int, arguments: tuple[str, ...]) -> None:
    compiler = Compiler(language="c", family="gcc", version="12.2.0", command=command)
    assert Call.of(compiler) == Call(name=name, command=command[:runs], arguments=arguments)


@pytest.mark.parametrize(
    ("family", "version", "language", "maps", "names"),
    [
        ("gcc", "12.2.0", "c", True, False),
        ("gcc", "12.2.0", "fortran", False, False),
        ("clang", "12.0.1", "cxx", True, False),
        ("clang", "13.0.0", "cxx", False, True),
        ("apple-clang", "15.0.0", "c", False, True),
        ("nvhpc", "24.1", "c", False, False),
    ],
)
def test_compilers_name_the_original_of_a_copied_tree(
    family: CompilerFamily, version: str, language: Language, maps: bool, names: bool
) -> None:
    compiler = Compiler(language=language, family=family, version=version, command=("/usr/bin/x",))
    moved = Moved("/copy", "/tree")
    assert map_paths(compiler, moved) == (("-ffile-prefix-map=/copy=/tree",) if maps else ())
    assert map_paths(compiler, None) == ()
    assert names_directory(compiler) is names
