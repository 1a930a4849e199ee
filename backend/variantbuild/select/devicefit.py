"""Why code for an accelerator does not run on a machine."""

from __future__ import annotations

from typing import cast

from variantbuild.data import load_table
from variantbuild.isa.accelerators import NAMES
from variantbuild.probe.facts import Absent, Failed, Found
from variantbuild.probe.gpu.driver import driver_floor, is_below_floor
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts, Driver, Gpu
from variantbuild.variant.axes import Accelerator


def judge_running(label: Accelerator, facts: AcceleratorFacts) -> tuple[str, ...]:
    """Say why code built for `label` would not run with the driver and the GPUs of `facts`."""
    name = release_name(label)
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


def release_name(label: Accelerator) -> str:
    """Return the name and version of a GPU toolkit as people write it: `CUDA 12.8`."""
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
    return [f"{release_name(label)} builds for sm_{min(oldest)} and newer, and here is {seen}"]
