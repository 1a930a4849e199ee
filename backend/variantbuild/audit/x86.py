"""Audit the code of an x86-64 ELF file: its level, what lies behind dispatch, and who needs it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from iced_x86 import CpuidFeature, Decoder, EncodingKind, Formatter, FormatterSyntax

from variantbuild.audit.levels import highest, is_level
from variantbuild.audit.reach import Reach, knows_processor
from variantbuild.audit.report import Code, Extension, Function
from variantbuild.audit.symbols import Bounds, Slots, Symbol, read_bounds, read_slots, read_symbols
from variantbuild.audit.x86_needs import decoder_name, instruction_of, needs_of
from variantbuild.audit.x86_scan import PROBES, Scan, code_sections, count_codes, scan_functions
from variantbuild.elf import Data, Elf

_MOST_FUNCTIONS = 8
# Compiled for v3 throughout: less than one in a hundred vector instructions is not VEX-encoded.
_THROUGHOUT = 100

Needs = Mapping[int, Mapping[str, int]]  # function to need to address of the first instruction


def audit_x86(data: Data, elf: Elf) -> Code:
    """Decode all instructions of an x86-64 file and tell guarded code from the rest.

    Raises ElfError where symbol or relocation tables point outside of the file.
    """
    symbols = read_symbols(data, elf)
    bounds = read_bounds(data, elf, symbols)
    codes = count_codes(data, elf, bounds)
    size = sum(section.size for section in code_sections(elf))
    hot = frozenset(code for code in codes if needs_of(code))
    if not hot:
        return _baseline(size, codes)
    slots = read_slots(data, elf)
    known = _known_guard(symbols, slots)
    if known is None and not PROBES.intersection(codes):
        settled = _settled(data, elf, bounds, codes, size)
        if settled is not None:
            return settled
    scan = scan_functions(data, elf, bounds, hot)
    guard = known
    if guard is None and scan.probes:
        guard = f"CPUID in {bounds.name(min(scan.probes))}"
    present = _first_uses(scan)
    needed: Needs = present
    if guard is not None and bounds.starts and not _compiled_throughout(codes):
        needed = Reach(data, elf, symbols, bounds, slots, scan).needs()
    counts: Counter[str] = Counter()
    for uses in scan.uses.values():
        for need, (count, _) in uses.items():
            counts[need] += count
    return Code(
        decoder=decoder_name(),
        size=size,
        level=_level(needed),
        dispatched=_level(present),
        guard=guard,
        counts=_level_counts(codes, counts),
        extensions=_extensions(counts, needed),
        functions=_functions(data, elf, bounds, needed, present),
    )


def _settled(data: Data, elf: Elf, bounds: Bounds, codes: Counter[int], size: int) -> Code | None:
    """Report on a file that never asks the processor, whose counts settle what it needs.

    None where the functions do not bear out the counts: tables between them were decoded.
    """
    counts: Counter[str] = Counter()
    for code, count in codes.items():
        for need in needs_of(code):
            counts[need] += count
    level = _level({0: dict.fromkeys(counts, 0)})
    setting = frozenset(code for code in codes if level in needs_of(code))
    named = [need for need in counts if not is_level("x86_64", need)]
    present = _first_uses(scan_functions(data, elf, bounds, setting, _MOST_FUNCTIONS))
    if named or not present:
        return None
    return Code(
        decoder=decoder_name(),
        size=size,
        level=level,
        dispatched=level,
        guard=None,
        counts=_level_counts(codes, counts),
        extensions=(),
        functions=_functions(data, elf, bounds, present, present),
    )


def _first_uses(scan: Scan) -> Needs:
    return {
        start: {need: first for need, (_, first) in uses.items()}
        for start, uses in scan.uses.items()
    }


def _baseline(size: int, codes: Counter[int]) -> Code:
    return Code(
        decoder=decoder_name(),
        size=size,
        level="v1",
        dispatched="v1",
        guard=None,
        counts=(("v1", sum(codes.values())),),
        extensions=(),
        functions=(),
    )


def _known_guard(symbols: tuple[Symbol, ...], slots: Slots) -> str | None:
    """Say by what name code is chosen at run time in this file, None where none tells."""
    resolved = next((each.name for each in symbols if each.ifunc), None)
    if resolved is not None:
        return f"IFUNC symbol {resolved}"
    if slots.irelative:
        return "IRELATIVE relocations"
    asked = next((name for name in slots.names.values() if knows_processor(name)), None)
    return None if asked is None else f"{asked} of another library"


def _compiled_throughout(codes: Counter[int]) -> bool:
    plain = packed = 0
    for code, count in codes.items():
        probe = instruction_of(code)
        if probe.encoding in (EncodingKind.VEX, EncodingKind.EVEX):
            packed += count
        elif {CpuidFeature.SSE, CpuidFeature.SSE2}.intersection(probe.cpuid_features()):
            plain += count
    return plain * _THROUGHOUT < packed


def _level(needs: Needs) -> str:
    words = {need for uses in needs.values() for need in uses}
    return highest("x86_64", [each for each in words if is_level("x86_64", each)])


def _level_counts(codes: Counter[int], counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    levels = sorted((need, count) for need, count in counts.items() if is_level("x86_64", need))
    above = sum(count for _, count in levels)
    return (("v1", sum(codes.values()) - above), *levels)


def _extensions(counts: Counter[str], needed: Needs) -> tuple[Extension, ...]:
    unguarded = {need for uses in needed.values() for need in uses}
    return tuple(
        Extension(name=name, count=counts[name], dispatched=name not in unguarded)
        for name in sorted(counts)
        if not is_level("x86_64", name)
    )


def _functions(
    data: Data, elf: Elf, bounds: Bounds, needed: Needs, present: Needs
) -> tuple[Function, ...]:
    """Name the functions that set the level, then those that set the level behind a guard."""
    found = list(_setting(_level(needed), needed, guarded=False))
    if _level(present) != _level(needed):
        found += _setting(_level(present), present, guarded=True)
    return tuple(
        Function(
            name=bounds.name(start),
            address=start,
            at=at,
            instruction=_text(data, elf, at),
            needs=level,
            guarded=guarded,
        )
        for start, at, level, guarded in found
    )


def _setting(level: str, needs: Needs, *, guarded: bool) -> Iterable[tuple[int, int, str, bool]]:
    if level == "v1":
        return []
    having = [(start, uses[level]) for start, uses in sorted(needs.items()) if level in uses]
    return [(start, at, level, guarded) for start, at in having[:_MOST_FUNCTIONS]]


def _text(data: Data, elf: Elf, address: int) -> str:
    offset = elf.offset_of(address)
    if offset is None:
        return ""
    instruction = Decoder(elf.bits, bytes(data[offset : offset + 16]), ip=address).decode()
    return Formatter(FormatterSyntax.INTEL).format(instruction)
