"""Whether this machine can run and can build a variant, and why not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from variantbuild.errors import VariantError
from variantbuild.isa.architecture import architectures
from variantbuild.plan.buildable import compiler_obstacles
from variantbuild.probe.facts import Absent, Found, HostFacts
from variantbuild.select.hostfit import cpu_obstacles, distro_obstacles
from variantbuild.select.obstacle import Obstacle
from variantbuild.values import dataclass
from variantbuild.variant import Variant

if TYPE_CHECKING:
    from variantbuild.plan.device.devicebuildable import DeviceCheck


@dataclass(frozen=True, kw_only=True, slots=True)
class Suitability:
    """What keeps a machine from running (`run`) and building (`build`) a variant.

    No obstacles: it can, as far as is known. `notes` are not obstacles, but worth knowing.
    """

    run: tuple[Obstacle, ...]
    build: tuple[Obstacle, ...]
    notes: tuple[str, ...] = ()


def judge_machine(
    variant: Variant, facts: HostFacts, devices: DeviceCheck | None = None
) -> Suitability:
    """Return what keeps the machine of `facts` from running or building `variant`.

    `devices` is what was found for the variant's accelerator, None if it names none.
    """
    if not isinstance(facts.cpu, Found):
        reason = facts.cpu.reason if isinstance(facts.cpu, Absent) else facts.cpu.error
        unknown = Obstacle(subject="cpu", text=f"the CPU of this machine is unknown: {reason}")
        return Suitability(run=(unknown,), build=(unknown,))
    cpu = facts.cpu.value
    if variant.arch != cpu.family:
        text = f"{variant} is for {variant.arch}, and this machine is {cpu.family}"
        foreign = Obstacle(subject="architecture", text=text)
        return Suitability(run=(foreign,), build=(foreign,))
    run = (*cpu_obstacles(variant, cpu), *distro_obstacles(variant, facts))
    build = compiler_obstacles(variant, facts)
    if variant.accelerator is None or devices is None:
        return Suitability(run=run, build=build)
    from variantbuild.plan.device.devicebuildable import note_devices, toolkit_obstacles
    from variantbuild.select.devicefit import device_obstacles

    return Suitability(
        run=(*device_obstacles(variant.accelerator, devices.facts), *run),
        build=(*toolkit_obstacles(variant.accelerator, devices), *build),
        notes=note_devices(variant.accelerator, devices.facts),
    )


def parse_target(label: str, facts: HostFacts) -> Variant:
    """Parse `label` for the machine of `facts`, else for the architecture that it belongs to.

    Raises VariantError for a label of no architecture.
    """
    arch = facts.cpu.value.family if isinstance(facts.cpu, Found) else facts.machine
    try:
        return Variant.parse(label, arch)
    except VariantError as error:
        for other in architectures():
            with contextlib.suppress(VariantError):
                return Variant.parse(label, other.name)
        raise VariantError(f"--why-not {label!r}: {error.message}", hint=error.hint) from None
