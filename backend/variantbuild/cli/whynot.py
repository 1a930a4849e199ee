"""Whether this machine can run a variant and can build it, in sentences that say why not."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from variantbuild.errors import FlagsError, VariantError
from variantbuild.isa.features import lacks
from variantbuild.plan.flags import resolve_flags
from variantbuild.probe.facts import Absent, Cpu, Failed, Found, HostFacts
from variantbuild.variant import Variant
from variantbuild.variant.axes import DistroLabel

if TYPE_CHECKING:
    from variantbuild.plan.device.judgement import DeviceSight

_ARCHITECTURES = ("x86_64", "aarch64", "ppc64le", "riscv64")


@dataclass(frozen=True, kw_only=True, slots=True)
class Suitability:
    """Why a machine cannot `run` and cannot `build` a variant, one sentence a reason.

    No reasons: it can, as far as is known. `notes` are no obstacles, and good to know.
    """

    run: tuple[str, ...]
    build: tuple[str, ...]
    notes: tuple[str, ...] = ()


def judge_machine(
    variant: Variant, facts: HostFacts, devices: DeviceSight | None = None
) -> Suitability:
    """Say why the machine of `facts` cannot run or build `variant`; foreign ones are a reason too.

    `devices` is what the machine shows of the variant's accelerator, None where it names none.
    """
    if not isinstance(facts.cpu, Found):
        reason = facts.cpu.reason if isinstance(facts.cpu, Absent) else facts.cpu.error
        unknown = f"the processor of this machine is unknown: {reason}"
        return Suitability(run=(unknown,), build=(unknown,))
    cpu = facts.cpu.value
    if variant.arch != cpu.family:
        foreign = f"{variant} is for {variant.arch}, and this machine is {cpu.family}"
        return Suitability(run=(foreign,), build=(foreign,))
    run = (*_about_processor(variant, cpu), *_about_distro(variant, facts))
    build = _about_compilers(variant, facts)
    if variant.accelerator is None or devices is None:
        return Suitability(run=run, build=build)
    from variantbuild.plan.device.judgement import judge_building, judge_running, note_devices

    return Suitability(
        run=(*judge_running(variant.accelerator, devices.facts), *run),
        build=(*judge_building(variant.accelerator, devices), *build),
        notes=note_devices(variant.accelerator, devices.facts),
    )


def parse_target(label: str, facts: HostFacts) -> Variant:
    """Read `label` for the machine of `facts`, or else for the one architecture that it is of.

    Raises VariantError for a label of none.
    """
    arch = facts.cpu.value.family if isinstance(facts.cpu, Found) else facts.machine
    try:
        return Variant.parse(label, arch)
    except VariantError as error:
        for other in _ARCHITECTURES:
            with contextlib.suppress(VariantError):
                return Variant.parse(label, other)
        raise VariantError(f"--why-not {label!r}: {error.message}", hint=error.hint) from None


def _about_processor(variant: Variant, cpu: Cpu) -> tuple[str, ...]:
    if variant.cpu is None:
        return ()
    return tuple(f"its processor {clause}" for clause in lacks(cpu, variant.cpu))


def _about_distro(variant: Variant, facts: HostFacts) -> tuple[str, ...]:
    if variant.distro is None:
        return ()
    if not isinstance(facts.distro, Found):
        reason = facts.distro.reason if isinstance(facts.distro, Absent) else facts.distro.error
        return (f"it is meant for {variant.distro}, and this machine's is unknown: {reason}",)
    found = facts.distro.value
    try:
        here = DistroLabel.of(found.id, found.version_id)
    except VariantError as error:
        return (f"it is meant for {variant.distro}: {error.message}",)
    if here == variant.distro:
        return ()
    return (f"it is meant for {variant.distro}, and this machine is {here}",)


def _about_compilers(variant: Variant, facts: HostFacts) -> tuple[str, ...]:
    reasons: list[str] = []
    missing: list[str] = []
    for language, fact in facts.compilers:
        match fact:
            case Found(value=compiler):
                try:
                    resolve_flags(variant, {language: compiler}, libc=None)
                except FlagsError as error:
                    reasons.append(error.message)
            case Absent(reason=text) | Failed(error=text):
                missing.append(text)
    if len(missing) == len(facts.compilers):
        reasons.append(f"there is no compiler: {'; '.join(missing)}")
    return tuple(dict.fromkeys(reasons))
