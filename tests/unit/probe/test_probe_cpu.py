"""CPUs of recorded machines, and of this one: level, name, features."""

from __future__ import annotations

import dataclasses
import functools
import io
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import archspec.cpu
import archspec.cpu.detect
import pytest

from hosts.recorded import RecordedHost, recorded_hosts
from variantbuild.host import CpuId
from variantbuild.isa.architecture import architecture
from variantbuild.isa.features import cpu_tables, enabled_features
from variantbuild.probe.cpu import SYSCTL, parse_cpuinfo, probe_cpu, probe_microarchitecture
from variantbuild.probe.facts import Absent, Cpu, Failed, Found
from variantbuild.select.cpufit import lacks

#: Level and name of each recorded machine.
EXPECTED = {
    "alpine": ("v3", "haswell"),
    "apple-haswell": ("v3", "haswell"),
    "apple-m1": ("armv8.4a", "m1"),
    "apple-m1-bigsur": ("armv8.4a", "m1"),
    "bios-masked": ("v3", "v3"),
    "centos7": ("v3", "broadwell"),
    "haswell": ("v3", "haswell"),
    "neoverse-v2": ("armv9.0a", "neoverse_v2"),
    "power9": (None, "power9le"),
    "skylake-sp": ("v4", "skylake_avx512"),
    "vm-masked": ("v4", "v4"),
    "vm-noxsave": ("v2", "westmere"),
    "windows-icelake": ("v4", "icelake"),
    "zen2": ("v3", "zen2"),
    "zen4": ("v4", "zen4"),
}

CORPUS = files("archspec") / "json" / "tests" / "targets"

#: Older releases have other tables (x86_64_v3 without xsave) and another implementation.
newest_archspec = pytest.mark.skipif(
    tuple(map(int, version("archspec").split(".")[:3])) < (0, 2, 7),
    reason="our tables are compared with those of archspec 0.2.7 and newer",
)


def found_cpu(host: RecordedHost) -> Cpu:
    fact = probe_cpu(host)
    assert isinstance(fact, Found), fact
    return fact.value


def test_every_recorded_machine_is_expected() -> None:
    assert set(recorded_hosts()) == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_level_and_name(name: str, recorded_host: Callable[[str], RecordedHost]) -> None:
    host = recorded_host(name)
    cpu = found_cpu(host)
    named = probe_microarchitecture(host, cpu)
    assert isinstance(named, Found)
    assert (cpu.level, named.value) == EXPECTED[name]


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("zen4", "/proc/cpuinfo"),
        ("apple-m1", "/usr/sbin/sysctl"),
        ("windows-icelake", "the CPUID instruction"),
    ],
)
def test_source(name: str, source: str, recorded_host: Callable[[str], RecordedHost]) -> None:
    fact = probe_cpu(recorded_host(name))
    assert isinstance(fact, Found)
    assert fact.source.startswith(source)


def level_of(arch: str, features: frozenset[str]) -> str | None:
    level = architecture(arch).detect(features)
    return None if level is None else level.name


@newest_archspec
def test_x86_levels_equal_archspecs() -> None:
    for level in ("v2", "v3", "v4"):
        target = archspec.cpu.TARGETS[f"x86_64_{level}"]
        bare = Cpu(family="x86_64", vendor="", features=frozenset(), level=None)
        assert lacks(bare, level) == (f"lacks {', '.join(sorted(target.features))}",)
        assert level_of("x86_64", frozenset(target.features)) == level
        for feature in target.features:
            assert level_of("x86_64", frozenset(target.features) - {feature}) != level
    assert level_of("x86_64", frozenset()) == "v1"


#: LLVM's AArch64Processors.td makes the M2 an ARMv8.6-A; archspec gives it the features of one.
ARCHSPEC_TOO_LOW = {"m2": "armv8.6a"}


@newest_archspec
def test_aarch64_levels_equal_archspecs() -> None:
    compared = 0
    for name, target in archspec.cpu.TARGETS.items():
        if str(target.family) != "aarch64" or target.vendor == "generic":
            continue
        generic = str(target.generic)
        expected = ARCHSPEC_TOO_LOW.get(name, "armv8a" if generic == "aarch64" else generic)
        assert level_of("aarch64", frozenset(target.features)) == expected, name
        compared += 1
    assert compared >= 10


