"""Why a machine cannot run code for an accelerator."""

from __future__ import annotations

from typing import cast

from variantbuild.data import load_table
from variantbuild.isa.accelerators import NAMES
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu.driver import driver_floor, is_below_floor
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts, Driver, Gpu
from variantbuild.select.obstacle import Obstacle
from variantbuild.variant.axes import Accelerator


def device_obstacles(label: Accelerator, facts: AcceleratorFacts) -> tuple[Obstacle, ...]:
    """Return why code built for `label` cannot run with the driver and the GPUs of `facts`."""
    found = (_driver_obstacle(label, facts), _gpu_obstacle(label, facts))
    return tuple(each for each in found if each is not None)


def _driver_obstacle(label: Accelerator, facts: AcceleratorFacts) -> Obstacle | None:
    name = release_name(label)
    floor = driver_floor(label.version[0]) if label.kind == "cuda" else ""
    wanted = "a driver that supports it" if label.kind == "cuda" else "a GPU driver"
    wanted = f"driver {floor} or newer" if floor else wanted
    match facts.driver:
        case Absent(reason=why) | Failed(error=why):
            return Obstacle(subject="driver", text=f"{name} needs {wanted}: {why}")
        case Found(value=driver, source=source):
            if label.kind != "cuda" or not is_below_floor(driver, label.version[0]):
                return None
            seen = f"this machine has {_shown(driver)} ({source})"
            return Obstacle(subject="driver", text=f"{name} needs {wanted}, and {seen}")


def _gpu_obstacle(label: Accelerator, facts: AcceleratorFacts) -> Obstacle | None:
    match facts.gpus:
        case Found(value=gpus):
            text = _too_old(label, gpus)
            return None if text is None else Obstacle(subject="gpu", text=text)
        case Absent(reason=why) | Failed(error=why):
            # Without a driver no GPU is visible, and the reason would be repeated.
            if not isinstance(facts.driver, Found):
                return None
            return Obstacle(subject="gpu", text=f"{release_name(label)} needs a GPU: {why}")


def release_name(label: Accelerator) -> str:
    """Return the name and version of a GPU toolkit as people write it: `CUDA 12.8`."""
    return f"{NAMES[label.kind]} {'.'.join(map(str, label.version))}"


def _shown(driver: Driver) -> str:
    if driver.version or driver.cuda is None:
        return driver.version
    return f"one for CUDA {driver.cuda[0]}.{driver.cuda[1]}"


def _too_old(label: Accelerator, gpus: tuple[Gpu, ...]) -> str | None:
    """Return which GPUs are older than everything that any release of `label` builds for."""
    if label.kind == "rocm":
        return None
    rows = cast("dict[str, dict[str, str]]", load_table("cuda")["toolkits"])
    wanted = ".".join(map(str, label.version))
    oldest = [
        int(row["architectures"].split()[0])
        for release, row in rows.items()
        if release == wanted or release.startswith(f"{wanted}.")
    ]
    if not oldest or any(int(gpu.architecture) >= min(oldest) for gpu in gpus):
        return None
    seen = ", ".join(dict.fromkeys(f"{gpu.name} (sm_{gpu.architecture})" for gpu in gpus))
    name = release_name(label)
    return f"{name} builds for sm_{min(oldest)} and newer, and this machine has {seen}"
