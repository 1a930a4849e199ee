"""Translates the machine in ELF, Mach-O and PE headers to archspec's family names.

The table is data/architectures.json, which isa/ reads too; it is loaded on use, since the wheel
engine imports this module for wheels without machine code as well.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing import TypedDict

    class _Elf(TypedDict, total=False):
        number: int
        bits: int
        order: str

    class _Level(TypedDict, total=False):
        name: str
        isa_note: int

    class _Row(TypedDict, total=False):
        levels: list[_Level]
        elf: _Elf
        macho: int
        pe: int


#: Machines of ELF files that are not architectures of wheels.
_OTHERS = {8: "mips", 190: "cuda", 224: "amdgpu", 243: "riscv", 247: "bpf"}


def elf_machine(number: int, *, bits: int, little_endian: bool) -> str:
    """Return the name for an e_machine `number` of an ELF header of that class and byte order."""
    order = "little" if little_endian else "big"
    for name, row in _table().items():
        elf = row.get("elf", {})
        if (
            elf.get("number") == number
            and elf.get("bits", bits) == bits
            and elf.get("order", order) == order
        ):
            return name
    return _OTHERS.get(number, f"machine {number}")


def isa_note_level(mask: int) -> str | None:
    """Return the highest x86-64 level whose bit is set in an ISA note; None if no bit is set."""
    levels = _table()["x86_64"]["levels"]
    return next((row["name"] for row in reversed(levels) if mask & row["isa_note"]), None)


def macho_machine(number: int) -> str:
    """Return the name for a cputype of a Mach-O header."""
    return _find("macho", number) or f"Mach-O CPU type {number:#x}"


def pe_machine(number: int) -> str:
    """Return the name for the Machine field of a PE header."""
    return _find("pe", number) or f"PE machine {number:#x}"


def _find(key: str, number: int) -> str | None:
    return next((name for name, row in _table().items() if row.get(key) == number), None)


@functools.cache
def _table() -> dict[str, _Row]:
    from variantbuild.data import load_table

    return cast("dict[str, _Row]", load_table("architectures")["architectures"])
