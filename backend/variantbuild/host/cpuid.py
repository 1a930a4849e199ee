"""The CPUID instruction, for systems that do not list the CPU's features in a file."""

from __future__ import annotations

import sys

from variantbuild.host import CpuId


def read_cpuid() -> CpuId | None:
    """Return the result of CPUID, read by archspec; None if it cannot be run.

    Source: Intel's Software Developer's Manual, volume 1, section 13.3 for the enabled states.
    """
    from archspec.cpu import detect

    try:
        collector = detect.CpuidInfoCollector()
        return CpuId(
            vendor=collector.vendor,
            features=frozenset(collector.features),
            enabled_states=_enabled_states(),
            brand=(collector.brand_string() or "").strip(),
        )
    except (OSError, SystemError, ValueError):  # not x86, or executable memory is not allowed
        return None


def _enabled_states() -> int | None:
    if sys.platform != "win32":
        return None
    import ctypes

    return int(ctypes.windll.kernel32.GetEnabledXStateFeatures())
