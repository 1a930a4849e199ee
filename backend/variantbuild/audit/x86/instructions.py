"""Determines what each x86 instruction needs: a level, and extensions outside the levels.

iced-x86 names the CPUID features of an instruction; the table in data/x86_instructions.json maps
each to a level or extension. An EVEX encoding is v4, a VEX encoding v3 at least.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypedDict, cast

from iced_x86 import Code, CpuidFeature, EncodingKind, Instruction, Mnemonic

from variantbuild.data import load_table
from variantbuild.isa.levels import baseline, highest

if TYPE_CHECKING:
    from iced_x86._iced_x86_py import Code as CodeType

_SSE = frozenset({CpuidFeature.SSE, CpuidFeature.SSE2})
_ASKING = frozenset({Code.CPUID, Code.XGETBV, Code.INVALID})


class _Table(TypedDict):
    levels: dict[str, str]
    named: dict[str, str]
    baseline_mnemonics: str


class _Tables:
    """The table by iced-x86's numbers."""

    def __init__(self) -> None:
        table = cast("_Table", load_table("x86_instructions"))
        numbers = {name: value for name, value in vars(CpuidFeature).items() if name[0] != "_"}
        self.levels = {
            numbers[name]: level
            for level, names in table["levels"].items()
            for name in names.split()
        }
        self.named = {numbers[name]: word for name, word in table["named"].items()}
        mnemonics = vars(Mnemonic)
        self.baseline = {mnemonics[name] for name in table["baseline_mnemonics"].split()}


@functools.cache
def _tables() -> _Tables:
    return _Tables()


@functools.cache
def needs_of(code: int) -> tuple[str, ...]:
    """Return what instructions of iced-x86's `code` need beyond the baseline.

    A level above v1 first, then names of extensions; empty for baseline instructions.
    """
    probe = instruction_of(code)
    tables = _tables()
    if probe.mnemonic in tables.baseline:
        return ()
    features = probe.cpuid_features()
    levels = [tables.levels[each] for each in features if each in tables.levels]
    named = sorted({tables.named[each] for each in features if each in tables.named})
    if probe.encoding == EncodingKind.EVEX:
        levels.append("v4")
    elif probe.encoding == EncodingKind.VEX and "amx" not in " ".join(named):
        levels.append("v3")
    level = highest("x86_64", levels)
    return (*([level] if level != baseline("x86_64") else []), *named)


class Kinds:
    """The codes seen so far, each classified once.

    `plain` are baseline instructions without vectors; `above` need more than the baseline;
    `packed` are vector instructions in VEX or EVEX encoding, `legacy` SSE and SSE2 in the old one.
    """

    def __init__(self) -> None:
        self.plain: set[int] = set()
        self.above: set[int] = set()
        self.packed: set[int] = set()
        self.legacy: set[int] = set()
        self._met: set[int] = set()

    def learn(self, codes: set[int]) -> None:
        """Classify the `codes` that are new."""
        for code in codes - self._met:
            self._met.add(code)
            probe = instruction_of(code)
            if needs_of(code):
                self.above.add(code)
            if probe.encoding in (EncodingKind.VEX, EncodingKind.EVEX):
                self.packed.add(code)
            elif not _SSE.isdisjoint(probe.cpuid_features()):
                self.legacy.add(code)
            elif not needs_of(code) and code not in _ASKING:
                self.plain.add(code)


@functools.cache
def kinds_of() -> Kinds:
    """Return the classification of this process."""
    return Kinds()


def instruction_of(code: int) -> Instruction:
    """Return an instruction with iced-x86's `code`, to read the properties of that code."""
    probe = Instruction()
    probe.code = cast("CodeType", code)
    return probe


def decoder_name() -> str:
    """Return the name and version of the decoder, for reports."""
    from importlib.metadata import version

    return f"iced-x86 {version('iced-x86')}"
