"""Why code for a variant does not run on a machine, apart from its accelerator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from variantbuild.errors import VariantError
from variantbuild.probe.facts import Absent, Cpu, Found, HostFacts
from variantbuild.select.cpufit import lacks
from variantbuild.variant import Variant
from variantbuild.variant.axes import DistroLabel

if TYPE_CHECKING:
    pass


def cpu_obstacles(variant: Variant, cpu: Cpu) -> tuple[str, ...]:
    """Say why `cpu` does not run code for `variant`, a clause each."""
    if variant.cpu is None:
        return ()
    return tuple(f"its processor {clause}" for clause in lacks(cpu, variant.cpu))


def distro_obstacles(variant: Variant, facts: HostFacts) -> tuple[str, ...]:
    """Say why the distribution in `facts` is not the one that `variant` names."""
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
