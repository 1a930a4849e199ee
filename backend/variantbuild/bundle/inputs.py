"""Opens the wheels of a bundle, and refuses those that do not belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from variantbuild.audit.copies import find_copies
from variantbuild.bundle.cpuquestions import Demand, order_demands, resolve_demand
from variantbuild.errors import BundleError
from variantbuild.isa.levels import baseline
from variantbuild.stamp.declared import (
    Declared,
    check_declared,
    read_declared,
    single_architecture,
)
from variantbuild.stamp.unstamp import version_without_label
from variantbuild.wheel import Inventory, Wheel, normal_name, open_wheel, verify_wheel

#: The architectures whose features a stub can ask for.
_ARCHITECTURES = ("x86_64", "aarch64")
_SYSTEMS = ("linux", "manylinux", "musllinux")
#: More copies of a module than any project has use for.
_MOST = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """One verified wheel of a bundle, and the CPU that it is for."""

    wheel: Wheel
    inventory: Inventory
    declared: Declared
    demand: Demand

    @property
    def label(self) -> str:
        """The CPU as a label: `v3`."""
        return self.demand.label

    @property
    def file(self) -> str:
        """The wheel's file name."""
        return self.wheel.path.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The wheels of a bundle: the `baseline`, and the others with the most demanding first."""

    arch: str
    version: str
    baseline: Input
    others: tuple[Input, ...]

    @property
    def all(self) -> tuple[Input, ...]:
        """All of them, the most demanding first, the baseline last."""
        return (*self.others, self.baseline)


@contextmanager
def open_inputs(paths: Sequence[Path]) -> Iterator[Inputs]:
    """Open and verify the wheels at `paths`.

    Raises WheelError for a wheel that is unsound or contradicts itself, and BundleError for
    wheels that do not belong together, with one sentence that says why.
    """
    if len(paths) > _MOST:
        raise BundleError(f"{len(paths)} wheels are more than the {_MOST} that a bundle can have")
    with ExitStack() as stack:
        found = []
        for path in paths:
            wheel = stack.enter_context(open_wheel(path))
            found.append(_read(wheel, verify_wheel(wheel)))
        yield _sorted(found)


def _read(wheel: Wheel, inventory: Inventory) -> Input:
    declared = read_declared(inventory)
    check_declared(declared)
    name = wheel.path.name
    if inventory.is_editable:
        raise BundleError(f"{name} is an editable wheel, which cannot be bundled")
    if find_copies(wheel):
        raise BundleError(
            f"{name} is a bundle already",
            hint="bundle the wheels of its levels, which --split writes",
        )
    if not declared.architectures:
        raise BundleError(f"{name} is not for one CPU architecture, so it cannot be bundled")
    arch = single_architecture(declared)
    systems = {each.partition("_")[0].rstrip("0123456789") for each in declared.platforms}
    if not systems <= set(_SYSTEMS):
        raise BundleError(
            f"{name} is for {declared.platforms[0]}, and bundles are for Linux",
            hint="publish one wheel per level there, or the baseline",
        )
    if arch not in _ARCHITECTURES:
        raise BundleError(
            f"{name} is for {arch}, and bundles are for {' and '.join(_ARCHITECTURES)}"
        )
    variant = declared.variant
    for axis in () if variant is None else (variant.accelerator, variant.distro):
        if axis is not None:
            raise BundleError(
                f"{name} is for {axis}: a bundle has plain tags, so its wheels may differ by CPU "
                "only",
                hint="bundle wheels without that label",
            )
    label = (variant.cpu if variant else None) or baseline(arch)
    return Input(
        wheel=wheel,
        inventory=inventory,
        declared=declared,
        demand=resolve_demand(arch, label),
    )


def _sorted(found: Sequence[Input]) -> Inputs:
    arch = single_architecture(found[0].declared) if found else ""
    for other in found[1:]:
        _check_pair(found[0], other)
    lowest = baseline(arch) if found else ""
    labels: dict[str, Input] = {}
    for each in found:
        if each.label in labels:
            raise BundleError(
                f"{labels[each.label].file} and {each.file} are both for {each.label}",
                hint="give one wheel per level",
            )
        labels[each.label] = each
    if lowest not in labels:
        given = ", ".join(sorted(labels))
        raise BundleError(
            f"none of the wheels is the baseline: they are for {given}" if given else "no wheels",
            hint=f"add the wheel for every {arch or 'x86_64'} CPU, which has no label",
        )
    if len(labels) == 1:
        raise BundleError(
            f"{found[0].file} is the only wheel, and a bundle has at least two",
            hint="add wheels for higher levels, such as v3",
        )
    order = order_demands([each.demand for each in found])
    return Inputs(
        arch=arch,
        version=version_without_label(labels[lowest].declared),
        baseline=labels[lowest],
        others=tuple(labels[each.label] for each in order if each.label != lowest),
    )


#: What must be the same in all wheels of a bundle: its name in messages, and how to read it.
_SAME: tuple[tuple[str, Callable[[Input], str]], ...] = (
    ("project", lambda each: normal_name(each.inventory.name)),
    ("version", lambda each: version_without_label(each.declared)),
    ("build tag", lambda each: each.inventory.file_name.build or "none"),
    ("Python", lambda each: ".".join(sorted(each.inventory.file_name.pythons))),
    ("ABI", lambda each: ".".join(sorted(each.inventory.file_name.abis))),
    ("platform", lambda each: ".".join(sorted(each.declared.platforms))),
    ("Root-Is-Purelib", lambda each: each.inventory.wheel.one("Root-Is-Purelib").value.lower()),
)


def _check_pair(one: Input, other: Input) -> None:
    for name, read in _SAME:
        if read(one) != read(other):
            raise BundleError(
                f"{one.file} and {other.file} do not belong together: the {name} of one is "
                f"{read(one)}, of the other {read(other)}"
            )
    if _metadata(one) != _metadata(other):
        raise BundleError(
            f"{one.file} and {other.file} do not belong together: their METADATA differs in more "
            "than the version's label"
        )


def _metadata(each: Input) -> bytes:
    headers = each.inventory.metadata
    return headers.replaced({headers.one("Version"): b""})
