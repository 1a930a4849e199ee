"""Which musllinux policy is used if none is named."""

from __future__ import annotations

import pytest

from hosts.recorded import RecordedHost
from variantbuild.repair.musl import find_musl
from variantbuild.stamp.declared import Declared, declare


def label(platform: str) -> Declared:
    return declare("demo.whl", version="1.0", file_platforms=[platform], wheel_platforms=[platform])


@pytest.mark.parametrize(
    ("host", "platform", "policy", "origin"),
    [
        ("alpine", "linux_x86_64", "musllinux_1_2", "this machine's musl 1.2"),
        ("alpine", "musllinux_1_1_x86_64", "musllinux_1_1", "the tag musllinux_1_1_x86_64"),
        ("centos7", "musllinux_1_1_x86_64", "musllinux_1_1", "the tag musllinux_1_1_x86_64"),
    ],
)
def test_found(host: str, platform: str, policy: str, origin: str) -> None:
    found = find_musl(label(platform), RecordedHost.load(host))
    assert found is not None
    assert (found.value.name, found.source) == (policy, origin)


@pytest.mark.parametrize(
    ("host", "platform"), [("centos7", "linux_x86_64"), ("alpine", "linux_aarch64")]
)
def test_not_told(host: str, platform: str) -> None:
    assert find_musl(label(platform), RecordedHost.load(host)) is None
