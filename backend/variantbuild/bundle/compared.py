"""Compares the members of the wheels of a bundle: which stand once, and which once a level."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from variantbuild.binary.elf import Elf, ElfError, parse_elf
from variantbuild.binary.elf.symbols import exported_functions
from variantbuild.bundle.boms import digest_bom
from variantbuild.bundle.inputs import Input, Inputs
from variantbuild.bundle.samecode import digest_code
from variantbuild.errors import BundleError
from variantbuild.stamp import SBOM_MEMBER
from variantbuild.wheel import Wheel
from variantbuild.wheel.exemption import matching_pattern
from variantbuild.wheel.machinecode import find_machine_code, read_machine_code

#: What Python and PyPy look up in a module: PEP 489, PEP 793, and cffi's own.
_INIT = re.compile(r"PyInitU?_\w+|PyModExport(?:U)?_\w+|_cffi_pypyinit_\w+", re.ASCII)
_BOMS = "*.dist-info/sboms/"
#: Members of dist-info that every wheel has for itself.
_OWN = ("METADATA", "WHEEL", "RECORD", "RECORD.jws", "RECORD.p7s", SBOM_MEMBER)

Kind = Literal["module", "library", "other"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """An ELF file of one wheel: what it is, and a digest of its code.

    `inits` are the functions of a module that Python looks up.
    """

    name: str
    kind: Kind
    elf: Elf
    inits: tuple[str, ...]
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """The contents of one wheel: its ELF files by name, and the digests of all other members.

    Names are those of the baseline: the version in the name of dist-info is left out. `files` maps
    them to the names in this wheel.
    """

    label: str
    codes: dict[str, Code]
    digests: dict[str, str]
    files: dict[str, str]


def read_contents(inputs: Inputs) -> tuple[Contents, ...]:
    """Read every wheel of a bundle, in the order of `inputs.all`."""
    return tuple(map(_read, inputs.all))


def _read(each: Input) -> Contents:
    files = {}
    for member in each.inventory.files:
        name = _general_name(each, member.name)
        if name is not None:
            files[name] = member.name
    codes: dict[str, Code] = {}
    digests: dict[str, str] = {}
    machine_code = {member.name: found for member, found in find_machine_code(each.wheel)}
    for name, own in files.items():
        found = machine_code.get(own)
        if found is not None and found.format == "elf" and found.role == "host":
            codes[name] = _code(each.wheel, name, own)
        digests[name] = _digest(each.wheel, name, own)
    return Contents(label=each.label, codes=codes, digests=digests, files=files)


def _general_name(each: Input, name: str) -> str | None:
    """Return the name of a member without the version; None for what every wheel has for itself."""
    top, _, rest = name.partition("/")
    inventory = each.inventory
    if top == inventory.dist_info:
        return None if rest in _OWN else f"*.dist-info/{rest}"
    return f"*.data/{rest}" if top == inventory.data_directory else name


def _digest(wheel: Wheel, name: str, own: str) -> str:
    digest = hashlib.sha256()
    if name.startswith(_BOMS):
        data = b"".join(wheel.stream(wheel.member(own)))
        digest.update(data)
        return digest_bom(data) or digest.hexdigest()
    for chunk in wheel.stream(wheel.member(own)):
        digest.update(chunk)
    return digest.hexdigest()


def _code(wheel: Wheel, name: str, own: str) -> Code:
    data = read_machine_code(wheel, wheel.member(own))
    try:
        elf = parse_elf(data)
        exported = exported_functions(data, elf) if elf.kind == "shared" else ()
        digest = digest_code(elf, data)
    except ElfError as error:
        raise BundleError(f"{wheel.path.name}: {own} cannot be read: {error.message}") from None
    inits = tuple(each for each in exported if _INIT.fullmatch(each))
    kind: Kind = "other"
    if elf.kind == "shared" and not name.startswith("*"):
        kind = "module" if inits else "library"
    return Code(name=name, kind=kind, elf=elf, inits=inits, digest=digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared:
    """What is to be bundled.

    `modules` and `libraries` are the names of the ELF files whose copies may differ, `extra` those
    that only some levels have: (label, name). `notes` tell of members of which the baseline's is
    taken.
    """

    modules: tuple[str, ...]
    libraries: tuple[str, ...]
    extra: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def compare_contents(contents: Sequence[Contents], take_baseline: Sequence[str]) -> Compared:
    """Compare the wheels of a bundle, the baseline last.

    Members that differ and are no code that can be chosen are refused, unless a pattern of
    `take_baseline` matches: then the baseline's is taken. Raises BundleError with their names.
    """
    found = _Findings()
    every = dict.fromkeys(name for each in contents for name in each.files)
    for name in sorted(every):
        _compare_member(name, contents, take_baseline, found)
    if refused := found.refused:
        more = f" (and {len(refused) - 1} more: {_listed(refused[1:])})" if refused[1:] else ""
        raise BundleError(
            f"the wheels cannot be bundled: {refused[0]}{more}",
            hint="make the builds the same, or take the baseline's: --take-baseline PATTERN, in "
            "pyproject.toml bundle-take-baseline",
        )
    return Compared(
        modules=tuple(found.modules),
        libraries=tuple(found.libraries),
        extra=tuple(found.extra),
        notes=tuple(found.notes),
    )


class _Findings:
    """What is found while the members are compared."""

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.extra: list[tuple[str, str]] = []
        self.notes: list[str] = []
        self.modules: dict[str, None] = {}
        self.libraries: dict[str, None] = {}


def _compare_member(
    name: str, contents: Sequence[Contents], take_baseline: Sequence[str], found: _Findings
) -> None:
    base = contents[-1]
    having = [each for each in contents if name in each.files]
    differing = [each for each in having if each.digests[name] != having[-1].digests[name]]
    if len(having) == len(contents) and not differing:
        _sort_in(base.codes.get(name), found.modules, found.libraries)
    elif _matches(name, take_baseline):
        found.notes.append(f"{_shown(name)} differs, and the baseline's is taken")
    elif len(having) < len(contents):
        if all(_is_library(each.codes.get(name)) for each in having):
            found.extra += [(each.label, name) for each in having]
        else:
            found.refused.append(_only_in(name, having))
    elif any(each.codes.get(name) is None for each in contents):
        if _is_linked_only(base, name):
            found.notes.append(f"{_shown(name)} is not loaded: the baseline's is taken")
        else:
            found.refused.append(f"{_shown(name)} differs and is not a module or a library")
    elif base.codes[name].kind == "other":
        found.notes.append(
            f"{_shown(name)} is an executable or an object, or in .data: the baseline's is taken"
        )
    else:
        _sort_in(base.codes[name], found.modules, found.libraries)


def _sort_in(code: Code | None, modules: dict[str, None], libraries: dict[str, None]) -> None:
    if code is not None and code.kind == "module":
        modules[code.name] = None
    elif code is not None and code.kind == "library":
        libraries[code.name] = None


def _is_library(code: Code | None) -> bool:
    return code is not None and code.kind == "library"


def _is_linked_only(base: Contents, name: str) -> bool:
    """Return whether a member is a static library, which no program loads."""
    return PurePosixPath(base.files[name]).suffix == ".a"


def _only_in(name: str, having: Iterable[Contents]) -> str:
    labels = " and ".join(sorted(each.label for each in having))
    return f"{_shown(name)} is only in the wheel for {labels}"


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return matching_pattern(_shown(name), patterns) is not None


def _shown(name: str) -> str:
    return name.removeprefix("*")


def _listed(refused: Sequence[str]) -> str:
    names = [each.partition(" ")[0] for each in refused[:5]]
    return ", ".join(names) + (", …" if len(refused) > 5 else "")
