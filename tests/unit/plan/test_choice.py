"""From settings to a variant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from variantbuild.config import Config
from variantbuild.errors import ProbeError, VariantBuildError, VariantError
from variantbuild.plan.choice import architecture, resolve_variant
from variantbuild.probe.facts import Absent, Cpu, Distro, Failed, Found, HostFacts

HASWELL = Cpu(family="x86_64", vendor="GenuineIntel", features=frozenset(), level="v3")
NEOVERSE = Cpu(family="aarch64", vendor="ARM", features=frozenset(), level="armv9.0a")
POWER = Cpu(family="ppc64le", vendor="", features=frozenset(), level=None)
FACTS = HostFacts(
    system="Linux",
    machine="x86_64",
    cpu=Found(HASWELL, "/proc/cpuinfo"),
    libc=Absent("not looked for"),
    distro=Found(Distro(id="fedora", version_id="39"), "/etc/os-release"),
)
X86 = "linux-x86_64"


def choose(config: Config, facts: HostFacts = FACTS, platform: str = X86) -> str:
    return str(resolve_variant(config, facts, platform).variant)


@pytest.mark.parametrize(
    ("platform", "family"),
    [
        ("linux-x86_64", "x86_64"),
        ("linux-aarch64", "aarch64"),
        ("macosx-14.0-arm64", "aarch64"),
        ("macosx-10.9-x86_64", "x86_64"),
        ("win-amd64", "x86_64"),
        ("win-arm64", "aarch64"),
        ("macosx-11.0-universal2", None),
        ("linux-i686", "x86"),
        ("win32", None),
    ],
)
def test_architecture(platform: str, family: str | None) -> None:
    assert architecture(platform) == family


def test_native_is_the_baseline_where_an_architecture_has_no_levels() -> None:
    facts = replace(FACTS, cpu=Found(replace(HASWELL, family="x86", level=None), "/proc/cpuinfo"))
    absent = Absent("no CPU known to archspec matches; this machine reports i686")
    config = Config(cpu="native")
    found = resolve_variant(config, facts, "linux-i686", microarchitecture=absent)
    assert found.variant.is_baseline
    assert "reports i686: the baseline of x86 is built" in found.reason
    with pytest.raises(ProbeError, match="reports i686"):
        resolve_variant(config, FACTS, X86, microarchitecture=absent)


def test_words() -> None:
    assert choose(Config()) == "v3"
    assert choose(Config(cpu="v1")) == "v1"
    assert choose(Config(cpu="zen4")) == "zen4"
    assert choose(Config(cpu="none")) == ""
    assert choose(Config(distro=True)) == "fc39.v3"
    assert choose(Config(target="fc39.v2")) == "fc39.v2"
    native = resolve_variant(
        Config(cpu="native"), FACTS, X86, microarchitecture=Found("haswell", "archspec")
    )
    assert str(native.variant) == "haswell"
    assert "this machine is a haswell" in native.reason


def test_cpu_from_a_higher_source_replaces_the_target_s() -> None:
    config = Config(target="fc39.v2", cpu="v4", origins=(("cpu", "x"), ("target", "y")))
    assert choose(config) == "fc39.v4"


def test_under_cibuildwheel_auto_is_the_baseline_and_says_so() -> None:
    choice = resolve_variant(Config(), FACTS, X86, cibuildwheel=True)
    assert choice.variant.is_baseline
    assert "cibuildwheel" in choice.reason
    explicit = resolve_variant(Config(cpu="v3"), FACTS, X86, cibuildwheel=True)
    assert str(explicit.variant) == "v3"


def test_other_architectures() -> None:
    arm = replace(FACTS, cpu=Found(NEOVERSE, "/proc/cpuinfo"))
    assert choose(Config(), arm, "linux-aarch64") == "armv9.0a"
    assert choose(Config(cpu="armv8a"), arm, "linux-aarch64") == "armv8a"
    assert choose(Config(cpu="aarch64"), arm, "linux-aarch64") == "armv8a"
    assert choose(Config(cpu="armv8.7a"), arm, "linux-aarch64") == "armv8.7a"
    built = resolve_variant(Config(), arm, "linux-aarch64", cibuildwheel=True)
    assert (str(built.variant), built.variant.is_baseline) == ("armv8a", True)
    power = replace(FACTS, cpu=Found(POWER, "/proc/cpuinfo"))
    assert choose(Config(), power, "linux-ppc64le") == ""
    # An interpreter for another architecture than the machine's, as under emulation.
    assert choose(Config(), FACTS, "linux-aarch64") == ""
    assert choose(Config(), FACTS, "macosx-11.0-universal2") == ""


@pytest.mark.parametrize(
    ("config", "platform", "error", "message"),
    [
        (
            Config(cpu="x86-64-v3"),
            X86,
            VariantError,
            "'x86-64-v3'.*not a known.*\n.*write 'v3'; the levels",
        ),
        (Config(cpu="V3"), X86, VariantError, "'V3' .*\n.*write 'v3'"),
        (Config(cpu="v9"), X86, VariantError, "'v9' .*\n.*nearest is 'v4'; .* v1, v2, v3, v4"),
        (Config(cpu="avx2"), X86, VariantError, "'avx2' .*\n.*is part of 'v3'; .* v1, v2, v3, v4"),
        (Config(cpu="sse4.2"), X86, VariantError, "'sse4.2' .*\n.*is part of 'v2'"),
        (Config(cpu="armv8.2-a"), X86, VariantError, "\n.*armv8.2a is a level of aarch64; the"),
        (Config(cpu="zen44"), X86, VariantError, "cpu 'zen44' .* is not a known CPU.*\n.*'zen4'"),
        (Config(cpu="v5"), X86, VariantError, "cpu 'v5'"),
        (Config(cpu="v3"), "linux-aarch64", VariantError, "'v3' .* CPU of x86_64"),
        (Config(cpu="neoverse_v2"), X86, VariantError, "'neoverse_v2' .* CPU of aarch64"),
        (Config(cpu="v3"), "macosx-11.0-universal2", VariantError, "no CPU variants"),
        (Config(target="v3.zen4"), X86, VariantError, "target 'v3.zen4'"),
        (Config(target="nonsense"), X86, VariantError, "target 'nonsense'"),
        (Config(cpu="native"), X86, ProbeError, "cpu = native"),
    ],
)
def test_mistakes(
    config: Config, platform: str, error: type[VariantBuildError], message: str
) -> None:
    with pytest.raises(error, match=message) as caught:
        resolve_variant(config, FACTS, platform)
    assert caught.value.hint


@pytest.mark.parametrize("fact", [Absent("no /proc/cpuinfo"), Failed("garbage in /proc/cpuinfo")])
def test_an_unknown_processor_is_an_error_for_auto_only(fact: Absent | Failed) -> None:
    blind = replace(FACTS, cpu=fact)
    with pytest.raises(ProbeError, match="/proc/cpuinfo"):
        resolve_variant(Config(), blind, X86)
    assert choose(Config(cpu="v2"), blind) == "v2"