@newest_archspec
def test_aarch64_order_equals_archspecs() -> None:
    known = architecture("aarch64")
    compared = 0
    for level in known.levels:
        if level.name not in archspec.cpu.TARGETS:
            continue
        ancestors = {str(each) for each in archspec.cpu.TARGETS[level.name].ancestors}
        assert {"armv8a" if each == "aarch64" else each for each in ancestors} <= level.below
        compared += 1
    assert compared >= 8


@newest_archspec
def test_conversions_equal_archspecs() -> None:
    theirs = archspec.cpu.schema.TARGETS_JSON["conversions"]
    ours = cpu_tables()
    assert ours["arm_vendors"] == theirs["arm_vendors"]
    darwin = {key: value.split() for key, value in theirs["darwin_flags"].items()}
    assert ours["darwin_x86_features"] == darwin
    floor = set(archspec.cpu.TARGETS["m1"].features) - {"evtstrm", "cpuid"}
    assert set(ours["darwin_arm_floor"]) == floor


def corpus_host(path: Path) -> RecordedHost:
    """Return a machine of archspec's corpus, by its file name."""
    system, _, name = path.name.split("-", 2)
    text = path.read_text(encoding="utf-8")
    if system == "darwin":
        mac = RecordedHost(system="Darwin", machine="arm64" if "m" in name[:1] else "x86_64")
        answer = mac.run(SYSCTL)
        told = dataclasses.replace(answer, status=0, stdout=text, error=None)
        return mac.with_program(SYSCTL[0], {SYSCTL[1:]: told})
    machine = "x86_64"
    if "Features" in text:
        machine = "aarch64"
    elif "POWER" in text:
        machine = "ppc64le" if name.endswith("le") or name in ("power9", "power10") else "ppc64"
    elif "isa" in text and "rv64" in text:
        machine = "riscv64"
    return RecordedHost(machine=machine, files={"/proc/cpuinfo": text})


def archspecs_own_answer(path: Path, host: RecordedHost, patch: pytest.MonkeyPatch) -> str:
    """Return the answer of archspec if it were running on the recorded machine."""
    detect = archspec.cpu.detect
    text = path.read_text(encoding="utf-8")
    patch.setattr(platform, "system", lambda: host.system)
    patch.setattr(platform, "machine", lambda: host.machine)
    patch.setattr(detect, "open", lambda *_, **__: io.StringIO(text), raising=False)
    patch.setattr(detect, "_check_output", lambda *_, **__: text)
    for cached in (detect.host, detect._machine, getattr(detect, "_darwin_sysctl_data", None)):
        if cached is not None:
            patch.setattr(detect, cached.__name__, functools.cache(cached.__wrapped__))
    return str(detect.host())


