"""How device code is built, as a value for delegates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from variantbuild.isa.accelerators import Architectures
from variantbuild.plan.device.deviceflags import (
    render_architecture_flags,
    render_host_flags,
)
from variantbuild.probe.gpu.gpufacts import Toolkit
from variantbuild.values import dataclass

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceBuild:
    """Toolkit, architectures and flags for device code.

    `host_compiler` is empty if nvcc chooses it; `host_flags` are the variant's flags for C++,
    `extra` those of flags.cuda or flags.hip; `jobs` limits how many compilers run at once.
    """

    toolkit: Toolkit
    architectures: Architectures
    host_compiler: str = ""
    host_flags: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    jobs: int = 1

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of the device compiler besides the architectures, the user's last."""
        return (*render_host_flags(self.architectures, self.host_flags), *self.extra)

    @property
    def architecture_flags(self) -> tuple[str, ...]:
        """The flags that name the architectures."""
        return render_architecture_flags(self.architectures)


def preview_device_build(build: DeviceBuild) -> DeviceBuild:
    """Return `build` with the paths that `complete_device_build` will set, below `<build>`."""
    if build.toolkit.origin != "pypi":
        return build
    home = "<build>/cuda"
    toolkit = replace(
        build.toolkit,
        root=home,
        compiler=f"{home}/bin/nvcc",
        include=f"{home}/include",
        libraries=f"{home}/lib",
    )
    return replace(build, toolkit=toolkit)
