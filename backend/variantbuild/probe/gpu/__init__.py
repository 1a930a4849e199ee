"""Detects toolkit, driver and GPUs of each requested accelerator."""

from __future__ import annotations

from collections.abc import Sequence

from variantbuild.host import Host
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.probe.gpu.cuda import probe_cuda_toolkit
from variantbuild.probe.gpu.cudaplaces import ToolkitChoice
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts
from variantbuild.probe.gpu.nvidia import probe_nvidia
from variantbuild.probe.gpu.rocm import probe_amd, probe_rocm_toolkit


def probe_accelerator(
    host: Host,
    kind: AcceleratorKind,
    *,
    wanted: tuple[int, ...] = (),
    choice: ToolkitChoice = "auto",
    python_path: Sequence[str] = (),
) -> AcceleratorFacts:
    """Return toolkit, driver and GPUs of `kind`; parameters as in `probe_cuda_toolkit`."""
    if kind == "cuda":
        toolkit = probe_cuda_toolkit(host, wanted=wanted, choice=choice, python_path=python_path)
        driver, gpus = probe_nvidia(host)
    else:
        toolkit = probe_rocm_toolkit(host, wanted=wanted)
        driver, gpus = probe_amd(host)
    return AcceleratorFacts(kind=kind, toolkit=toolkit, driver=driver, gpus=gpus)
