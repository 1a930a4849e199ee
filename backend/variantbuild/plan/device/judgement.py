"""Whether a machine can run and can build for an accelerator, in sentences that say why not.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from variantbuild.data import load_table
from variantbuild.errors import AcceleratorError
from variantbuild.isa.accelerators import NAMES
from variantbuild.plan.device.pypi import render_requirements, resolve_pypi_release
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts
from variantbuild.select.devicefit import release_name
from variantbuild.variant.axes import Accelerator


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSight:
    """What a machine shows of one kind of accelerator.

    `host_compiler` says why nvcc would find no host compiler that it takes; empty where it would,
    and where there is no nvcc to ask.
    """

    facts: AcceleratorFacts
    host_compiler: str = ""


def judge_building(label: Accelerator, sight: DeviceSight) -> tuple[str, ...]:
    """Say why nothing could be built for `label`; a compiler that PyPI has is no reason."""
    match sight.facts.toolkit:
        case Found():
            return (sight.host_compiler,) if sight.host_compiler else ()
        case Failed(error=error):
            return (f"{NAMES[label.kind]} cannot be used: {error}",)
        case Absent(reason=why) if label.kind == "rocm":
            return (why,)
        case Absent(reason=why):
            try:
                resolve_pypi_release(label.version, None)
            except AcceleratorError as error:
                return (f"{why}; {error.message}",)
            return (sight.host_compiler,) if sight.host_compiler else ()


def note_devices(label: Accelerator, facts: AcceleratorFacts) -> tuple[str, ...]:
    """Say what is no obstacle and should be known all the same."""
    notes = []
    if label.kind == "cuda" and isinstance(facts.toolkit, Absent):
        driver = facts.driver.value if isinstance(facts.driver, Found) else None
        try:
            release = resolve_pypi_release(label.version, driver)
        except AcceleratorError:
            return ()
        asked = render_requirements(release)[0]
        notes.append(f"the compiler of {label} would come from PyPI ({asked} and what it needs)")
    if label.kind == "rocm" and isinstance(facts.gpus, Found):
        listed = cast("dict[str, str]", load_table("rocm")["releases"]).get(
            ".".join(map(str, label.version)), ""
        )
        for architecture in dict.fromkeys(gpu.architecture for gpu in facts.gpus.value):
            if listed and architecture not in listed.split():
                notes.append(
                    f"AMD does not list {architecture} for {release_name(label)}: only a wheel "
                    "that was built for it by name runs here"
                )
    return tuple(notes)
