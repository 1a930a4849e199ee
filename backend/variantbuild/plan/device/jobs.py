"""How many compilers may run at once: nvcc and hipcc need more memory than the CPUs suggest."""

from __future__ import annotations

import re

from variantbuild.host import Host
from variantbuild.isa.accelerators import AcceleratorKind

#: Memory that one compiler of device code may take, in bytes: several architectures, templates.
_NEED: dict[AcceleratorKind, int] = {"cuda": 3 << 30, "rocm": 2 << 30}
#: Read by CMake, PyTorch's extensions and others; a value that is set is the user's choice.
VARIABLES = ("CMAKE_BUILD_PARALLEL_LEVEL", "MAX_JOBS")


def limit_jobs(kind: AcceleratorKind, cpus: int, available: int | None) -> int:
    """Return how many compilers of `kind` fit into `available` bytes, at least 1.

    Returns `cpus` if `available` is unknown (None).
    """
    if available is None:
        return cpus
    return max(1, min(cpus, available // _NEED[kind]))


def available_memory(host: Host) -> int | None:
    """Return the bytes that are free: the kernel's estimate, or the cgroup's limit if lower.

    Sources: proc(5), MemAvailable; the kernel's cgroup-v2 documentation, memory.max and
    memory.current.
    """
    text = host.read_text("/proc/meminfo") or ""
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", text, re.MULTILINE)
    free = int(found[1]) * 1024 if found else None
    most, used = (
        (host.read_text(f"/sys/fs/cgroup/memory.{name}") or "").strip()
        for name in ("max", "current")
    )
    if most.isdigit() and used.isdigit():
        room = max(0, int(most) - int(used))
        return room if free is None else min(free, room)
    return free
