"""Decode the instructions of an ELF file, if a decoder for its machine is installed."""

from __future__ import annotations

from variantbuild.audit.report import NO_DECODER, Code
from variantbuild.binary.elf import Data, Elf, ElfError
from variantbuild.values import dataclass


@dataclass(frozen=True, slots=True)
class Undecoded:
    """Why the instructions of a file were not decoded."""

    reason: str


def decode(data: Data, elf: Elf, jobs: int = 1) -> Code | Undecoded:
    """Return the result of decoding the file, or the reason why it was not decoded.

    Decodes in `jobs` processes if that is more than 1 and the file is large.
    """
    if elf.machine == "aarch64" and elf.bits == 64 and elf.little_endian:
        from variantbuild.audit.aarch64 import audit_a64

        try:
            return audit_a64(data, elf)
        except ElfError as error:
            return Undecoded(error.message)
    if elf.machine != "x86_64":
        return Undecoded(f"no decoder for {elf.machine}")
    try:
        from variantbuild.audit.x86 import audit_x86
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] != "iced_x86":
            raise
        return Undecoded(NO_DECODER)
    try:
        if jobs > 1:
            from variantbuild.audit.x86.parallel import ParallelScan

            return audit_x86(data, elf, ParallelScan(jobs))
        return audit_x86(data, elf)
    except ElfError as error:
        return Undecoded(error.message)
