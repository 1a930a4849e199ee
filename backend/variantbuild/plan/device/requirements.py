"""When the CUDA compiler is installed from PyPI, and which release."""

from __future__ import annotations

from variantbuild.config import Config
from variantbuild.config.project import Project
from variantbuild.errors import AcceleratorError
from variantbuild.host import Host
from variantbuild.plan.choice import architecture
from variantbuild.plan.device.accelerator import Request, resolve_requests
from variantbuild.plan.device.pypi import render_requirements, resolve_pypi_release
from variantbuild.probe.facts import Absent, Found
from variantbuild.probe.gpu.cuda import probe_cuda_toolkit
from variantbuild.probe.gpu.driver import driver_floor, is_below_floor
from variantbuild.probe.gpu.gpufacts import Driver
from variantbuild.probe.gpu.nvidia import probe_nvidia
from variantbuild.probe.gpu.rocm import probe_amd
from variantbuild.variant import Variant
from variantbuild.variant.axes import Accelerator


def toolchain_requirements(project: Project, host: Host) -> tuple[str, ...]:
    """Return the requirements that install CUDA's compiler from PyPI, () if it is not needed.

    It is needed if cuda.toolkit is `pypi`, and for `auto` if the machine has no toolkit, but a GPU
    or a target that names CUDA. Raises AcceleratorError for releases that are not on PyPI, and if
    this machine's driver is too old for what is built for this machine.
    """
    release = release_from_pypi(project, host)
    return () if release is None else render_requirements(release)


def release_from_pypi(project: Project, host: Host) -> tuple[int, int] | None:
    """Return the release of CUDA to install from PyPI, None for none."""
    config = project.config
    target = _target_accelerator(config, host.platform)
    if config.cuda_toolkit == "system" or (target is None and config.target is not None):
        return None
    requests = {request.kind: request for request in resolve_requests(config, target)}
    request = requests.get("cuda")
    if request is None:
        return None
    known, gpus = probe_nvidia(host)
    seen, missing = isinstance(gpus, Found), ""
    if config.cuda_toolkit == "pypi":
        # On a machine with only an AMD GPU, ROCm is built.
        if not seen and "rocm" in requests and isinstance(probe_amd(host)[1], Found):
            return None
    else:
        if not seen and not request.required:
            return None
        toolkit = probe_cuda_toolkit(host, wanted=request.version, choice="system")
        if not isinstance(toolkit, Absent):
            return None
        missing = toolkit.reason
    return _choose(request, known.value if isinstance(known, Found) else None, missing)


def _choose(request: Request, driver: Driver | None, missing: str) -> tuple[int, int]:
    """Choose the release; `missing` says why the machine's own toolkits cannot be used."""
    try:
        release = resolve_pypi_release(request.version, driver)
    except AcceleratorError as error:
        if not missing:
            raise
        asked = ".".join(map(str, request.version))
        text = f"{request.origin} needs CUDA {asked}: {missing}; {error.message}"
        raise AcceleratorError(text, hint=error.hint) from None
    if not request.required and driver is not None and is_below_floor(driver, release[0]):
        raise AcceleratorError(
            f"CUDA {release[0]} from PyPI needs driver {driver_floor(release[0])} or newer, and "
            f"this machine has {driver.version}",
            hint="update the driver, install an older toolkit, or remove cuda from accelerators",
        )
    return release


def _target_accelerator(config: Config, platform: str) -> Accelerator | None:
    arch = architecture(platform)
    if config.target is None or arch is None:
        return None
    return Variant.parse(config.target, arch).accelerator
