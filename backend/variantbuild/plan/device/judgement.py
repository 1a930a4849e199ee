"""Whether a machine can run and can build for an accelerator, in sentences that say why not.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from variantbuild.data import load_table
from variantbuild.errors import AcceleratorError
from variantbuild.plan.device.accelerator import NAMES, driver_floor, is_below_floor
from variantbuild.plan.device.pypi import render_requirements, resolve_pypi_release
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts, Driver, Gpu
from variantbuild.variant.axes import Accelerator


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceSight:
    """What a machine shows of one kind of accelerator.

    `host_compiler` says why nvcc would find no host compiler that it takes; empty where it would,
    and where there is no nvcc to ask.
    """

    facts: AcceleratorFacts
    host_compiler: str = ""


def judge_running(label: Accelerator, facts: AcceleratorFacts) -> tuple[str, ...]:
    """Say why code built for `label` would not run with the driver and the GPUs of `facts`."""
    name = _name(label)
    floor = driver_floor(label.version[0]) if label.kind == "cuda" else ""
    wanted = "a driver that knows it" if label.kind == "cuda" else "a GPU driver"
    wanted = f"a driver of {floor} or newer" if floor else wanted
    reasons = []
    match facts.driver:
        case Absent(reason=why) | Failed(error=why):
            reasons.append(f"{name} needs {wanted}: {why}")
        case Found(value=driver, source=source) if label.kind == "cuda" and is_below_floor(
            driver, label.version[0]
        ):
            reasons.append(f"{name} needs {wanted}, and here is {_shown(driver)} ({source})")
        case Found():
            pass
    match facts.gpus:
        case Absent(reason=why) | Failed(error=why):
            # Without a driver nothing can be seen, and the sentence would be the same again.
            if isinstance(facts.driver, Found):
                reasons.append(f"{name} needs a GPU: {why}")
        case Found(value=gpus):
            reasons += _too_old(label, gpus)
    return tuple(reasons)


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
                    f"AMD does not list {architecture} for {_name(label)}: only a wheel that was "
                    "built for it by name runs here"
                )
    return tuple(notes)


def _name(label: Accelerator) -> str:
    return f"{NAMES[label.kind]} {'.'.join(map(str, label.version))}"


def _shown(driver: Driver) -> str:
    if driver.version or driver.cuda is None:
        return driver.version
    return f"one for CUDA {driver.cuda[0]}.{driver.cuda[1]}"


def _too_old(label: Accelerator, gpus: tuple[Gpu, ...]) -> list[str]:
    """Say which GPUs are older than all that any release of `label` builds for."""
    if label.kind == "rocm":
        return []
    rows = cast("dict[str, dict[str, str]]", load_table("cuda")["toolkits"])
    wanted = ".".join(map(str, label.version))
    oldest = [
        int(row["architectures"].split()[0])
        for release, row in rows.items()
        if release == wanted or release.startswith(f"{wanted}.")
    ]
    if not oldest or any(int(gpu.architecture) >= min(oldest) for gpu in gpus):
        return []
    seen = ", ".join(dict.fromkeys(f"{gpu.name} (sm_{gpu.architecture})" for gpu in gpus))
    return [f"{_name(label)} builds for sm_{min(oldest)} and newer, and here is {seen}"]
