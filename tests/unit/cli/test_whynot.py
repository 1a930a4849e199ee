"""Why a machine cannot run or build a variant."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hosts.recorded import RecordedHost
from variantbuild.cli.whynot import Suitability, judge_machine, parse_target
from variantbuild.errors import VariantError
from variantbuild.probe import probe_host
from variantbuild.probe.facts import HostFacts
from variantbuild.select.obstacle import Obstacle


def texts(obstacles: tuple[Obstacle, ...]) -> tuple[str, ...]:
    return tuple(map(str, obstacles))


def judge(label: str, facts: HostFacts) -> Suitability:
    return judge_machine(parse_target(label, facts), facts)


BASE = "avx512bw, avx512cd, avx512dq, avx512f, avx512vl"


@pytest.mark.parametrize(
    ("machine", "label", "run", "build"),
    [
        ("zen4", "v4", (), ()),
        ("zen4", "zen4", (), None),
        ("zen2", "v4", (f"its CPU lacks {BASE}",), ()),
        ("haswell", "ubuntu22.04.v3", (), ()),
        (
            "haswell",
            "debian12.v3",
            ("it is built for debian12, and this machine runs ubuntu22.04",),
            (),
        ),
        (
            "zen4",
            "neoverse_v2",
            ("neoverse_v2 is for aarch64, and this machine is x86_64",),
            ("neoverse_v2 is for aarch64, and this machine is x86_64",),
        ),
        (
            "neoverse-v2",
            "v3",
            ("v3 is for x86_64, and this machine is aarch64",),
            ("v3 is for x86_64, and this machine is aarch64",),
        ),
        ("neoverse-v2", "armv8.2a", (), ()),
        ("power9", "power10le", ("its CPU is of generation 9, not 10",), None),
        ("apple-m1", "m1", (), None),
        ("bios-masked", "haswell", ("its CPU lacks aes",), ()),
    ],
)
def test_reasons(
    machine: str,
    label: str,
    run: tuple[str, ...],
    build: tuple[str, ...] | None,
    recorded_host: Callable[[str], RecordedHost],
) -> None:
    facts = probe_host(recorded_host(machine), ["c", "cxx"])
    suitability = judge(label, facts)
    assert texts(suitability.run) == run
    if build is not None:
        assert texts(suitability.build) == build


def test_compiler_that_is_too_old(recorded_host: Callable[[str], RecordedHost]) -> None:
    facts = probe_host(recorded_host("centos7"), ["c"])
    (reason,) = texts(judge("zen4", facts).build)
    assert "gcc 4.8.5 (/usr/bin/gcc)" in reason
    assert "zen4" in reason


def test_no_compiler(recorded_host: Callable[[str], RecordedHost]) -> None:
    host = recorded_host("haswell")
    facts = probe_host(host.with_env(PATH="/nowhere"), ["c"])
    (reason,) = texts(judge("v3", facts).build)
    assert reason.startswith("no compiler was found: CC of this Python's configuration names gcc")


def test_unknown_distribution(recorded_host: Callable[[str], RecordedHost]) -> None:
    facts = probe_host(recorded_host("apple-haswell"), ["c"])
    (reason,) = texts(judge("fc39.v3", facts).run)
    assert reason == (
        "it is built for fc39, and the distribution of this machine is unknown: "
        "Darwin has no distributions"
    )


def test_unknown_processor() -> None:
    facts = probe_host(RecordedHost(), ["c"])
    suitability = judge("v3", facts)
    text = "the CPU of this machine is unknown: /proc/cpuinfo cannot be read"
    assert suitability.run == suitability.build == (Obstacle(subject="cpu", text=text),)


def test_label_of_nothing(recorded_host: Callable[[str], RecordedHost]) -> None:
    facts = probe_host(recorded_host("zen4"), ["c"])
    with pytest.raises(VariantError, match="--why-not 'zen44'"):
        judge("zen44", facts)
