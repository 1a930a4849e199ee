"""Why a machine cannot build for an accelerator. Pure."""

from __future__ import annotations

from typing import cast

from variantbuild.data import load_table
from variantbuild.errors import AcceleratorError
from variantbuild.isa.accelerators import NAMES
from variantbuild.plan.device.pypi import render_requirements, resolve_pypi_release
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts
from variantbuild.select.devicefit import release_name
from variantbuild.select.obstacle import Obstacle
from variantbuild.values import dataclass
from variantbuild.variant.axes import Accelerator


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceCheck:
    """What was found on a machine for one kind of accelerator.

    `host_compiler` says why nvcc would find no host compiler that it accepts; empty if it would,
    and if there is no nvcc.
    """

    facts: AcceleratorFacts
    host_compiler: str = ""


def toolkit_obstacles(label: Accelerator, check: DeviceCheck) -> tuple[Obstacle, ...]:
    """Return why nothing can be built for `label`; a compiler that is on PyPI is not missing."""
    match check.facts.toolkit:
        case Found():
            return _host_compiler(check)
        case Failed(error=error):
            text = f"{NAMES[label.kind]} cannot be used: {error}"
            return (Obstacle(subject="toolkit", text=text),)
        case Absent(reason=why) if label.kind == "rocm":
            return (Obstacle(subject="toolkit", text=why),)
        case Absent(reason=why):
            try:
                resolve_pypi_release(label.version, None)
            except AcceleratorError as error:
                return (Obstacle(subject="toolkit", text=f"{why}; {error.message}"),)
            return _host_compiler(check)


def _host_compiler(check: DeviceCheck) -> tuple[Obstacle, ...]:
    if not check.host_compiler:
        return ()
    return (Obstacle(subject="host-compiler", text=check.host_compiler),)


def note_devices(label: Accelerator, facts: AcceleratorFacts) -> tuple[str, ...]:
    """Return what is not an obstacle, but worth knowing."""
    notes = []
    if label.kind == "cuda" and isinstance(facts.toolkit, Absent):
        driver = facts.driver.value if isinstance(facts.driver, Found) else None
        try:
            release = resolve_pypi_release(label.version, driver)
        except AcceleratorError:
            return ()
        asked = render_requirements(release)[0]
        notes.append(
            f"the compiler for {label} would be installed from PyPI ({asked} and its dependencies)"
        )
    if label.kind == "rocm" and isinstance(facts.gpus, Found):
        listed = cast("dict[str, str]", load_table("rocm")["releases"]).get(
            ".".join(map(str, label.version)), ""
        )
        for architecture in dict.fromkeys(gpu.architecture for gpu in facts.gpus.value):
            if listed and architecture not in listed.split():
                notes.append(
                    f"AMD does not list {architecture} for {release_name(label)}: only a wheel "
                    "that was built for exactly that GPU runs here"
                )
    return tuple(notes)
