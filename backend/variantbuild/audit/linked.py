"""The libraries that the ELF files of a wheel link and the wheel does not contain."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import PurePosixPath

from variantbuild.binary.elf import Elf, parse_elf
from variantbuild.values import dataclass
from variantbuild.wheel import Wheel
from variantbuild.wheel.machinecode import find_machine_code, read_machine_code


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedFile:
    """One ELF file with host code, and what it needs from outside of the wheel.

    `outside` are the libraries (DT_NEEDED) that the wheel does not contain, `versions` the
    (library, symbol version) pairs that it needs from them. `run_paths` are the directories of
    RUNPATH or RPATH, unchanged.
    """

    path: str
    machine: str
    outside: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    run_paths: tuple[str, ...] = ()

    @property
    def is_musl(self) -> bool:
        """Whether the file is linked with musl."""
        return any(name.startswith("libc.musl-") or name == "libc.so" for name in self.outside)

    @property
    def is_glibc(self) -> bool:
        """Whether the file is linked with glibc."""
        return "libc.so.6" in self.outside or any(
            version.startswith("GLIBC_") for _, version in self.versions
        )


def read_linked(wheel: Wheel, *, skip: Collection[str] = ()) -> tuple[LinkedFile, ...]:
    """Return every ELF file with host code in `wheel` whose path is not in `skip`, sorted by path.

    Raises ElfError for a file that cannot be read as ELF.
    """
    elves = []
    for member, found in find_machine_code(wheel):
        if found.format == "elf" and found.role == "host" and member.name not in skip:
            elf = parse_elf(read_machine_code(wheel, member))
            if elf.kind != "object":
                elves.append((member.name, elf))
    return link_files(elves)


def link_files(elves: Iterable[tuple[str, Elf]]) -> tuple[LinkedFile, ...]:
    """Return what the (path, ELF) pairs of one wheel link to outside of the wheel."""
    pairs = sorted(elves, key=lambda pair: pair[0])
    inside = {PurePosixPath(path).name for path, _ in pairs}
    inside |= {elf.soname for _, elf in pairs if elf.soname is not None}
    return tuple(
        LinkedFile(
            path=path,
            machine=elf.machine,
            outside=tuple(name for name in elf.needed if name not in inside),
            versions=tuple(
                (need.library, version)
                for need in elf.version_needs
                if need.library not in inside
                for version in need.versions
            ),
            run_paths=elf.run_paths,
        )
        for path, elf in pairs
    )
