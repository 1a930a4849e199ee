"""As many compilers as fit into the memory that the kernel and the cgroup report as free."""

from __future__ import annotations

import pytest

from hosts.recorded import RecordedHost
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.plan.device.jobs import available_memory, limit_jobs

GIB = 1 << 30
MEMINFO = "MemTotal:       65536000 kB\nMemFree:         1000 kB\nMemAvailable:   25165824 kB\n"


@pytest.mark.parametrize(
    ("kind", "processors", "available", "jobs"),
    [
        ("cuda", 64, 24 * GIB, 8),
        ("cuda", 4, 24 * GIB, 4),
        ("cuda", 8, 1 * GIB, 1),
        ("cuda", 8, 0, 1),
        ("rocm", 64, 24 * GIB, 12),
        ("cuda", 8, None, 8),
    ],
)
def test_jobs_fit_memory(
    kind: AcceleratorKind, processors: int, available: int | None, jobs: int
) -> None:
    assert limit_jobs(kind, processors, available) == jobs


def test_free_memory_is_the_kernels_or_the_cgroups() -> None:
    kernel = {"/proc/meminfo": MEMINFO}
    group = {
        "/sys/fs/cgroup/memory.max": f"{8 * GIB}\n",
        "/sys/fs/cgroup/memory.current": f"{GIB}\n",
    }
    assert available_memory(RecordedHost(files=kernel)) == 24 * GIB
    assert available_memory(RecordedHost(files={**kernel, **group})) == 7 * GIB
    assert available_memory(RecordedHost(files=group)) == 7 * GIB
    unlimited = {**kernel, **group, "/sys/fs/cgroup/memory.max": "max\n"}
    assert available_memory(RecordedHost(files=unlimited)) == 24 * GIB
    assert available_memory(RecordedHost()) is None
