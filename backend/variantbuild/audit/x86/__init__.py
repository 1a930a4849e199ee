"""Audits x86-64 code: the features that it needs, and the ways on which it asks for them.

`scan` finds the functions that matter, `ways` follows them back to where execution begins, with
`factflow` (facts in one function), `knowledge` (variables, arguments, results) and `program` (who
refers to whom).
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Sequence

from iced_x86 import Code as Codes
from iced_x86 import Decoder, Formatter, FormatterSyntax, Instruction, Mnemonic

from variantbuild.audit.dispatch.checknames import names_features
from variantbuild.audit.dispatch.summary import summarize
from variantbuild.audit.report import NOT_FOLLOWED, Code, Path
from variantbuild.audit.x86.counting import harmless_counts
from variantbuild.audit.x86.cpufacts import fact, names_of
from variantbuild.audit.x86.gaps import split_gaps
from variantbuild.audit.x86.instructions import decoder_name, needs_of
from variantbuild.audit.x86.plainways import find_plain_ways
from variantbuild.audit.x86.program import Program
from variantbuild.audit.x86.scan import Part, Scan, parts_of, scan_parts
from variantbuild.audit.x86.ways import Result, Way, find_ways
from variantbuild.binary.elf import Data, Elf
from variantbuild.binary.elf.loaded import PT_GNU_STACK, Loaded
from variantbuild.binary.elf.symbols import (
    Bounds,
    combine_bounds,
    read_objects,
    read_symbols,
    with_names,
)
from variantbuild.isa import x86features

# Compiled for v3 throughout: fewer than one in a hundred functions with vector instructions have
# some that are not VEX-encoded.
_THROUGHOUT, _ENOUGH = 100, 32
#: How many instructions are followed at most, in all rounds of the search.
_BUDGET = 25_000
#: Libraries that do not tell what the CPU has, but by functions that are known.
_SYSTEM_LIBRARIES = (
    "ld-linux", "ld-musl", "libanl", "libblas", "libc.", "libdl.", "libgcc_s", "libgfortran",
    "libgomp", "liblapack", "libm.", "libopenblas", "libpthread.", "libpython", "libquadmath",
    "libresolv.", "librt.", "libscipy_openblas", "libstdc++", "libutil.", "libz.",
)  # fmt: skip
_NO_ANSWER = frozenset({"getauxval", "__getauxval", "dlsym"})
#: The type of ELF files that are loaded at the address that they name (ET_EXEC).
_FIXED = b"\2\0"
_MAKERS = ("mprotect", "mmap", "mmap64", "pkey_mprotect", "syscall")

Scanner = Callable[[Data, Bounds, Sequence[Part]], Scan]


def audit_x86(data: Data, elf: Elf, scanner: Scanner = scan_parts) -> Code:
    """Decode all instructions of an x86-64 file, and follow those beyond the baseline.

    `scanner` decodes the parts of a file, possibly in several processes. Raises ElfError where
    symbol or relocation tables point outside of the file.
    """
    image = Loaded(data, elf)
    bounds = combine_bounds(data, elf, image)
    scan = scanner(data, bounds, parts_of(image, bounds))
    calls_makers = [slot for slot, name in image.names.items() if name in _MAKERS]
    result, counts_differ = Result(), list[int]()
    asks = _guard(image, bounds, scan) is not None
    if scan.uses or scan.calls or calls_makers:
        bounds = with_names(bounds, read_symbols(data, elf))
        program, found = split_gaps(Program(image, bounds, read_objects(data, elf)), scan.uses)
        bounds, scan.uses = program.bounds, found
        makers = scan.calls | {
            caller for slot in calls_makers for caller in _callers(program, slot)
        }
        needs = _Needs(program)
        counting = [start for start, facts in scan.uses.items() if facts == fact("tzcnt")]
        counts_differ = [start for start in counting if not needs.is_harmless(start)]
        uses = {s: facts for s, facts in sorted(scan.uses.items()) if facts != fact("tzcnt")}
        for start in [each for each, facts in uses.items() if facts & fact("unknown")]:
            uses[start] |= needs.of_function(start)
        asks = asks or _may_be_told(image)
        if asks or makers:
            result = find_ways(program, uses, needs, makers, _BUDGET)
        else:
            result = find_plain_ways(program, uses, needs)
    guard = _guard(image, bounds, scan)
    counts: dict[str, int] = {}
    for used in scan.uses.values():
        for name in names_of(used):
            counts[name] = counts.get(name, 0) + 1
    paths = list(_paths(result, scan, bounds, image, asks=asks))
    paths += [_counting(bounds.name(start), start) for start in sorted(counts_differ)]
    return summarize(
        decoder=decoder_name(),
        size=sum(span.end - span.start for span in image.code),
        guard=guard,
        counts=counts,
        paths=paths,
        obscure=tuple(_obscure(image, result, scan)),
        level_of=x86features.level_of,
    )


def _callers(program: Program, slot: int) -> Iterator[int]:
    for place in program.refs.operands(slot, slot + 1):
        yield program.function(place)
        for caller, _ in program.refs.branches(place - 8, place + 1):
            yield program.function(caller)


class _Needs:
    """What each instruction needs, where TZCNT is needed only if its result differs."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._harmless: dict[int, frozenset[int]] = {}

    def is_harmless(self, start: int) -> bool:
        """Return whether each TZCNT of the function at `start` has the result of BSF."""
        blocks = self._program.body(start).blocks.values()
        each = (one for block in blocks for one in block.body if one.mnemonic == Mnemonic.TZCNT)
        return not any(map(self, each))

    def of_function(self, start: int) -> int:
        """Return what all instructions of the function at `start` need that are reached."""
        blocks = self._program.body(start).blocks.values()
        return functools.reduce(operator.or_, (self(i) for b in blocks for i in b.body), 0)

    def __call__(self, each: Instruction) -> int:
        if each.code == Codes.INVALID:
            return _unknown(self._program.image.read(each.ip, 15))
        if each.mnemonic == Mnemonic.TZCNT:
            start = self._program.function(each.ip)
            if start not in self._harmless:
                self._harmless[start] = harmless_counts(self._program.body(start))
            if each.ip in self._harmless[start]:
                return 0
        return needs_of(each.code)


