"""The variant to build: what `auto`, `native` and a target mean on this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from variantbuild.config import Config
from variantbuild.errors import ProbeError, VariantError
from variantbuild.isa.architecture import architecture as architecture_named
from variantbuild.isa.architecture import parse_machine
from variantbuild.isa.cpus import CONFIG_WORDS, explain_unknown, family_of, known_cpus
from variantbuild.probe.facts import Absent, Cpu, Fact, Failed, Found, HostFacts
from variantbuild.values import dataclass
from variantbuild.variant import Variant
from variantbuild.variant.axes import DistroLabel

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """The variant to build and one sentence on how it was chosen."""

    variant: Variant
    reason: str


@dataclass(frozen=True, slots=True)
class _Cpu:
    """The CPU to build for, None for no flags at all, and why."""

    name: str | None
    reason: str


def architecture(platform: str) -> str | None:
    """Return archspec's family for a `sysconfig.get_platform()`; None for several or unknown.

    `linux-x86_64` → x86_64, `macosx-14.0-arm64` → aarch64, `macosx-11.0-universal2` → None.
    """
    found = parse_machine(platform.rpartition("-")[2])
    return found[0] if len(found) == 1 else None


def resolve_variant(
    config: Config,
    facts: HostFacts,
    platform: str,
    *,
    microarchitecture: Fact[str] | None = None,
    cibuildwheel: bool = False,
) -> Choice:
    """Choose the variant to build on this machine.

    `platform` is `sysconfig.get_platform()` of the interpreter that the wheel is for;
    `microarchitecture` is needed for cpu = "native" only. Raises VariantError for a name that
    is not a CPU of the architecture, and ProbeError if a fact that the settings require is
    missing.
    """
    arch = architecture(platform)
    if arch is None:
        return _without_variant(config, platform)
    if config.target is not None:
        choice = _from_target(config, config.target, arch)
        if not config.is_set("cpu"):
            return choice
        cpu = _resolve_cpu(config, facts, arch, microarchitecture, cibuildwheel=cibuildwheel)
        return Choice(
            variant=replace(choice.variant, cpu=cpu.name), reason=f"{choice.reason}; {cpu.reason}"
        )
    cpu = _resolve_cpu(config, facts, arch, microarchitecture, cibuildwheel=cibuildwheel)
    distro = _resolve_distro(config, facts) if config.distro else None
    return Choice(variant=Variant(arch=arch, cpu=cpu.name, distro=distro), reason=cpu.reason)


def _without_variant(config: Config, platform: str) -> Choice:
    """Return an empty variant for a platform without a single known architecture.

    Raises VariantError if the settings name a CPU or a target."""
    machine = platform.rpartition("-")[2]
    if config.target is not None or config.cpu not in ("auto", "none"):
        key = "target" if config.target is not None else "cpu"
        value = config.target or config.cpu
        raise VariantError(
            f"{key} {value!r} ({config.origin(key)}) cannot be built for {platform}: "
            f"{machine} has no CPU variants",
            hint="build with an interpreter for one architecture, such as x86_64 or arm64",
        )
    reason = f"{platform} has no CPU variants: nothing is stamped"
    return Choice(variant=Variant(arch=machine), reason=reason)


def _from_target(config: Config, target: str, arch: str) -> Choice:
    origin = config.origin("target")
    try:
        variant = Variant.parse(target, arch)
    except VariantError as error:
        hint = error.hint or "write at most one name per axis, as in fc39.v3"
        raise VariantError(f"target {target!r} ({origin}): {error.message}", hint=hint) from None
    return Choice(variant=variant, reason=f"target {target!r} ({origin})")


def _resolve_cpu(
    config: Config,
    facts: HostFacts,
    arch: str,
    microarchitecture: Fact[str] | None,
    *,
    cibuildwheel: bool,
) -> _Cpu:
    origin = config.origin("cpu")
    match config.cpu:
        case "none":
            return _Cpu(None, f"cpu is none ({origin})")
        case "auto" if cibuildwheel:
            return _Cpu(
                _baseline(arch),
                "cibuildwheel runs this build, and which CPU its runner has is arbitrary: the "
                "baseline is built (set cpu or target to choose)",
            )
        case "auto":
            return _host_level(facts.cpu, arch)
        case "native" if (
            isinstance(microarchitecture, Absent) and not architecture_named(arch).levels
        ):
            return _Cpu(
                _baseline(arch),
                f"cpu is native ({origin}), and {microarchitecture.reason}: the baseline of {arch} "
                "is built",
            )
        case "native":
            name = _require(microarchitecture or Absent("it was not probed"), "cpu = native")
            return _Cpu(name, f"cpu is native ({origin}), and this machine is a {name}")
        case name:
            name = _known_name(name, arch, origin)
            return _Cpu(name, f"cpu is {name} ({origin})")


def _host_level(cpu: Fact[Cpu], arch: str) -> _Cpu:
    found = _require(cpu, "cpu = auto")
    if found.family != arch:
        return _Cpu(
            None, f"this machine is {found.family} and the wheel is for {arch}: no CPU is chosen"
        )
    if found.level is None:
        return _Cpu(None, f"{arch} has no levels")
    source = cpu.source if isinstance(cpu, Found) else ""
    return _Cpu(found.level, f"the level of this machine ({source})")


def _known_name(name: str, arch: str, origin: str) -> str:
    """Return a CPU's name in labels; raise VariantError for one that `arch` does not have."""
    level = architecture_named(arch).level(name)
    if level is not None:
        return level.name
    family = family_of(name)
    if family == arch and name in known_cpus(arch):
        return name
    if family is not None and family != arch:
        raise VariantError(
            f"cpu {name!r} ({origin}) is a CPU of {family}, and the wheel is for {arch}",
            hint="build it on a machine of that architecture",
        )
    raise VariantError(
        f"cpu {name!r} ({origin}) is not a known CPU of {arch}",
        hint=explain_unknown(name, arch, sorted(CONFIG_WORDS))
        or "`variantbuild probe` shows this machine's name",
    )


def _resolve_distro(config: Config, facts: HostFacts) -> DistroLabel:
    found = _require(facts.distro, f"distro = true ({config.origin('distro')})")
    return DistroLabel.of(found.id, found.version_id)


def _baseline(arch: str) -> str | None:
    """Return the baseline to compile for; None if the compilers have no flags for it."""
    known = architecture_named(arch)
    return known.baseline.name if known.levels else None


def _require(fact: Fact[T], wanted: str) -> T:
    hint = 'name a CPU or level instead, such as cpu = "v2"'
    match fact:
        case Found(value=value):
            return value
        case Absent(reason=reason):
            raise ProbeError(f"{wanted} needs a fact that is missing: {reason}", hint=hint)
        case Failed(error=error):
            raise ProbeError(f"{wanted} needs a fact that could not be read: {error}", hint=hint)


def variant_names(variant: Variant) -> dict[str, frozenset[str]]:
    """Return the names in `variant` that the conditions of overrides match, by axis.

    Accelerators have their kind and label (`cuda`, `cu13`), distributions their name and label
    (`fc`, `fc39`); an axis that the variant does not have is `none`.
    """
    accelerator, distro = variant.accelerator, variant.distro
    return {
        "cpu": frozenset((variant.cpu or "none",)),
        "accelerator": frozenset(
            ("none",) if accelerator is None else (accelerator.kind, str(accelerator))
        ),
        "distro": frozenset(("none",) if distro is None else (distro.name, str(distro))),
    }
