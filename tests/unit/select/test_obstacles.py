"""What a CPU lacks for code that was built for another, and obstacles with their subjects."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hosts.recorded import RecordedHost
from variantbuild.probe import probe_host
from variantbuild.probe.cpu import probe_cpu
from variantbuild.probe.facts import Absent, Cpu, Failed, Found
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts, Driver, Gpu
from variantbuild.select.cpufit import lacks
from variantbuild.select.devicefit import device_obstacles
from variantbuild.select.hostfit import cpu_obstacles, distro_obstacles
from variantbuild.variant import Variant
from variantbuild.variant.axes import Accelerator


def found_cpu(host: RecordedHost) -> Cpu:
    fact = probe_cpu(host)
    assert isinstance(fact, Found)
    return fact.value


@pytest.mark.parametrize(
    ("machine", "name", "clauses"),
    [
        ("haswell", "v3", ()),
        (
            "haswell",
            "v4",
            ("lacks avx512bw, avx512cd, avx512dq, avx512f, avx512vl",),
        ),
        ("zen4", "zen2", ()),
        ("power9", "power10le", ("is of generation 9, not 10",)),
        ("power9", "power8le", ()),
        ("apple-m1", "m1", ()),
        ("neoverse-v2", "armv8.5a", ()),  # armv9.0a includes it, though Linux hides bti here
        ("neoverse-v2", "armv8.7a", ("does not show whether it reaches armv8.7a",)),
    ],
)
def test_lacks(
    machine: str,
    name: str,
    clauses: tuple[str, ...],
    recorded_host: Callable[[str], RecordedHost],
) -> None:
    assert lacks(found_cpu(recorded_host(machine)), name) == clauses


def test_another_vendor_is_named(recorded_host: Callable[[str], RecordedHost]) -> None:
    clauses = lacks(found_cpu(recorded_host("skylake-sp")), "zen2")
    assert clauses[0] == "is made by GenuineIntel, not by AuthenticAMD"
    assert "sse4a" in clauses[1]


def test_obstacles_of_the_host_name_their_subject(
    recorded_host: Callable[[str], RecordedHost],
) -> None:
    host = recorded_host("haswell")
    variant = Variant.parse("debian12.v4", "x86_64")
    assert [each.subject for each in cpu_obstacles(variant, found_cpu(host))] == ["cpu"]
    (obstacle,) = distro_obstacles(variant, probe_host(host, ["c"]))
    assert obstacle.subject == "distro"
    assert str(obstacle) == "it is built for debian12, and this machine runs ubuntu22.04"
    here = Variant.parse("ubuntu22.04.v3", "x86_64")
    assert cpu_obstacles(here, found_cpu(host)) == ()
    assert distro_obstacles(here, probe_host(host, ["c"])) == ()


def test_obstacles_of_an_accelerator_name_their_subject() -> None:
    label = Accelerator(kind="cuda", version=(13,))
    old = Found(Driver(version="520.61.05", cuda=(11, 8)), "test")
    gpus: tuple[Gpu, ...] = (Gpu(name="V100", architecture="70"),)
    toolkit = Absent("test")
    facts = AcceleratorFacts(kind="cuda", toolkit=toolkit, driver=old, gpus=Found(gpus, "test"))
    assert [each.subject for each in device_obstacles(label, facts)] == ["driver", "gpu"]
    # Without a driver nothing is known about GPUs: one obstacle, not the same reason twice.
    none = AcceleratorFacts(
        kind="cuda", toolkit=toolkit, driver=Absent("no driver"), gpus=Failed("no driver")
    )
    assert [each.subject for each in device_obstacles(label, none)] == ["driver"]
