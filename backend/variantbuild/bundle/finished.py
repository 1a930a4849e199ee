"""What a finished bundle says of itself: its copies, and the one that a CPU loads."""

from __future__ import annotations

from variantbuild.audit.copies import Copies, find_copies
from variantbuild.binary.choosers import Chooser, Copy
from variantbuild.bundle.cpuquestions import Demand, order_demands, resolve_demand
from variantbuild.errors import BundleError
from variantbuild.wheel import Wheel


def read_copies(wheel: Wheel) -> Copies:
    """Return the copies of a bundle; raises BundleError for a wheel that is not one."""
    copies = find_copies(wheel)
    if not copies:
        raise BundleError(f"{wheel.path.name} is not a bundle: none of its modules has copies")
    return copies


def levels_of(copies: Copies, arch: str) -> tuple[Demand, ...]:
    """Return what each level of a bundle for `arch` demands, the baseline first."""
    labels = {copy.label for each in copies.choosers.values() for copy in each.copies}
    demands = order_demands([resolve_demand(arch, label) for label in sorted(labels)])
    return tuple(reversed(demands))


def copy_for(chooser: Chooser, demand: Demand, arch: str) -> Copy:
    """Return the copy that a CPU with just `demand` loads."""
    return next(
        each for each in chooser.copies if demand.includes(resolve_demand(arch, each.label))
    )
