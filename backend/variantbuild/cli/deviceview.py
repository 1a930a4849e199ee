"""Accelerators in the output of `probe` (toolkit, driver, GPUs) and `plan` (what will be built)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from variantbuild.cli.factview import fact_cells, fact_json
from variantbuild.cli.terminal import paint
from variantbuild.delegate.handover import Delegation, Handover
from variantbuild.delegate.handover.devicebuild import hand_device_build
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.plan import BuildPlan
from variantbuild.plan.device.build import preview_device_build
from variantbuild.probe.facts import Absent
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts, Driver, Gpu, Toolkit
from variantbuild.types import JSONValue

_TITLES: dict[AcceleratorKind, tuple[str, str, str]] = {
    "cuda": ("CUDA toolkit", "NVIDIA driver", "NVIDIA GPUs"),
    "rocm": ("ROCm toolkit", "AMD driver", "AMD GPUs"),
}


def device_rows(facts: AcceleratorFacts) -> list[tuple[str, str, str]]:
    """Return three rows of a table for people."""
    toolkit, driver, gpus = _TITLES[facts.kind]
    return [
        (toolkit, *fact_cells(facts.toolkit, _show_toolkit)),
        (driver, *fact_cells(facts.driver, _show_driver)),
        (gpus, *_gpu_cells(facts)),
    ]


def _gpu_cells(facts: AcceleratorFacts) -> tuple[str, str]:
    """Return the cells for the GPUs; the reason why there is no driver is not repeated."""
    driver, gpus = facts.driver, facts.gpus
    if isinstance(driver, Absent) and isinstance(gpus, Absent) and driver.reason == gpus.reason:
        gpus = Absent("no driver")
    return fact_cells(gpus, _show_gpus)


def device_json(facts: AcceleratorFacts) -> JSONValue:
    """Return the three facts as probe.schema.json has them."""
    return {
        "toolkit": fact_json(facts.toolkit, _toolkit_json),
        "driver": fact_json(facts.driver, _driver_json),
        "gpus": fact_json(
            facts.gpus,
            lambda gpus: [{"name": gpu.name, "architecture": gpu.architecture} for gpu in gpus],
        ),
    }


def _show_toolkit(toolkit: Toolkit) -> str:
    return f"{toolkit}  {toolkit.root}"


def _show_driver(driver: Driver) -> str:
    cuda = "" if driver.cuda is None else f"for CUDA {driver.cuda[0]}.{driver.cuda[1]}"
    return "  ".join(filter(None, (driver.version, cuda))) or "of an unknown version"


def _show_gpus(gpus: Sequence[Gpu]) -> str:
    """Name each kind of GPU once: `2 × NVIDIA A100 (sm_80)`."""
    counted = Counter(gpus)
    return ", ".join(
        (f"{number} × " if number > 1 else "") + f"{gpu.name} ({_architecture(gpu)})"
        for gpu, number in counted.items()
    )


def _architecture(gpu: Gpu) -> str:
    name = gpu.architecture
    return f"sm_{name}" if name.isdigit() else name


def _toolkit_json(toolkit: Toolkit) -> JSONValue:
    return {
        "version": list(toolkit.version),
        "release": toolkit.release,
        "root": toolkit.root,
        "compiler": toolkit.compiler,
        "include": toolkit.include,
        "libraries": toolkit.libraries,
        "origin": toolkit.origin,
        "architectures": list(toolkit.architectures),
    }


def _driver_json(driver: Driver) -> JSONValue:
    return {
        "version": driver.version,
        "cuda": None if driver.cuda is None else list(driver.cuda),
    }


def plan_rows(plan: BuildPlan) -> list[tuple[str, str]]:
    """Return the rows on device code in a plan; none for a project without device code."""
    if plan.devices is None:
        return []
    choice, device = plan.devices.choice, plan.device
    label = "none" if choice is None else str(choice.label)
    reason = plan.devices.reason
    if choice is not None:
        # Architectures and host compiler have rows of their own.
        reason = reason.partition(f" for {choice.architectures} (")[0]
    rows = [("accelerator", f"{label}  ({reason})")]
    if device is None:
        return rows
    why = f"  ({device.architectures.reason})" if device.architectures.reason else ""
    rows += [
        ("device code", f"{device.architectures}{why}"),
        ("device flags", " ".join(device.flags) or "those of the architectures"),
    ]
    host = plan.devices.host_compiler
    if host is not None:
        why = "chosen" if host.chosen else "nvcc's own choice"
        rows.append(("host compiler", f"{host.command}  ({host}, {why})"))
    if plan.devices.requirements:
        rows.append(("requirements", ", ".join(plan.devices.requirements)))
    return rows


def plan_lines(plan: BuildPlan, env: Mapping[str, str]) -> list[str]:
    """Return the rows on what the build system gets for device code."""
    handed = _handed(plan, env)
    if handed is None:
        return []
    variables, settings = handed
    told = [f"  {name}={value}" for name, value in variables.items()]
    told += [f"  -C {name}={value}" for name, value in settings.items()]
    return ["", paint("what the build gets for device code", "bold"), *told]


def plan_json(plan: BuildPlan, env: Mapping[str, str]) -> dict[str, JSONValue] | None:
    """Return device code in a plan as in plan.schema.json; None for a project without it."""
    if plan.devices is None:
        return None
    device, choice, host = plan.device, plan.devices.choice, plan.devices.host_compiler
    variables, settings = _handed(plan, env) or ({}, {})
    return {
        "label": None if choice is None else str(choice.label),
        "toolkit": None if device is None else preview_device_build(device).toolkit.root,
        "requirements": list(plan.devices.requirements),
        "architectures": None if device is None else str(device.architectures),
        "switches": [] if device is None else [*device.architecture_flags, *device.flags],
        "host_compiler": None
        if host is None
        else {"command": host.command, "family": host.family, "major": host.major},
        "variables": dict(variables),
        "settings": dict(settings),
        "jobs": None if device is None else device.jobs,
        "reason": plan.devices.reason,
    }


def _handed(
    plan: BuildPlan, env: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]] | None:
    """Return the variables and the config-settings on device code that the delegate will get."""
    if plan.device is None:
        return None
    delegation = Delegation(
        backend=plan.delegate.backend,
        version="",
        source=plan.project.path,
        staging=plan.project.path,
        env={**env, "PATH": "$PATH"},
        config_settings={},
    )
    handover = hand_device_build(preview_device_build(plan.device), Handover(), delegation)
    variables = {name: value for name, value in handover.env if not name.startswith("_")}
    return variables, {name: str(value) for name, value in handover.config_settings}
