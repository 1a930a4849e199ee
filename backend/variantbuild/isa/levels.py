"""Compares levels by name."""

from __future__ import annotations

from variantbuild.isa.architecture import architecture


def baseline(arch: str) -> str:
    """Return the name of the baseline of `arch` (archspec's family name)."""
    return architecture(arch).baseline.name


def includes(arch: str, have: str, need: str) -> bool:
    """Return whether a CPU of level `have` runs code for the level `need`."""
    return architecture(arch).includes(have, need)


def highest(arch: str, levels: list[str]) -> str:
    """Return the lowest level that runs code for all `levels`; the baseline of `arch` for none.

    Names that are not levels of `arch` are ignored: an i386 file may have an x86-64 ISA note.
    """
    known = architecture(arch)
    return known.join(each for each in levels if known.level(each) is not None).name


def is_level(arch: str, name: str) -> bool:
    """Return whether `name` is one of the levels of `arch`."""
    return architecture(arch).level(name) is not None
