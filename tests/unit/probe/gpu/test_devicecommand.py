"""CUDACXX and HIPCXX as people write them: launchers, paths with spaces, arguments."""

from __future__ import annotations

import pytest

from hosts.recorded import RecordedHost
from variantbuild.probe.facts import Failed
from variantbuild.probe.gpu.devicecommand import DeviceCommand, parse_device_command

NVCC, SPACED, CCACHE, CLANG = (
    "/cuda/bin/nvcc",
    "/my cuda/bin/nvcc",
    "/usr/bin/ccache",
    "/rocm/bin/clang++",
)


def parse(value: str) -> DeviceCommand | Failed | None:
    programs = frozenset((NVCC, SPACED, CCACHE, CLANG, "/usr/bin/nice", "/cuda/bin/nvcc-12"))
    host = RecordedHost(env={"PATH": "/usr/bin:/cuda/bin", "CUDACXX": value}, programs=programs)
    return parse_device_command(host, "CUDACXX")


@pytest.mark.parametrize(
    ("value", "launcher", "program", "arguments"),
    [
        (NVCC, (), NVCC, ()),
        ("nvcc", (), NVCC, ()),
        ("nvcc-12", (), "/cuda/bin/nvcc-12", ()),
        (f"nice {NVCC}", ("/usr/bin/nice",), NVCC, ()),
        ("nice -n 5 nvcc", ("/usr/bin/nice", "-n", "5"), NVCC, ()),
        (f"ccache {NVCC} -ccbin g++", (CCACHE,), NVCC, ("-ccbin", "g++")),
        (f"{NVCC} -ccbin='g++ x'", (), NVCC, ("-ccbin=g++ x",)),
        (SPACED, (), SPACED, ()),
        (f"'{SPACED}' -O3", (), SPACED, ("-O3",)),
        (f'ccache "{SPACED}"', (CCACHE,), SPACED, ()),
        (f"ccache {CLANG} -mllvm x", (CCACHE,), CLANG, ("-mllvm", "x")),
    ],
)
def test_words(
    value: str, launcher: tuple[str, ...], program: str, arguments: tuple[str, ...]
) -> None:
    expected = DeviceCommand(launcher=launcher, program=program, arguments=arguments)
    assert parse(value) == expected


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("nvcc-13", "CUDACXX=nvcc-13 is not on PATH"),
        ("/gone/nvcc", "CUDACXX=/gone/nvcc does not exist"),
        ("sccache nvcc", "CUDACXX=sccache nvcc names sccache, which is not on PATH"),
        ("'nvcc", "CUDACXX='nvcc has an unclosed quote"),
    ],
)
def test_mistakes(value: str, error: str) -> None:
    assert parse(value) == Failed(error)


def test_not_set() -> None:
    assert parse("") is None
