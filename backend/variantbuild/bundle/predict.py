"""Which copy a machine loads, and why not a better one. Pure, but for reading the choosers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from variantbuild.audit.copies import find_copies, table_fault
from variantbuild.binary.choosers import Chooser, read_chooser
from variantbuild.binary.elf import ElfError, parse_elf
from variantbuild.bundle.cpuquestions import resolve_demand
from variantbuild.bundle.methods import HWCAPS_GLIBC
from variantbuild.bundle.stubs import accepted_levels
from variantbuild.errors import BundleError
from variantbuild.isa.levels import baseline
from variantbuild.probe.facts import Cpu, Fact, Found, Libc
from variantbuild.select.cpufit import lacks

#: Choosers are small: larger files of an installed package are not read.
_LARGEST = 1 << 18


@dataclass(frozen=True, kw_only=True, slots=True)
class Skipped:
    """A better copy that is not loaded, and the reason as a clause on the machine."""

    level: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """The copy of one module that a machine loads; `file` is relative to the module."""

    module: str
    chooser: Chooser
    level: str
    file: str
    skipped: tuple[Skipped, ...]


def predict(
    module: str, chooser: Chooser, arch: str, cpu: Cpu, libc: Fact[Libc], asked: str | None
) -> Prediction:
    """Return which copy of `module` a machine with `cpu` and `libc` loads.

    `asked` is the value of VARIANTBUILD_LEVEL. Raises BundleError for a wheel of another
    architecture, and for a level that the module does not know.
    """
    if arch != cpu.family:
        raise BundleError(f"{module} is for {arch}, and this machine is {cpu.family}")
    allowed = allowed_levels(chooser, arch, asked)
    skipped: list[Skipped] = []
    for copy in chooser.copies[:-1]:
        reason = _why_skipped(copy.label, chooser, cpu, libc)
        if reason is None and copy.label not in allowed:
            reason = f"VARIANTBUILD_LEVEL is {asked}"
        if reason is None:
            return Prediction(
                module=module,
                chooser=chooser,
                level=copy.label,
                file=copy.file,
                skipped=tuple(skipped),
            )
        skipped.append(Skipped(level=copy.label, reason=reason))
    last = chooser.copies[-1]
    return Prediction(
        module=module,
        chooser=chooser,
        level=last.label,
        file=last.file,
        skipped=tuple(skipped),
    )


def allowed_levels(chooser: Chooser, arch: str, asked: str | None) -> tuple[str, ...]:
    """Return the levels of the copies that `asked`, a value of VARIANTBUILD_LEVEL, allows."""
    labels = tuple(copy.label for copy in chooser.copies)
    if not asked or chooser.method == "loader":
        return labels
    demands = [resolve_demand(arch, label) for label in labels]
    accepted = dict(accepted_levels(arch, demands))
    if asked not in accepted:
        raise BundleError(
            f"VARIANTBUILD_LEVEL is {asked!r}, which is not a level of this bundle",
            hint=f"use {', '.join(accepted)}",
        )
    return tuple(label for bit, label in enumerate(labels) if accepted[asked] >> bit & 1)


def _why_skipped(label: str, chooser: Chooser, cpu: Cpu, libc: Fact[Libc]) -> str | None:
    if label == baseline(cpu.family):
        return None
    clauses = lacks(cpu, label)
    if clauses:
        return f"its CPU {clauses[0]}"
    if chooser.method == "loader":
        if not isinstance(libc, Found):
            return "its C library is unknown, and only glibc searches glibc-hwcaps"
        name, version = libc.value.name, libc.value.version
        if name != "glibc" or version < HWCAPS_GLIBC:
            shown = f"{name} {version[0]}.{version[1]}"
            return f"its C library is {shown}, and glibc-hwcaps needs glibc 2.33"
    return None


def read_bundle(name: str) -> tuple[tuple[str, str, Chooser], ...]:
    """Return (module, architecture, chooser) of a wheel file, or of an installed distribution.

    Raises WheelError for a wheel that cannot be read, and BundleError for a name that is neither,
    and for a wheel or distribution that is not a bundle.
    """
    if name.endswith(".whl"):
        found = tuple(_of_wheel(Path(name)))
    else:
        found = tuple(_of_distribution(name))
    if not found:
        raise BundleError(f"{name} is not a bundle: none of its modules chooses among copies")
    return found


def _of_wheel(path: Path) -> Iterator[tuple[str, str, Chooser]]:
    from variantbuild.wheel import open_wheel
    from variantbuild.wheel.machinecode import read_machine_code

    with open_wheel(path) as wheel:
        for name, chooser in find_copies(wheel).choosers.items():
            elf = parse_elf(read_machine_code(wheel, wheel.member(name)))
            yield name, elf.machine, chooser


def _of_distribution(name: str) -> Iterator[tuple[str, str, Chooser]]:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        files: Sequence[Path] = [
            Path(str(each.locate())) for each in distribution(name).files or ()
        ]
    except (PackageNotFoundError, ValueError):
        raise BundleError(
            f"{name!r} is neither a wheel nor an installed package",
            hint="name a .whl file, or run it with the Python that has the package",
        ) from None
    for path in files:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            continue
        with path.open("rb") as stream:
            if stream.read(4) != b"\x7fELF":
                continue
        data = path.read_bytes()
        try:
            elf = parse_elf(data)
            chooser = read_chooser(elf, data)
        except ElfError:
            continue
        if chooser is None:
            continue
        fault = table_fault(chooser, elf.machine)
        if fault is not None:
            raise BundleError(f"{path}: {fault}", hint="reinstall the package")
        yield str(path), elf.machine, chooser
