"""A platform tag gives back the platform and the variant that went into it."""

from __future__ import annotations

import pytest

from variantbuild.errors import VariantError
from variantbuild.tags.forms import name_platforms
from variantbuild.tags.platform import PlatformTag, join_platform, machine_of
from variantbuild.variant import Variant, known_cpus

PLATFORMS = {
    "linux_x86_64": "x86_64",
    "manylinux_2_28_x86_64": "x86_64",
    "manylinux2014_aarch64": "aarch64",
    "musllinux_1_2_x86_64": "x86_64",
    "macosx_11_0_arm64": "aarch64",
    "macosx_14_2_x86_64": "x86_64",
    "win_amd64": "x86_64",
    "win_arm64": "aarch64",
    "linux_ppc64le": "ppc64le",
    "linux_ppc64": "ppc64",
    "linux_riscv64": "riscv64",
    "linux_armv7l": "arm",
    "linux_armv6l": "arm",
    "linux_i686": "x86",
    "linux_i386": "x86",
    "linux_s390x": "s390x",
    "linux_loongarch64": "loongarch64",
    "freebsd_14_1_release_amd64": "x86_64",
}


@pytest.mark.parametrize(("platform", "arch"), PLATFORMS.items())
def test_tags_come_apart_as_they_were_joined(platform: str, arch: str) -> None:
    plain = PlatformTag.parse(platform)
    assert (plain.plain, plain.architectures) == (platform, (arch,))
    assert plain.variant == Variant(arch=arch)
    assert not plain.is_stamped
    assert platform.endswith(f"_{machine_of(platform)}")
    for cpu in (None, *known_cpus(arch)):
        for label in ("", "cu12", "rocm6.4", "fc39", "rocm6.0.ubuntu22.04"):
            variant = Variant.parse(f"{label}.{cpu}" if cpu and label else label or cpu or "", arch)
            if not variant.is_baseline:
                read = PlatformTag.parse(join_platform(platform, variant))
                assert (read.plain, read.variant) == (platform, variant)
                assert read.is_stamped
                assert read.machine == plain.machine


@pytest.mark.parametrize("tag", ["any", "win32", "plan9_mips", "linux_x86_64v3"])
def test_tags_without_a_known_machine_name_no_variant(tag: str) -> None:
    assert PlatformTag.parse(tag) == PlatformTag(plain=tag)
    assert machine_of(tag) == ""


def test_a_tag_for_two_architectures_has_no_variants() -> None:
    read = PlatformTag.parse("macosx_11_0_universal2")
    assert read.architectures == ("x86_64", "aarch64")
    assert read.variant is None
    assert not read.is_stamped
    with pytest.raises(VariantError, match="'macosx_11_0_universal2_v3': universal2 has no"):
        PlatformTag.parse("macosx_11_0_universal2_v3")


def test_an_unknown_suffix_is_refused_by_name() -> None:
    with pytest.raises(VariantError, match="platform tag 'linux_x86_64_zen44': unknown CPU"):
        PlatformTag.parse("linux_x86_64_zen44")
    with pytest.raises(VariantError, match="'v3' is an x86-64 level, but"):
        PlatformTag.parse("macosx_11_0_arm64_v3")


def test_names_in_each_form() -> None:
    plain = ("linux_x86_64",)
    specific = ("linux_x86_64_v3_cu12",)
    both = ("linux_x86_64", "linux_x86_64_v3_cu12")
    assert name_platforms("plain", "_v3_cu12", plain, plain) == (plain, plain)
    assert name_platforms("specific", "_v3_cu12", plain, plain) == (specific, specific)
    assert name_platforms("set", "_v3_cu12", plain, plain) == (both, both)
    assert name_platforms("hybrid", "_v3_cu12", plain, plain) == (specific, both)
    assert name_platforms("set", "", plain, plain) == (plain, plain)


def test_a_set_in_a_file_name_is_sorted_and_wheel_keeps_its_order() -> None:
    several = ("manylinux_2_17_x86_64", "manylinux2014_x86_64")
    in_file, in_wheel = name_platforms("set", "_v2", several, several)
    assert in_file == tuple(sorted(in_file))
    assert in_wheel == (*several, "manylinux_2_17_x86_64_v2", "manylinux2014_x86_64_v2")