def _unknown(raw: bytes) -> int:
    """Return what undecodable bytes need: APX by its prefixes, or an unknown feature.

    Source: Intel's APX architecture specification: REX2 is D5, EVEX map 4.
    """
    rest = raw.lstrip(b"\x66\xf2\xf3\x2e\x36\x3e\x26\x64\x65\x67\xf0")
    if rest[:1] == b"\xd5" or (rest[:1] == b"\x62" and len(rest) > 1 and rest[1] & 7 == 4):
        return fact("apx")
    return fact("unknown")


def _guard(image: Loaded, bounds: Bounds, scan: Scan) -> str | None:
    """Return how the file asks the CPU; None if it does not."""
    if scan.probes:
        return f"CPUID in {bounds.name(min(scan.probes))}"
    asked = next((name for name in image.names.values() if names_features(name)), None)
    return None if asked is None else f"{asked} of another library"


def _may_be_told(image: Loaded) -> bool:
    """Return whether other files may tell the answer of the CPU, without a name that says so."""
    private = (each for each in image.elf.needed if not each.startswith(_SYSTEM_LIBRARIES))
    return any(True for _ in private) or not _NO_ANSWER.isdisjoint(image.names.values())


def _paths(
    result: Result, scan: Scan, bounds: Bounds, image: Loaded, *, asks: bool
) -> Iterator[Path]:
    throughout = scan.packed >= _ENOUGH and scan.plain * _THROUGHOUT < scan.packed
    for way in result.certain:
        # Before the end of the search, what looks certain may rest on what was not seen yet.
        yield _path(way, bounds, image, certain=not result.exhausted or not asks)
    for way in result.open:
        [name] = names_of(way.facts)
        level = x86features.level_of(name)
        certain = throughout and level in ("v2", "v3")
        yield _path(way, bounds, image, certain=certain)
    if result.exhausted:
        seen = {fact for way in (*result.certain, *result.open) for fact in names_of(way.facts)}
        for start, needs in sorted(scan.uses.items()):
            for name in sorted(names_of(needs) - seen - {"tzcnt"}):
                seen.add(name)
                yield Path(
                    feature=name,
                    root=NOT_FOLLOWED,
                    functions=(bounds.name(start),),
                    at=start,
                    instruction="",
                    certain=False,
                )


def _counting(name: str, start: int) -> Path:
    return Path(
        feature="tzcnt",
        root="TZCNT of an operand that may be zero",
        functions=(name,),
        at=start,
        instruction="tzcnt",
        certain=False,
    )


def _path(way: Way, bounds: Bounds, image: Loaded, *, certain: bool) -> Path:
    [name] = names_of(way.facts)
    return Path(
        feature=name,
        root=way.root.kind,
        functions=tuple(map(bounds.name, way.functions)),
        at=way.at,
        instruction=_text(image, way.at),
        given=names_of(way.given),
        certain=certain and name != "tzcnt",
    )


def _obscure(image: Loaded, result: Result, scan: Scan) -> Iterator[str]:
    if scan.uses and bytes(image.data[16:18]) == _FIXED:
        yield "it is linked to a fixed address, where numbers may be addresses of functions"
    if any(span.executable and span.writable for span in image.spans):
        yield "a segment is writable and executable"
    stack = next((each for each in image.elf.segments if each.type == PT_GNU_STACK), None)
    if image.elf.segments and stack is not None and stack.flags & 1:
        yield "the stack is executable"
    for name in sorted(result.makers):
        yield f"{name} may make memory executable"
    if result.exhausted and not (result.certain or result.open):
        yield "its code is too large to be followed"


def _text(image: Loaded, address: int) -> str:
    instruction = Decoder(64, image.read(address, 15), ip=address).decode()
    if instruction.code == Codes.INVALID:
        return f"bytes {image.read(address, 4).hex(' ')}"
    return Formatter(FormatterSyntax.INTEL).format(instruction)
