"""Names of functions and tables that provide the features of the CPU, for any machine."""

from __future__ import annotations

import re

from variantbuild.binary.elf.symbols import Slots, Symbol

PYTHON = ("Py", "_Py")
# The names of functions and tables in which libraries provide the CPU's features: __cpu_model,
# av_get_cpu_flags, arrow::internal::CpuInfo, OPENSSL_ia32cap_P, OPENSSL_armcap_P.
_KNOWS = re.compile(
    r"cpu_?(info|flag|feature|model|cap|support|have|indicator)|ia32cap|armcap", re.I
)


def names_features(name: str) -> bool:
    """Return whether a symbol's `name` is that of a function or table of CPU features."""
    return _KNOWS.search(name) is not None


def known_check(symbols: tuple[Symbol, ...], slots: Slots) -> str | None:
    """Return the dispatch check that the names in a file indicate; None if there is none."""
    resolved = next((each.name for each in symbols if each.ifunc), None)
    if resolved is not None:
        return f"IFUNC symbol {resolved}"
    if slots.irelative:
        return "IRELATIVE relocations"
    asked = next((name for name in slots.names.values() if names_features(name)), None)
    return None if asked is None else f"{asked} of another library"
