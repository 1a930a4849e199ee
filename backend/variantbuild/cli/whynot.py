"""Whether this machine can run a variant and can build it, in sentences that say why not."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from variantbuild.errors import VariantError
from variantbuild.isa.architecture import architectures
from variantbuild.plan.buildable import compiler_obstacles
from variantbuild.probe.facts import Absent, Found, HostFacts
from variantbuild.select.hostfit import cpu_obstacles, distro_obstacles
from variantbuild.variant import Variant

if TYPE_CHECKING:
    from variantbuild.plan.device.judgement import DeviceSight


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
    run = (*cpu_obstacles(variant, cpu), *distro_obstacles(variant, facts))
    build = compiler_obstacles(variant, facts)
    if variant.accelerator is None or devices is None:
        return Suitability(run=run, build=build)
    from variantbuild.plan.device.judgement import judge_building, note_devices
    from variantbuild.select.devicefit import judge_running

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
        for other in architectures():
            with contextlib.suppress(VariantError):
                return Variant.parse(label, other.name)
        raise VariantError(f"--why-not {label!r}: {error.message}", hint=error.hint) from None
