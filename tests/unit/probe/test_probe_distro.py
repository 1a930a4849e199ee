"""Distributions by os-release."""

from __future__ import annotations

import platform
from collections.abc import Callable

import pytest

from hosts.recorded import RecordedHost
from variantbuild.host.local import LocalHost
from variantbuild.probe.distro import parse_os_release, probe_distro
from variantbuild.probe.facts import Absent, Distro, Failed, Found


@pytest.mark.parametrize(
    ("name", "distro", "source"),
    [
        ("centos7", Distro(id="centos", version_id="7"), "/etc/os-release"),
        ("zen4", Distro(id="rocky", version_id="8.5"), "/etc/os-release"),
        ("alpine", Distro(id="alpine", version_id="3.19.1"), "/etc/os-release"),
        ("vm-noxsave", Distro(id="fedora", version_id="39"), "/usr/lib/os-release"),
        ("zen2", Distro(id="ubuntu", version_id="20.04"), "/etc/os-release"),
    ],
)
def test_recorded(
    name: str, distro: Distro, source: str, recorded_host: Callable[[str], RecordedHost]
) -> None:
    assert probe_distro(recorded_host(name)) == Found(distro, source)


def test_here_as_the_standard_library_reads_it(local_host: LocalHost) -> None:
    try:
        theirs = platform.freedesktop_os_release()
    except OSError:
        pytest.skip("this machine has no os-release")
    fact = probe_distro(local_host)
    assert isinstance(fact, Found)
    assert fact.value == Distro(id=theirs["ID"], version_id=theirs.get("VERSION_ID", ""))


def test_etc_wins() -> None:
    host = RecordedHost(
        files={"/usr/lib/os-release": "ID=vendor\n", "/etc/os-release": "ID=local\n"}
    )
    assert probe_distro(host) == Found(Distro(id="local", version_id=""), "/etc/os-release")


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ('VERSION_ID="22.04"\n', "VERSION_ID", "22.04"),
        ("VERSION_ID='22.04'\n", "VERSION_ID", "22.04"),
        ("VERSION_ID=22.04", "VERSION_ID", "22.04"),
        ('NAME="a \\"quoted\\" \\$name"\n', "NAME", 'a "quoted" $name'),
        ("ID=one\nID=two\n", "ID", "two"),
        ("# ID=comment\nID=arch\n", "ID", "arch"),
        ("ID=\n", "ID", ""),
    ],
)
def test_parse(text: str, key: str, value: str) -> None:
    assert parse_os_release(text)[key] == value


def test_rolling_has_no_version() -> None:
    fact = probe_distro(RecordedHost(files={"/etc/os-release": "ID=arch\nBUILD_ID=rolling\n"}))
    assert fact == Found(Distro(id="arch", version_id=""), "/etc/os-release")


def test_unnamed_is_linux() -> None:
    """Source: os-release(5), "If not set, defaults to linux"."""
    fact = probe_distro(RecordedHost(files={"/etc/os-release": "NAME=x\n"}))
    assert fact == Found(Distro(id="linux", version_id=""), "/etc/os-release")


def test_malformed_id_fails() -> None:
    fact = probe_distro(RecordedHost(files={"/etc/os-release": 'ID="My Distro"\n'}))
    assert fact == Failed("/etc/os-release has a malformed ID: 'My Distro'")


def test_without_the_file() -> None:
    fact = probe_distro(RecordedHost())
    assert fact == Absent("neither /etc/os-release nor /usr/lib/os-release exists")


def test_elsewhere_is_absent() -> None:
    assert probe_distro(RecordedHost(system="Windows")) == Absent("Windows has no distributions")
