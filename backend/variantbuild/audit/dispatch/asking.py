"""By what names files learn what the processor can do. The same for every machine."""

from __future__ import annotations

import re

from variantbuild.binary.elf.symbols import Slots, Symbol

PYTHON = ("Py", "_Py")
# What libraries call the functions by which others learn of the processor: __cpu_model,
# av_get_cpu_flags, arrow::internal::CpuInfo, OPENSSL_ia32cap_P, OPENSSL_armcap_P.
_KNOWS = re.compile(
    r"cpu_?(info|flag|feature|model|cap|support|have|indicator)|ia32cap|armcap", re.I
)


def knows_processor(name: str) -> bool:
    """Tell whether a symbol's `name` is that of a function or table on the processor's features."""
    return _KNOWS.search(name) is not None


def known_guard(symbols: tuple[Symbol, ...], slots: Slots) -> str | None:
    """Say by what name code is chosen at run time in a file, None where none tells."""
    resolved = next((each.name for each in symbols if each.ifunc), None)
    if resolved is not None:
        return f"IFUNC symbol {resolved}"
    if slots.irelative:
        return "IRELATIVE relocations"
    asked = next((name for name in slots.names.values() if knows_processor(name)), None)
    return None if asked is None else f"{asked} of another library"
