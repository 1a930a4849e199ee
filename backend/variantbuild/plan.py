"""What will be built: variant, flags and names, computed alike in every hook.

`resolve_plan` is pure; `make_plan` feeds it with what the host shows. Hooks run in processes of
their own, so prepare and build each compute the plan, and `BuildPlan.digest` tells whether they
came to the same.
"""

from __future__ import annotations

import hashlib
import sysconfig
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from variantbuild.choice import Choice, resolve_variant
from variantbuild.config import platform_names
from variantbuild.delegate import DelegateSpec
from variantbuild.errors import ConfigError, ProbeError
from variantbuild.flags import Flags, Tool, resolve_flags
from variantbuild.flags.conflicts import Conflict, find_conflicts, user_sources
from variantbuild.frontend import Naming, Situation, resolve_naming
from variantbuild.host import Host
from variantbuild.probe import probe_host
from variantbuild.probe.facts import (
    Absent,
    Compiler,
    Failed,
    Found,
    HostFacts,
    Language,
)
from variantbuild.project import Project
from variantbuild.sources import find_languages, holds_rust
from variantbuild.variant import Variant

if TYPE_CHECKING:
    from variantbuild.accelerator.devicebuild import DeviceBuild
    from variantbuild.accelerator.deviceplan import DevicePlan


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPlan:
    """Everything that is decided before the delegate runs.

    `platform` is `sysconfig.get_platform()` of the interpreter that the wheel is for;
    `compilers` are those found for the languages that `flags` serve; `conflicts` are switches of
    the user's that contradict the variant.
    """

    project: Project
    delegate: DelegateSpec
    platform: str
    facts: HostFacts
    choice: Choice
    situation: Situation
    naming: Naming
    flags: Flags
    compilers: tuple[tuple[Language, Compiler], ...]
    conflicts: tuple[Conflict, ...]
    devices: DevicePlan | None = None

    @property
    def variant(self) -> Variant:
        """The variant that is asked for; the stamp says what was found."""
        return self.choice.variant

    @property
    def device(self) -> DeviceBuild | None:
        """How device code is built; None where none is."""
        if self.devices is None:
            return None
        return self.devices.build(self.flags.cxx, self.project.config)

    @property
    def messages(self) -> tuple[str, ...]:
        """What people should know before the build, a sentence each."""
        unguarded = self.flags.guard.unguarded
        guard = f"unguarded: {unguarded}; on a lesser machine the code dies of SIGILL"
        return (
            *(str(conflict) for conflict in self.conflicts),
            *self.flags.notes,
            *(() if self.devices is None else self.devices.messages),
            *([guard] if unguarded and not self.variant.is_baseline else []),
        )

    @property
    def digest(self) -> str:
        """A digest of all that the bytes of the wheel may depend on, in hexadecimal."""
        parts = (
            str(self.variant),
            self.platform,
            sysconfig.get_config_var("SOABI"),
            self.delegate.backend,
            self.project.config,
            sorted(self.project.delegate_settings.items()),
            self.naming,
            self.flags,
            self.compilers,
            # Free memory differs from hook to hook, and decides how many compilers run at once.
            self.device and replace(self.device, jobs=1),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


def make_plan(
    project: Project,
    delegate: DelegateSpec,
    host: Host,
    situation: Situation,
    *,
    preview: bool = False,
) -> BuildPlan:
    """Probe `host` and decide what to build from `project` for the front end of `situation`.

    `preview` tells that nothing will be built now: a GPU toolkit that the build requirements would
    bring counts as there.
    Raises ProbeError, VariantError or FlagsError where the machine cannot build what is asked.
    """
    from variantbuild.probe.compiler import build_system_of
    from variantbuild.probe.cpu import probe_microarchitecture

    platform = sysconfig.get_platform()
    config = project.config
    languages = find_languages(project.path)
    facts = probe_host(
        host,
        _probed_languages(languages, host.env),
        build_system=build_system_of(delegate.backend),
    )
    name = None
    if config.cpu == "native" and isinstance(facts.cpu, Found):
        name = probe_microarchitecture(host, facts.cpu.value)
    choice = resolve_variant(
        config,
        facts,
        platform,
        microarchitecture=name,
        cibuildwheel=situation.cibuildwheel,
    )
    devices = _plan_devices(project, host, choice.variant, preview)
    if devices is not None and devices.choice is not None:
        choice = Choice(
            variant=replace(choice.variant, accelerator=devices.choice.label),
            reason=f"{choice.reason}; {devices.reason}",
        )
    project = _settle(project, delegate, platform, choice.variant)
    config = project.config
    compilers = find_compilers(facts, choice.variant, languages)
    flags = _resolve_flags(project, choice.variant, facts, compilers)
    if choice.variant.cpu is not None and holds_rust(project.path):
        flags = _with_rust(host, flags, choice.variant)
    if compilers and choice.variant.cpu is not None:
        flags = _try_out(host, flags, compilers, languages)
    conflicts = find_conflicts(choice.variant, user_sources(host.env, _extra_flags(project)))
    return BuildPlan(
        project=project,
        delegate=delegate,
        platform=platform,
        facts=facts,
        choice=choice,
        situation=situation,
        naming=resolve_naming(situation.kind, config, guarded=flags.guard.unguarded is None),
        flags=flags,
        compilers=tuple(compilers.items()),
        conflicts=tuple(conflicts),
        devices=devices,
    )


def _settle(project: Project, delegate: DelegateSpec, platform: str, variant: Variant) -> Project:
    """Apply the overrides that hold for `variant`; CMake variables become config-settings."""
    settled = project.settle({**platform_names(platform), **variant_names(variant)})
    defines = settled.config.cmake_defines
    if not defines:
        return settled
    if not delegate.backend.startswith("scikit_build_core.build"):
        raise ConfigError(
            f"cmake.define {', '.join(sorted(defines))} in overrides cannot reach the delegate "
            f"{delegate.backend!r}: only scikit-build-core takes CMake variables"
        )
    given = {key.removeprefix("skbuild.") for key in project.delegate_settings}
    ours = {f"cmake.define.{name}": value for name, value in defines.items()}
    added = {key: value for key, value in ours.items() if key not in given}
    return replace(settled, delegate_settings={**settled.delegate_settings, **added})


def variant_names(variant: Variant) -> dict[str, frozenset[str]]:
    """Return what the conditions of overrides look at in `variant`, by axis.

    Accelerators go by kind and label (`cuda`, `cu13`), distributions by name and label (`fc`,
    `fc39`); what the variant does not have is `none`.
    """
    accelerator, distro = variant.accelerator, variant.distro
    return {
        "cpu": frozenset((variant.cpu or "none",)),
        "accelerator": frozenset(
            ("none",) if accelerator is None else (accelerator.kind, str(accelerator))
        ),
        "distro": frozenset(("none",) if distro is None else (distro.name, str(distro))),
    }


def _plan_devices(
    project: Project, host: Host, variant: Variant, preview: bool
) -> DevicePlan | None:
    """Decide on device code; nothing of it is even imported where no one asks."""
    if variant.accelerator is None and not project.config.accelerators:
        return None
    from variantbuild.accelerator.deviceplan import plan_devices

    return plan_devices(project, host, variant.accelerator, preview=preview)


def find_compilers(
    facts: HostFacts, variant: Variant, needed: tuple[Language, ...]
) -> dict[Language, Compiler]:
    """Return the compilers that the flags are for.

    Raises ProbeError where the sources need a compiler and the variant its flags, and none of
    the languages has one: the build cannot succeed, and a sentence now beats a screenful later.
    """
    found: dict[Language, Compiler] = {}
    reasons: list[str] = []
    for language, fact in facts.compilers:
        match fact:
            case Found(value=compiler):
                found[language] = compiler
            case Absent(reason=reason) if language in needed:
                reasons.append(reason)
            case Failed(error=error) if language in needed:
                reasons.append(error)
            case _:
                pass
    if reasons and not any(language in found for language in needed) and not variant.is_baseline:
        raise ProbeError(
            f"no compiler can be used for {str(variant)!r}: {'; '.join(reasons)}",
            hint="install one (Debian, Ubuntu: apt install build-essential) or name it in CC, CXX "
            "or FC",
        )
    return found


def _probed_languages(seen: tuple[Language, ...], env: Mapping[str, str]) -> tuple[Language, ...]:
    """C and C++ always, since sources may be generated; Fortran where there is a sign of it."""
    fortran: tuple[Language, ...] = ("fortran",) if "fortran" in seen or env.get("FC") else ()
    return ("c", "cxx", *fortran)


def _extra_flags(project: Project) -> dict[Tool, tuple[str, ...]]:
    config = project.config
    return {
        "c": config.flags_c,
        "cxx": config.flags_cxx,
        "fortran": config.flags_fortran,
        "link": config.flags_link,
    }


def _resolve_flags(
    project: Project, variant: Variant, facts: HostFacts, compilers: Mapping[Language, Compiler]
) -> Flags:
    config = project.config
    return resolve_flags(
        variant,
        compilers,
        fp_contract=config.fp_contract,
        extra=_extra_flags(project),
        isa_guard=config.isa_guard,
        libc=facts.libc.value if isinstance(facts.libc, Found) else None,
    )


def _with_rust(host: Host, flags: Flags, variant: Variant) -> Flags:
    """Add what rustc is told, where there is one: without it the delegate says what it misses."""
    from variantbuild.flags.rust import resolve_rust_flags
    from variantbuild.probe.rust import probe_rust

    fact = probe_rust(host)
    if not isinstance(fact, Found):
        return flags
    target = host.env.get("CARGO_BUILD_TARGET") or fact.value.host
    rust, note = resolve_rust_flags(variant, fact.value, target)
    return replace(flags, rust=rust, notes=(*flags.notes, *([note] if note else [])))


def _try_out(
    host: Host,
    flags: Flags,
    compilers: Mapping[Language, Compiler],
    seen: tuple[Language, ...],
) -> Flags:
    """Compile a probe in each language that the tree shows (C where it shows none).

    Each trial costs a compiler run, so languages that are only possible are not tried. Returns
    the flags with the guard that was read back.
    """
    from variantbuild.flags.trial import try_flags

    tried = [language for language in flags.languages if language in seen]
    if not tried:
        tried = list(flags.languages[:1])
    part = replace(flags, languages=tuple(tried))
    with tempfile.TemporaryDirectory(prefix="variantbuild-") as folder:
        return replace(
            try_flags(host, part, compilers, Path(folder)),
            languages=flags.languages,
        )
