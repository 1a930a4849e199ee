"""The flags of the table, tried with real compilers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from variantbuild.binary.elf import parse_elf
from variantbuild.plan.flags import FpContract, resolve_flags
from variantbuild.plan.flags.toolchains import level_features
from variantbuild.probe.facts import Compiler, CompilerFamily, Language
from variantbuild.variant import Variant

pytestmark = pytest.mark.compile

PROGRAMS: dict[tuple[CompilerFamily, Language], str] = {
    ("gcc", "c"): "gcc",
    ("gcc", "cxx"): "g++",
    ("gcc", "fortran"): "gfortran",
    ("clang", "c"): "clang",
    ("clang", "cxx"): "clang++",
}
SOURCES: dict[Language, tuple[str, str]] = {
    "c": ("fma.c", "double f(double a, double b, double c) { double p = a * b; return p + c; }"),
    "cxx": (
        "fma.cpp",
        "double f(double a, double b, double c) { double p = a * b; return p + c; }",
    ),
    "fortran": (
        "fma.f90",
        "real(8) function f(a, b, c)\n  real(8) :: a, b, c\n  f = a * b + c\nend function\n",
    ),
}


def compiler(family: CompilerFamily, language: Language) -> Compiler:
    """The program of this machine, taken for a version that has the levels."""
    if (path := shutil.which(PROGRAMS[family, language])) is None:
        pytest.skip(f"{PROGRAMS[family, language]} is not installed")
    return Compiler(language=language, family=family, version="14.0.0", command=(path,))


def call(tool: Compiler, *words: str | Path) -> str:
    return subprocess.run(
        [*tool.command, *map(str, words)], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("family", ["gcc", "clang"])
@pytest.mark.parametrize("level", ["v2", "v3", "v4"])
def test_spelled_out_features_are_the_level(family: CompilerFamily, level: str) -> None:
    """The flags for old compilers define the same macros as the level's name in a new one."""
    tool = compiler(family, "c")
    ask = ("-mtune=generic", "-dM", "-E", "-xc", "/dev/null")
    by_name = set(call(tool, f"-march=x86-64-{level}", *ask).splitlines())
    spelled = set(call(tool, "-march=x86-64", *level_features(level), *ask).splitlines())
    # clang defines macros for K8 with plain x86-64: a name, not a feature.
    names = {f"#define {name} 1" for name in ("__k8", "__k8__", "__tune_k8__")}
    assert spelled - names == by_name - names


@pytest.mark.parametrize(("family", "language"), PROGRAMS)
@pytest.mark.parametrize("contract", ["off", "fast"])
def test_contraction_as_asked(
    family: CompilerFamily, language: Language, contract: FpContract, tmp_path: Path
) -> None:
    tool = compiler(family, language)
    name, text = SOURCES[language]
    source = tmp_path / name
    source.write_text(text, encoding="ascii")
    variant = Variant(arch="x86_64", cpu="v3")
    flags = resolve_flags(variant, {language: tool}, fp_contract=contract).of(language)
    listing = call(tool, *flags, "-O2", "-S", "-o", "-", source)
    assert ("vfmadd" in listing) == (contract == "fast")


@pytest.mark.parametrize(("family", "language"), PROGRAMS)
def test_flags_are_recorded_in_the_object(
    family: CompilerFamily, language: Language, tmp_path: Path
) -> None:
    tool = compiler(family, language)
    name, text = SOURCES[language]
    source = tmp_path / name
    source.write_text(text, encoding="ascii")
    made = tmp_path / "made.o"
    flags = resolve_flags(Variant(arch="x86_64", cpu="v3"), {language: tool}).of(language)
    call(tool, *flags, "-c", source, "-o", made)
    (line,) = parse_elf(made.read_bytes()).command_lines
    assert "-march=x86-64-v3" in line.split()
