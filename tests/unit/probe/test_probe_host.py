"""Every recorded machine, probed as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from hosts.recorded import RecordedHost, recorded_hosts
from variantbuild.host.local import LocalHost
from variantbuild.probe import probe_host
from variantbuild.probe.facts import Absent, Found


def test_everything_of_a_machine(recorded_host: Callable[[str], RecordedHost]) -> None:
    facts = probe_host(recorded_host("centos7"), ["c", "cxx"])
    assert (facts.system, facts.machine) == ("Linux", "x86_64")
    compiler = facts.compiler("cxx")
    assert isinstance(compiler, Found)
    assert compiler.value.version == "4.8.5"
    assert compiler.value.language == "cxx"
    assert facts.compiler("fortran") == Absent("no fortran compiler was probed")


@pytest.mark.parametrize("name", recorded_hosts())
def test_every_fact_has_a_source_or_a_reason(
    name: str, recorded_host: Callable[[str], RecordedHost]
) -> None:
    facts = probe_host(recorded_host(name), ["c", "cxx", "fortran"])
    every = (facts.cpu, facts.libc, facts.distro, *(fact for _, fact in facts.compilers))
    for fact in every:
        text = fact.source if isinstance(fact, Found) else getattr(fact, "reason", "")
        assert text, fact
    assert isinstance(facts.cpu, Found)
    assert isinstance(facts.compiler("c"), Found)


def test_build_system_chooses_the_search(recorded_host: Callable[[str], RecordedHost]) -> None:
    facts = probe_host(recorded_host("zen2"), ["c"], search="cmake")
    compiler = facts.compiler("c")
    assert isinstance(compiler, Found)
    assert compiler.value.command == ("/usr/bin/cc",)


@pytest.mark.usefixtures("fake_compilers")
def test_here() -> None:
    facts = probe_host(LocalHost(env=os.environ), ["c"])
    assert facts.machine == os.uname().machine
    assert isinstance(facts.cpu, Found)
