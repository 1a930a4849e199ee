"""try_flags with compilers and linkers that fail, ignore options or lie."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from faketools import write_program
from variantbuild.errors import FlagsError
from variantbuild.host.local import LocalHost
from variantbuild.plan.flags import Flags, Guard
from variantbuild.plan.flags.trial import try_flags
from variantbuild.probe.facts import Compiler, CompilerFamily, Language


def host(**env: str) -> LocalHost:
    return LocalHost(env={"PATH": os.environ["PATH"], **env})


def fake(path: Path, family: CompilerFamily = "gcc", language: Language = "c") -> Compiler:
    return Compiler(language=language, family=family, version="12.2.0", command=(str(path),))


def test_ignored_switch_is_no_success(tmp_path: Path) -> None:
    """MSVC warns of an unknown /arch, exits with 0 and goes on without it."""
    line = "cl : Command line warning D9002 : ignoring unknown option '/arch:SSE4.2'"
    tool = write_program(tmp_path / "cl", f'echo "{line}"')
    flags = Flags(languages=("c",), c=("/arch:SSE4.2",))
    with pytest.raises(FlagsError, match="D9002"):
        try_flags(host(), flags, {"c": fake(tool, "msvc")}, tmp_path)


def test_silent_failure_and_missing_program(tmp_path: Path) -> None:
    flags = Flags(languages=("c",), c=("-march=x86-64-v3",))
    broken = write_program(tmp_path / "broken", "exit 3")
    with pytest.raises(FlagsError, match="exit status 3"):
        try_flags(host(), flags, {"c": fake(broken)}, tmp_path)
    with pytest.raises(FlagsError, match="gone"):
        try_flags(host(), flags, {"c": fake(tmp_path / "gone")}, tmp_path)


def test_linker_that_lies(tmp_path: Path) -> None:
    """Exit status 0 and a file that is no ELF file: not taken for a guard."""
    liar = write_program(tmp_path / "liar", 'for last; do :; done; echo nonsense > "$last"')
    flags = Flags(languages=("c",), guard=Guard(level="v3"))
    guard = try_flags(host(), flags, {"c": fake(liar)}, tmp_path).guard
    assert guard.level is None
    assert "could not be read" in str(guard.unguarded)
