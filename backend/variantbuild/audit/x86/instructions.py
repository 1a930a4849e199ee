"""Determines what each x86 instruction needs, as facts about the CPU.

iced-x86 names the CPUID features of an instruction; the table in data/x86_instructions.json
translates them to the compilers' names. Instructions of AVX need registers that the operating
system saves. A feature that is not in the table counts as unknown, which no CPU is known to have.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypedDict, cast

from iced_x86 import Code, CpuidFeature, EncodingKind, Instruction, Mnemonic

from variantbuild.audit.x86.cpufacts import fact
from variantbuild.data import load_table

if TYPE_CHECKING:
    from iced_x86._iced_x86_py import Code as CodeType

_SSE = frozenset({CpuidFeature.SSE, CpuidFeature.SSE2})
_OF_YMM = ("avx", "fma", "f16c", "vaes", "vpclmulqdq", "xop")


class _Table(TypedDict):
    features: dict[str, str]
    every_cpu: str
    mnemonics: dict[str, str]


class _Tables:
    """The table by iced-x86's numbers."""

    def __init__(self) -> None:
        table = cast("_Table", load_table("x86_instructions"))
        numbers = {name: value for name, value in vars(CpuidFeature).items() if name[0] != "_"}
        self.features = {numbers[name]: word for name, word in table["features"].items()}
        self.ignored = {numbers[name] for name in table["every_cpu"].split() if name in numbers}
        self.mnemonics = {vars(Mnemonic)[name]: w for name, w in table["mnemonics"].items()}


@functools.cache
def _tables() -> _Tables:
    return _Tables()


@functools.cache
def needs_of(code: int) -> int:
    """Return the facts that instructions of iced-x86's `code` need; 0 for the baseline."""
    if code == Code.INVALID:
        return fact("unknown")
    probe = instruction_of(code)
    tables = _tables()
    if probe.mnemonic in tables.mnemonics:
        return fact(tables.mnemonics[probe.mnemonic])
    features = [each for each in probe.cpuid_features() if each not in tables.ignored]
    names = {tables.features.get(each, "unknown") for each in features}
    if probe.encoding == EncodingKind.EVEX or any(n.startswith("avx512") for n in names):
        names |= {"ymm", "zmm"}
    elif (
        probe.encoding == EncodingKind.VEX and any(n.startswith(_OF_YMM) for n in names)
    ) or names & {"fma4", "xop"}:
        names.add("ymm")
    if any(n.startswith("amx") for n in names):
        names.add("tile")
    if probe.encoding in (EncodingKind.VEX, EncodingKind.EVEX) and not names:
        names.add("unknown")
    return functools.reduce(lambda facts, name: facts | fact(name), names, 0)


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
            needs = needs_of(code)
            if needs:
                self.above.add(code)
            if needs & fact("ymm") and probe.encoding in (EncodingKind.VEX, EncodingKind.EVEX):
                self.packed.add(code)
            elif not _SSE.isdisjoint(probe.cpuid_features()):
                self.legacy.add(code)
            elif not needs and code not in SPECIAL:
                self.plain.add(code)


#: Instructions that ask the CPU, and those that ask the system.
PROBES = frozenset({Code.CPUID, Code.XGETBV})
SPECIAL = PROBES | {Code.SYSCALL}


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
