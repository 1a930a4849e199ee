"""Why a machine cannot run code for a variant, apart from its accelerator."""

from __future__ import annotations

from variantbuild.errors import VariantError
from variantbuild.probe.facts import Absent, Cpu, Found, HostFacts
from variantbuild.select.cpufit import lacks
from variantbuild.select.obstacle import Obstacle
from variantbuild.variant import Variant
from variantbuild.variant.axes import DistroLabel


def cpu_obstacles(variant: Variant, cpu: Cpu) -> tuple[Obstacle, ...]:
    """Return why `cpu` cannot run code for `variant`, which is of the same architecture."""
    if variant.cpu is None:
        return ()
    clauses = lacks(cpu, variant.cpu)
    return tuple(Obstacle(subject="cpu", text=f"its CPU {clause}") for clause in clauses)


def distro_obstacles(variant: Variant, facts: HostFacts) -> tuple[Obstacle, ...]:
    """Return why the distribution in `facts` is not the one that `variant` names."""
    if variant.distro is None:
        return ()
    problem = _distro_problem(variant.distro, facts)
    if problem is None:
        return ()
    return (Obstacle(subject="distro", text=f"it is built for {variant.distro}, {problem}"),)


def _distro_problem(wanted: DistroLabel, facts: HostFacts) -> str | None:
    if not isinstance(facts.distro, Found):
        reason = facts.distro.reason if isinstance(facts.distro, Absent) else facts.distro.error
        return f"and the distribution of this machine is unknown: {reason}"
    try:
        here = DistroLabel.of(facts.distro.value.id, facts.distro.value.version_id)
    except VariantError as error:
        return f"and the distribution of this machine has no label: {error.message}"
    return None if here == wanted else f"and this machine runs {here}"
