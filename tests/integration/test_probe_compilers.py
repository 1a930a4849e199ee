"""The compilers of this machine: the probe finds what they report."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

import pytest

from faketools import write_program
from variantbuild.host.local import LocalHost
from variantbuild.probe.compiler import probe_compiler
from variantbuild.probe.facts import Compiler, Found, Language

pytestmark = pytest.mark.compile


def found(host: LocalHost, language: Language = "c") -> Compiler:
    fact = probe_compiler(host, language)
    assert isinstance(fact, Found), fact
    return fact.value


def need(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        pytest.skip(f"{program or 'a compiler'} is not here")
    return path


def test_wrapper_called_cc(tmp_path: Path) -> None:
    gcc = need("gcc")
    wrapper = write_program(tmp_path / "cc", f'exec {gcc} -DWRAPPED "$@"')
    host = LocalHost(env={**os.environ, "CC": str(wrapper)})
    theirs = found(LocalHost(env={**os.environ, "CC": gcc}))
    ours = found(host)
    assert ours.command == (str(wrapper),)
    assert (ours.family, ours.version, ours.target) == ("gcc", theirs.version, theirs.target)


@pytest.mark.parametrize(
    ("program", "family", "language"),
    [
        ("gcc", "gcc", "c"),
        ("g++", "gcc", "cxx"),
        ("gfortran", "gcc", "fortran"),
        ("clang", "clang", "c"),
    ],
)
def test_of_this_machine(program: str, family: str, language: Language) -> None:
    """The version is that of -dumpfullversion; clang knows only -dumpversion."""
    path = need(program)
    variable = {"c": "CC", "cxx": "CXX", "fortran": "FC"}[language]
    host = LocalHost(env={**os.environ, variable: path})
    compiler = found(host, language)
    options = ["-dumpfullversion"] if family == "gcc" else []
    told = host.run([path, *options, "-dumpversion"]).stdout.split()
    if compiler.family == family:  # a Mac's gcc is Apple's clang
        assert compiler.version == told[0]
        assert compiler.target == host.run([path, "-dumpmachine"]).stdout.strip()


def test_ccache() -> None:
    ccache, gcc = need("ccache"), need("gcc")
    compiler = found(LocalHost(env={**os.environ, "CC": "ccache gcc -m64"}))
    assert compiler.command == (ccache, gcc, "-m64")


def test_default_is_the_interpreters() -> None:
    name = str(sysconfig.get_config_var("CC") or "").split(" ")[0]
    path = need(name)
    env = {key: value for key, value in os.environ.items() if key != "CC"}
    assert found(LocalHost(env=env)).command[0] == path
