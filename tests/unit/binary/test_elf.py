"""ELF headers, notes and recorded flags: made by hand, this Python's own, and damaged."""

from __future__ import annotations

import contextlib
import sys
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binaries.elves import command_lines, elf, isa_note
from variantbuild.binary.elf import ElfError, parse_elf


@pytest.mark.parametrize(
    ("mask", "level"), [(0, None), (1, "v1"), (3, "v2"), (4, "v3"), (7, "v3"), (15, "v4")]
)
def test_isa_note(mask: int, level: str | None) -> None:
    assert parse_elf(elf(note=isa_note(mask))).isa_needed == level


def test_no_note_is_none() -> None:
    assert parse_elf(elf()).isa_needed is None


def test_recorded_flags_are_one_line_per_unit() -> None:
    lines = ("GNU C17 12.2.0 -march=x86-64-v3 -O2", "/usr/bin/clang -O2 -c a.c")
    assert parse_elf(elf(sections=command_lines(*lines))).command_lines == lines


def test_recorded_flags_of_old_gcc_become_one_line() -> None:
    old = command_lines("-mtune=generic", "-march=haswell", "-O2")
    assert parse_elf(elf(sections=old)).command_lines == ("-mtune=generic -march=haswell -O2",)


@pytest.mark.parametrize(("number", "name"), [(62, "x86_64"), (183, "aarch64"), (9, "machine 9")])
def test_machine(number: int, name: str) -> None:
    assert parse_elf(elf(machine=number)).machine == name


def test_this_pythons_own_modules() -> None:
    directory = Path(sysconfig.get_paths()["platstdlib"]) / "lib-dynload"
    modules = sorted(directory.glob("_s*.so"))
    if sys.platform != "linux" or not modules:
        pytest.skip("no ELF modules beside this Python")
    for path in modules:
        found = parse_elf(path.read_bytes())
        assert found.kind == "shared"
        assert found.section(".text") is not None
        assert any(name.startswith("libc.") for name in found.needed)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not an ELF file"),
        (b"\x7fELF", "not an ELF file"),
        (b"\x7fELF" + bytes(60), "unknown class 0"),
        (elf()[:40], "truncated"),
        (elf()[:-30], "outside of the ELF file"),
    ],
)
def test_damage_is_named(data: bytes, words: str) -> None:
    with pytest.raises(ElfError, match=words):
        parse_elf(data)


@settings(max_examples=400, deadline=1000)
@given(
    changes=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 900),
)
def test_damaged_files_give_a_value_or_an_error(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(elf(note=isa_note(4), sections=command_lines("GNU C17 -march=haswell")))
    for at, value in changes:
        data[at % len(data)] = value
    with contextlib.suppress(ElfError):
        assert parse_elf(bytes(data[: len(data) - cut % 80])).machine
