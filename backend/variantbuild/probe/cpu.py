"""The CPU: its features, its generic level, and archspec's name for it.

Features and level take one small read and a table of our own, cheap enough for every build;
archspec is loaded only for the name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from variantbuild.host import Host
from variantbuild.isa.architecture import architecture, parse_machine
from variantbuild.isa.features import cpu_tables, enabled_features
from variantbuild.probe.facts import Absent, Cpu, Fact, Failed, Found

if TYPE_CHECKING:
    from archspec.cpu import Microarchitecture

_CPUINFO = "/proc/cpuinfo"
#: Enough for the first CPU's entry, which is below 4 KB; the kernel renders no more than is read.
_CPUINFO_LIMIT = 1 << 14
SYSCTL = (
    "/usr/sbin/sysctl",
    "-i",
    "machdep.cpu.brand_string",
    "machdep.cpu.vendor",
    "machdep.cpu.features",
    "machdep.cpu.leaf7_features",
    "machdep.cpu.extfeatures",
    "hw.optional",
)


def probe_cpu(host: Host) -> Fact[Cpu]:
    """Return the features and the generic level of the host's CPU.

    They are read from /proc/cpuinfo on Linux, where the kernel omits what it does not support;
    from sysctl on macOS; from CPUID on Windows, less the register states that are not enabled.
    """
    if host.system == "Linux":
        text = host.read_text(_CPUINFO, limit=_CPUINFO_LIMIT)
        if text is None:
            return Failed(f"{_CPUINFO} cannot be read")
        return _found(parse_cpuinfo(text, family_of(host)), _CPUINFO)
    if host.system == "Darwin":
        answer = host.run(SYSCTL)
        if not answer.ok:
            return Failed(f"{SYSCTL[0]} {answer.failure}")
        return _found(parse_sysctl(answer.stdout, family_of(host)), " ".join(SYSCTL))
    if host.system == "Windows" and family_of(host) == "x86_64":
        told = host.cpuid()
        if told is None:
            return Failed("the CPUID instruction could not be run")
        features = enabled_features(told.features, told.enabled_states)
        cpu = _cpu("x86_64", vendor=told.vendor, features=features, brand=told.brand)
        return Found(cpu, "the CPUID instruction")
    return Absent(f"the CPU cannot be detected on {host.system} {host.machine}")


def parse_cpuinfo(text: str, family: str) -> Cpu | Failed:
    """Return the first CPU of a Linux /proc/cpuinfo, or why the file cannot be understood."""
    entry: dict[str, str] = {}
    for line in text.splitlines():
        key, separator, value = line.partition(":")
        if not separator and entry:
            break
        entry[key.strip()] = value.strip()
    brand = entry.get("model name") or entry.get("cpu") or ""
    if family == "x86_64":
        if "flags" not in entry:
            return Failed("has no 'flags' line")
        vendor = entry.get("vendor_id", "generic")
        return _cpu(family, vendor=vendor, features=entry["flags"].split(), brand=brand)
    if family == "aarch64":
        if "Features" not in entry:
            return Failed("has no 'Features' line")
        code = entry.get("CPU implementer")
        return _cpu(
            family,
            vendor="generic" if code is None else cpu_tables()["arm_vendors"].get(code, code),
            features=entry["Features"].split(),
            part=entry.get("CPU part", ""),
            brand=brand,
        )
    if family in ("ppc64le", "ppc64"):
        match = re.search(r"POWER(\d+)", brand)
        return _cpu(family, generation=int(match[1]) if match else 0, brand=brand)
    part = entry.get("uarch") or brand if family == "riscv64" else ""
    return _cpu(family, part=cpu_tables()["riscv_parts"].get(part, part), brand=brand)


def parse_sysctl(text: str, family: str) -> Cpu | Failed:
    """Return the CPU of a Mac from sysctl's `name: value` lines.

    `family` is the interpreter's: an x86_64 interpreter under Rosetta runs on an Apple CPU and may
    use what Rosetta reports. Every arm64 Mac has at least an M1, whose features old systems do not
    list. Source: Apple, "Determining Instruction Set Characteristics".
    """
    values = {}
    for line in text.splitlines():
        key, separator, value = line.partition(":")
        if separator:
            values[key.strip()] = value.strip()
    brand = values.get("machdep.cpu.brand_string", "")
    if not values:
        return Failed("printed nothing")
    tables = cpu_tables()
    if family == "aarch64":
        features = set(tables["darwin_arm_floor"])
        for name, ours in tables["darwin_arm_features"].items():
            told = values.get(f"hw.optional.arm.{name}", values.get(f"hw.optional.{name}"))
            if told == "1":
                features.update(ours)
            elif told == "0":
                features.difference_update(ours)
        return _cpu(family, vendor="Apple", features=features, brand=brand)
    keys = ("features", "leaf7_features", "extfeatures")
    features = {
        word for key in keys for word in values.get(f"machdep.cpu.{key}", "").lower().split()
    }
    for theirs, ours in tables["darwin_x86_features"].items():
        if features.issuperset(theirs.split()):
            features.update(ours)
    vendor = values.get("machdep.cpu.vendor", "generic")
    return _cpu(family, vendor=vendor, features=features, brand=brand)


def probe_microarchitecture(host: Host, cpu: Cpu) -> Fact[str]:
    """Return archspec's name for the most specific CPU that `cpu` matches.

    A virtual machine that hides features gets the name that its features allow, whatever its
    brand string; if no named CPU matches, the generic level is returned under our name (`v3`).
    Loads archspec, which takes about 50 ms of CPU time.
    """
    from archspec.cpu import TARGETS

    if cpu.family not in TARGETS:
        return Absent(f"archspec does not know any CPU of the architecture {cpu.family}")
    source = f"archspec, from {'sysctl' if host.system == 'Darwin' else 'the features'}"
    if host.system == "Darwin" and cpu.family == "aarch64":
        found = _apple_name(cpu.brand)
        return Found(found, source)
    candidates = [target for target in TARGETS.values() if _is_compatible(cpu, target)]
    generic = max((t for t in candidates if t.vendor == "generic"), key=_depth, default=None)
    if generic is None:
        # A 32-bit personality on a 64-bit CPU (`setarch i686`) matches no entry of its family.
        return Absent(f"no CPU known to archspec matches; this machine reports {host.machine}")
    # The rule of archspec.cpu.host(), which works for the running machine only.
    if any(cpu.part and cpu.part == target.cpu_part for target in candidates):
        candidates = [target for target in candidates if target.cpu_part == cpu.part]
    best = max((t for t in candidates if t > generic), key=_depth, default=generic)
    if best.vendor != "generic":
        return Found(best.name, source)
    if cpu.level is None:
        return Absent(f"no CPU known to archspec matches; this one is a generic {cpu.family}")
    return Found(cpu.level, f"{source}: no named CPU matches, so the generic level")


def _is_compatible(cpu: Cpu, target: Microarchitecture) -> bool:
    from archspec.cpu.detect import COMPATIBILITY_CHECKS, partial_uarch

    if target.family.name != cpu.family:
        return False
    if cpu.family in ("ppc64le", "ppc64"):
        # archspec's own check inspects the machine that it runs on, not its argument.
        return bool(target.generation <= cpu.generation)
    check = COMPATIBILITY_CHECKS.get(cpu.family)
    if check is None:
        return bool(target.vendor == "generic")
    info = partial_uarch(
        name=cpu.part, vendor=cpu.vendor, features=set(cpu.features), cpu_part=cpu.part
    )
    return bool(check(info, target))


def _apple_name(brand: str) -> str:
    """Return archspec's name for an Apple CPU; the newest that it knows for later ones."""
    from archspec.cpu import TARGETS

    match = re.search(r"Apple M(\d+)", brand)
    number = int(match[1]) if match else 1  # the first systems report an M1 as "Apple processor"
    return next(f"m{n}" for n in range(number, 0, -1) if f"m{n}" in TARGETS)


def family_of(host: Host) -> str:
    """Return archspec's name for the architecture of `host`, its own word for it if unknown."""
    return next(iter(parse_machine(host.machine)), host.machine)


def _depth(target: Microarchitecture) -> tuple[int, int]:
    return len(target.ancestors), len(target.features)


def _found(parsed: Cpu | Failed, source: str) -> Fact[Cpu]:
    if isinstance(parsed, Failed):
        return Failed(f"{source} {parsed.error}")
    return Found(parsed, source)


def _cpu(
    family: str,
    *,
    vendor: str = "generic",
    features: frozenset[str] | set[str] | list[str] = frozenset(),
    part: str = "",
    generation: int = 0,
    brand: str = "",
) -> Cpu:
    named = frozenset(features)
    if "ssse3" in named:
        named |= {"sse3"}  # Linux calls it pni; archspec's tables say sse3
    level = architecture(family).detect(named)
    return Cpu(
        family=family,
        vendor=vendor,
        features=named,
        level=None if level is None else level.name,
        part=part,
        generation=generation,
        brand=brand,
    )
