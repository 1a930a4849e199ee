"""Audits x86-64 code: the level that it needs, and the code behind dispatch checks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from iced_x86 import Decoder, Formatter, FormatterSyntax

from variantbuild.audit.dispatch.checknames import known_check
from variantbuild.audit.dispatch.summary import Findings, Reader, summarize
from variantbuild.audit.report import Code
from variantbuild.audit.x86.instructions import decoder_name
from variantbuild.audit.x86.reach import Reach
from variantbuild.audit.x86.scan import (
    Part,
    Scan,
    code_sections,
    first_use,
    parts_of,
    scan_parts,
)
from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.elf.symbols import (
    Bounds,
    read_bounds,
    read_slots,
    read_symbols,
    with_names,
)
from variantbuild.isa.levels import baseline, highest, is_level

# Compiled for v3 throughout: fewer than one in a hundred functions with vector instructions have
# some that are not VEX-encoded.
_THROUGHOUT = 100

Scanner = Callable[[Data, Bounds, Sequence[Part]], Scan]


def audit_x86(data: Data, elf: Elf, scanner: Scanner = scan_parts) -> Code:
    """Decode all instructions of an x86-64 file, and find those that only run after a check.

    `scanner` decodes the parts of a file, possibly in several processes. Raises ElfError where
    symbol or relocation tables point outside of the file.
    """
    bounds = read_bounds(data, elf)
    scan = scanner(data, bounds, parts_of(elf, bounds))
    guard, unguarded = None, None
    if scan.uses:
        slots, symbols = read_slots(data, elf), read_symbols(data, elf)
        bounds = with_names(bounds, symbols)
        guard = known_check(symbols, slots)
        if guard is None and scan.probes:
            guard = f"CPUID in {bounds.name(min(scan.probes))}"
        if guard is not None and bounds.starts and not _compiled_throughout(scan):
            unguarded = Reach(data, elf, symbols, bounds, slots, scan).needs()
    found = Findings(
        decoder=decoder_name(),
        size=sum(section.size for section in code_sections(elf)),
        guard=guard,
        present={start: use.needs for start, use in scan.uses.items()},
        unguarded=unguarded,
    )
    reader = Reader(
        name=bounds.name,
        first=lambda start, need: first_use(data, elf, start, scan.uses[start].end, need),
        text=lambda at: _text(data, elf, at),
        level=_level,
        setting=lambda needs: frozenset({_level(needs)} - {baseline("x86_64")}),
        is_named=lambda need: not is_level("x86_64", need),
    )
    return summarize(found, reader)


def _compiled_throughout(scan: Scan) -> bool:
    return scan.plain * _THROUGHOUT < scan.packed


def _level(needs: frozenset[str]) -> str:
    return highest("x86_64", [each for each in needs if is_level("x86_64", each)])


def _text(data: Data, elf: Elf, address: int) -> str:
    offset = elf.offset_of(address)
    if offset is None:
        return ""
    instruction = Decoder(elf.bits, bytes(data[offset : offset + 16]), ip=address).decode()
    return Formatter(FormatterSyntax.INTEL).format(instruction)
