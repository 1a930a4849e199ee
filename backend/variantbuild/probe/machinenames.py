"""The names of this machine that conditions in settings files match: its host name and level."""

from __future__ import annotations

from variantbuild.config import ComputedNames, Names
from variantbuild.host import Host


def machine_names(host: Host) -> Names:
    """Return the names of `host`: `gpu07.cluster.example` and `gpu07`; the level of its CPU.

    Each is detected only if a condition asks for it.
    """
    return ComputedNames(
        hostname=lambda: frozenset((host.hostname, host.hostname.partition(".")[0])),
        level=lambda: _level(host),
    )


def _level(host: Host) -> frozenset[str]:
    from variantbuild.probe.cpu import probe_cpu
    from variantbuild.probe.facts import Found

    cpu = probe_cpu(host)
    level = cpu.value.level if isinstance(cpu, Found) else None
    return frozenset(() if level is None else (level,))
