"""The scripts that stand for the programs of gcc, run by the shell for a fake driver."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from variantbuild.delegate.handover.subprogram import (
    WRAPPED,
    Subprogram,
    compiler_options,
    linker_options,
    render_subprogram,
)

#: A driver that says where its own program is, which repeats its arguments.
DRIVER = '#!/bin/sh\n[ -z "$COMPILER_PATH" ] && echo "{program}"\n'
ECHO = '#!/bin/sh\nfor a do echo "$a"; done\n'
CC1 = Subprogram(
    name="cc1",
    driver="*/bin/gcc",
    dropped=("-march=x86-64",),
    before=("-march=x86-64-v3",),
    after=("-DQ=a b",),
)
LINKER = Subprogram(name="collect2", driver="*/bin/gcc", before=("-z", "x86-64-v3"))


def call(directory: Path, program: Subprogram, *words: str, driver: str = "gcc", **env: str) -> str:
    """Run the script of `program` as `driver` would; return the words that arrived."""
    (directory / "bin").mkdir()
    for path, text in (
        (directory / "bin" / driver, DRIVER.format(program=directory / "own")),
        (directory / "own", ECHO),
        (directory / program.name, render_subprogram([program], None)),
    ):
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    given = {
        "PATH": os.environ["PATH"],
        "COLLECT_GCC": str(directory / "bin" / driver),
        "COMPILER_PATH": str(directory),
        **env,
    }
    done = subprocess.run(
        [directory / program.name, *words], env=given, capture_output=True, text=True, check=True
    )
    return "|".join(done.stdout.splitlines())


def test_flags_replace_the_drivers_default(tmp_path: Path) -> None:
    said = call(tmp_path, CC1, "a b.c", "-march=x86-64", "-mavx512f")
    assert said == "-march=x86-64-v3|a b.c|-mavx512f|-DQ=a b"


@pytest.mark.parametrize(
    ("options", "arrived", "listed"),
    [
        # native: the driver adds -mabm and --param, the project -mavx512f
        (
            "'-march=native' '-mavx512f' '-O2'",
            "-march=x86-64-v3|a.c|-mavx512f|-O2|--param=x|-DQ=a b",
            ["-march=native"],
        ),
        (
            "'-march=icelake-server' '-mtune=znver4'",
            "-march=x86-64-v3|a.c|-mavx512f|-mabm|-O2|--param=x|-DQ=a b",
            ["-march=icelake-server", "-mtune=znver4"],
        ),
        ("'-O2'", "-march=x86-64-v3|a.c|-mavx512f|-mabm|-O2|--param=x|-DQ=a b", []),
    ],
)
def test_cpu_options_are_replaced_and_listed(
    options: str, arrived: str, listed: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "with space" / "replaced"
    file.parent.mkdir()
    given = ("-march=icelake-server", "-mavx512f", "-mabm", "-mtune=znver4", "-O2", "--param=x")
    program = replace(CC1, replaced=str(file))
    said = call(tmp_path, program, "a.c", *given, COLLECT_GCC_OPTIONS=options)
    assert said == arrived
    assert (file.read_text(encoding="utf-8").splitlines() if file.exists() else []) == listed


def test_another_driver_gets_nothing(tmp_path: Path) -> None:
    assert call(tmp_path, CC1, "a.c", "-march=x86-64", driver="arm-gcc") == "a.c|-march=x86-64"


def test_a_driver_that_a_wrapper_runs_gets_nothing(tmp_path: Path) -> None:
    said = call(tmp_path, CC1, "a.c", "-march=x86-64", **{WRAPPED: "1"})
    assert said == "a.c|-march=x86-64"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-shared", "a.o"), "-z|x86-64-v3|-shared|a.o"),
        (("a.o", "-o", "a.out"), "a.o|-o|a.out"),
    ],
)
def test_only_shared_objects_are_marked(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    assert call(tmp_path, LINKER, *words) == said


def test_users_search_path_is_restored() -> None:
    assert "\nCOMPILER_PATH='/my dir'; export" in render_subprogram([CC1], "/my dir")
    assert "\nunset COMPILER_PATH\n" in render_subprogram([CC1], None)


def test_options_are_sorted_by_the_program_that_takes_them() -> None:
    flags = ("-march=x", "-Wall", "-Wl,-z,now", "-fuse-ld=lld", "-lm", "-DX", "-pipe", "-L/x")
    assert compiler_options(flags) == ("-march=x", "-Wall", "-DX")
    assert linker_options(flags) == ("-z", "now", "-lm", "-L/x")
