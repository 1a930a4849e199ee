"""How accelerators look in `probe`: toolkit, driver and GPUs, each with its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from variantbuild.cli.factview import fact_cells, fact_json
from variantbuild.probe.gpufacts import AcceleratorFacts, Driver, Gpu, Toolkit
from variantbuild.types import JSONValue
from variantbuild.variant.axes import AcceleratorKind

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
        (gpus, *fact_cells(facts.gpus, _show_gpus)),
    ]


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
