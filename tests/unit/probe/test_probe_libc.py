"""The C library and its version."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable

import pytest

from hosts.recorded import RecordedHost
from variantbuild.host import Completed
from variantbuild.host.local import LocalHost
from variantbuild.probe.facts import Absent, Failed, Found, Libc
from variantbuild.probe.libc import probe_libc

MUSL = "/lib/ld-musl-x86_64.so.1"


@pytest.mark.parametrize(
    ("name", "libc"),
    [
        ("centos7", Libc(name="glibc", version=(2, 17))),
        ("neoverse-v2", Libc(name="glibc", version=(2, 34))),
        ("alpine", Libc(name="musl", version=(1, 2))),
    ],
)
def test_recorded(name: str, libc: Libc, recorded_host: Callable[[str], RecordedHost]) -> None:
    host = recorded_host(name)
    fact = probe_libc(host)
    assert isinstance(fact, Found)
    assert fact.value == libc
    assert fact.source == (MUSL if libc.name == "musl" else "confstr(CS_GNU_LIBC_VERSION)")


def test_glibc_runs_nothing(recorded_host: Callable[[str], RecordedHost]) -> None:
    host = recorded_host("centos7")
    probe_libc(host)
    assert host.calls == []


def test_here(local_host: LocalHost) -> None:
    told = local_host.confstr("CS_GNU_LIBC_VERSION")
    if not told:
        pytest.skip("this machine has no glibc")
    fact = probe_libc(local_host)
    assert isinstance(fact, Found)
    assert told == f"glibc {fact.value.version[0]}.{fact.value.version[1]}"
    assert os.confstr("CS_GNU_LIBC_VERSION") == told


def test_musl_package_on_a_glibc_machine_changes_nothing() -> None:
    """Debian's package musl brings the loader along, but Python does not run on it."""
    host = RecordedHost(strings={"CS_GNU_LIBC_VERSION": "glibc 2.36"}).with_program(
        MUSL, {(): musl_says("Version 1.2.3")}
    )
    fact = probe_libc(host)
    assert isinstance(fact, Found)
    assert fact.value.name == "glibc"


def test_static_interpreter() -> None:
    fact = probe_libc(RecordedHost(files={"/proc/self/maps": "00400000-00800000 /opt/python\n"}))
    assert isinstance(fact, Absent)
    assert "no musl loader" in fact.reason


def test_nonsense_version_fails() -> None:
    fact = probe_libc(RecordedHost(strings={"CS_GNU_LIBC_VERSION": "bionic"}))
    assert fact == Failed("confstr(CS_GNU_LIBC_VERSION) returned 'bionic', not 'glibc X.Y'")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            Completed(argv=(MUSL,), status=1, stdout="", stderr="hello\n"),
            f"the musl loader {MUSL} exited with status 1 and printed no version",
        ),
        (
            Completed(argv=(MUSL,), status=None, stdout="", stderr="", error="did not finish"),
            f"the musl loader {MUSL} did not finish and printed no version",
        ),
        (
            Completed(argv=(MUSL,), status=0, stdout="", stderr=""),
            f"the musl loader {MUSL} exited with status 0 and printed no version",
        ),
    ],
)
def test_silent_musl_fails(
    answer: Completed, sentence: str, recorded_host: Callable[[str], RecordedHost]
) -> None:
    host = dataclasses.replace(recorded_host("alpine"), outputs={(MUSL,): answer})
    assert probe_libc(host) == Failed(sentence)


def test_elsewhere_is_absent() -> None:
    fact = probe_libc(RecordedHost(system="Darwin", machine="arm64"))
    assert fact == Absent("Darwin has neither glibc nor musl")


def musl_says(text: str) -> Completed:
    return Completed(argv=(MUSL,), status=1, stdout="", stderr=f"musl libc (x86_64)\n{text}\n")