@newest_archspec
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.name)
        for path in sorted(Path(str(CORPUS)).glob("*"))
        if not path.name.startswith("windows")
    ],
)
def test_names_equal_archspecs_on_its_corpus(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = corpus_host(path)
    cpu = found_cpu(host)
    ours = probe_microarchitecture(host, cpu)
    with monkeypatch.context() as patch:
        theirs = archspecs_own_answer(path, host, patch)
    assert isinstance(ours, Found)
    assert ours.value == theirs.removeprefix("x86_64_")


def test_corpus_is_there() -> None:
    assert len(list(Path(str(CORPUS)).glob("linux-*"))) >= 30


def test_archspec_is_not_loaded_for_the_level() -> None:
    script = (
        "import os, sys\n"
        "from variantbuild.host.local import LocalHost\n"
        "from variantbuild.probe.cpu import probe_cpu\n"
        "probe_cpu(LocalHost(env=os.environ))\n"
        "print(sorted(m for m in sys.modules if m.startswith('archspec')))\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert shown.stdout == "[]\n", shown.stderr


def test_only_the_first_processor_counts() -> None:
    text = "flags\t: sse sse2\nmodel name : one\n\nflags\t: avx\nmodel name : two\n"
    cpu = parse_cpuinfo(text, "x86_64")
    assert isinstance(cpu, Cpu)
    assert cpu.brand == "one"
    assert cpu.features == {"sse", "sse2"}


@pytest.mark.parametrize(
    ("machine", "text", "sentence"),
    [
        ("x86_64", "processor : 0\n\n", "/proc/cpuinfo has no 'flags' line"),
        ("aarch64", "processor : 0\n\n", "/proc/cpuinfo has no 'Features' line"),
        ("x86_64", None, "/proc/cpuinfo cannot be read"),
        ("x86_64", "", "/proc/cpuinfo has no 'flags' line"),
    ],
)
def test_unreadable_cpuinfo_fails(machine: str, text: str | None, sentence: str) -> None:
    host = RecordedHost(machine=machine, files={} if text is None else {"/proc/cpuinfo": text})
    assert probe_cpu(host) == Failed(sentence)


def test_failing_sysctl_fails() -> None:
    fact = probe_cpu(RecordedHost(system="Darwin", machine="arm64"))
    assert fact == Failed("/usr/sbin/sysctl could not be started: No such file or directory")


def test_unknown_system_is_absent() -> None:
    fact = probe_cpu(RecordedHost(system="FreeBSD", machine="amd64"))
    assert fact == Absent("the CPU cannot be detected on FreeBSD amd64")


def test_windows_without_cpuid_fails() -> None:
    fact = probe_cpu(RecordedHost(system="Windows", machine="AMD64"))
    assert fact == Failed("the CPUID instruction could not be run")


@pytest.mark.parametrize(("states", "level"), [(231, "v4"), (7, "v3"), (3, "v2"), (None, "v4")])
def test_registers_that_windows_does_not_save(
    states: int | None, level: str, recorded_host: Callable[[str], RecordedHost]
) -> None:
    host = recorded_host("windows-icelake")
    told = host.cpuid()
    assert told is not None
    masked = CpuId(vendor=told.vendor, features=told.features, enabled_states=states)
    assert found_cpu(dataclasses.replace(host, cpuid_answer=masked)).level == level


def test_enabled_features_keep_what_needs_no_registers() -> None:
    assert enabled_features(frozenset({"avx2", "fma", "bmi2", "sse4_2"}), 3) == {"bmi2", "sse4_2"}


def test_mac_that_denies_a_feature(recorded_host: Callable[[str], RecordedHost]) -> None:
    host = recorded_host("apple-m1")
    (argv, answer), *_ = host.outputs.items()
    denied = dataclasses.replace(answer, stdout=answer.stdout.replace("FEAT_DPB: 1", "FEAT_DPB: 0"))
    assert denied.stdout != answer.stdout
    cpu = found_cpu(dataclasses.replace(host, outputs={argv: denied}))
    assert "dcpop" not in cpu.features
    assert cpu.level == "armv8.1a"


def test_rosetta_shows_what_it_translates() -> None:
    """An x86_64 interpreter on an Apple CPU builds x86_64 code."""
    text = (
        "machdep.cpu.brand_string: VirtualApple @ 2.50GHz\n"
        "machdep.cpu.vendor: GenuineIntel\n"
        "machdep.cpu.features: FPU CX8 MMX FXSR SSE SSE2 SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT\n"
        "machdep.cpu.extfeatures: SYSCALL XD EM64T LAHF\n"
    )
    mac = RecordedHost(system="Darwin", machine="x86_64")
    told = dataclasses.replace(mac.run(SYSCTL), status=0, stdout=text, error=None)
    cpu = found_cpu(mac.with_program(SYSCTL[0], {SYSCTL[1:]: told}))
    assert (cpu.family, cpu.level) == ("x86_64", "v2")


def test_unknown_architecture_has_no_name() -> None:
    cpu = Cpu(family="loongarch64", vendor="generic", features=frozenset(), level=None)
    fact = probe_microarchitecture(RecordedHost(machine="loongarch64"), cpu)
    assert fact == Absent("archspec does not know any CPU of the architecture loongarch64")


def test_plain_aarch64_has_no_name() -> None:
    cpu = Cpu(family="aarch64", vendor="generic", features=frozenset({"fp"}), level=None)
    fact = probe_microarchitecture(RecordedHost(machine="aarch64"), cpu)
    assert isinstance(fact, Absent)
    assert "generic aarch64" in fact.reason


def test_a_cpu_that_matches_no_entry_of_its_family_has_no_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under `setarch i686` a 64-bit CPU reports a machine of another family."""
    monkeypatch.setattr(archspec.cpu.detect, "COMPATIBILITY_CHECKS", {"x86": lambda info, t: False})
    cpu = Cpu(family="x86", vendor="GenuineIntel", features=frozenset(), level=None)
    found = probe_microarchitecture(RecordedHost(machine="i686"), cpu)
    assert found == Absent("no CPU known to archspec matches; this machine reports i686")
