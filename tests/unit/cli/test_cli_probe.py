"""The command probe: its table, its JSON by the schema, and its answers on targets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import cast

import pytest

from hosts.recorded import RecordedHost, recorded_hosts
from schemas import answers_of
from variantbuild.cli import main
from variantbuild.cli.probe import report
from variantbuild.host.local import LocalHost
from variantbuild.probe.cpu import probe_cpu
from variantbuild.probe.facts import Found
from variantbuild.types import JSONValue


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, JSONValue]:
    """Return the JSON on standard output, checked against the schema."""
    payload = cast("dict[str, JSONValue]", json.loads(capsys.readouterr().out))
    answers_of("probe").validate(payload)
    return payload


@pytest.mark.parametrize("name", recorded_hosts())
def test_json_of_every_machine(
    name: str,
    recorded_host: Callable[[str], RecordedHost],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert report(recorded_host(name), why_not=None, as_json=True) == 0
    payload = shown(capsys)
    assert payload["version"] == 1
    assert payload["why_not"] is None


def test_json_of_an_empty_machine(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(RecordedHost(), why_not=None, as_json=True) == 0
    assert shown(capsys)["cpu"] == {"state": "failed", "error": "/proc/cpuinfo cannot be read"}


def test_json_reasons(
    recorded_host: Callable[[str], RecordedHost], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(recorded_host("zen2"), why_not="v4", as_json=True) == 1
    reasons = shown(capsys)["why_not"]
    assert reasons == {
        "target": "v4",
        "run": ["its CPU lacks avx512bw, avx512cd, avx512dq, avx512f, avx512vl"],
        "build": [],
        "notes": [],
    }


def test_for_people(
    recorded_host: Callable[[str], RecordedHost], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(recorded_host("centos7"), why_not=None, as_json=False) == 0
    rows = {line.split("  ")[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "v3" in rows["level"]
    assert rows["level"].endswith("/proc/cpuinfo")
    assert "broadwell" in rows["name"]
    assert "glibc 2.17" in rows["C library"]
    assert "centos 7" in rows["distribution"]
    assert "gcc 4.8.5  /usr/bin/gcc" in rows["C compiler"]
    assert "none" in rows["Fortran compiler"]
    assert "FC is not set" in rows["Fortran compiler"]


def test_reasons_for_people(
    recorded_host: Callable[[str], RecordedHost], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(recorded_host("zen2"), why_not="v4", as_json=False) == 1
    assert capsys.readouterr().out.splitlines() == [
        "this machine cannot run v4: its CPU lacks avx512bw, avx512cd, avx512dq, avx512f, avx512vl",
        "this machine can build v4, as far as is known",
    ]
    assert report(recorded_host("zen4"), why_not="v4", as_json=False) == 0


@pytest.mark.usefixtures("fake_compilers")
class TestCommand:
    """The command as it is typed, on this machine."""

    def test_json(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["probe", "--json"]) == 0
        cpu = cast("dict[str, dict[str, JSONValue]]", shown(capsys)["cpu"])
        fact = probe_cpu(LocalHost(env=os.environ))
        assert isinstance(fact, Found)
        assert cpu["value"]["level"] == fact.value.level

    def test_plain_in_a_pipe(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["probe"]) == 0
        text = capsys.readouterr().out
        assert "\x1b" not in text
        assert text.startswith("machine ")

    def test_unknown_target(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["probe", "--why-not", "zen44"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "--why-not 'zen44'" in captured.err
        assert "hint:" in captured.err

    def test_unknown_option(self) -> None:
        with pytest.raises(SystemExit) as left:
            main(["probe", "--nonsense"])
        assert left.value.code == 2
