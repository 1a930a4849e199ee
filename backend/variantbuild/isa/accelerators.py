"""GPU platforms and the architectures that device code is built for."""

from __future__ import annotations

from typing import Literal

from variantbuild.values import dataclass

AcceleratorKind = Literal["cuda", "rocm"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Architectures:
    """What device code is built for.

    `real` gets machine code; `ptx` gets PTX, which later GPUs can translate (CUDA only). `reason`
    says in one clause how they were chosen.
    """

    kind: AcceleratorKind
    real: tuple[str, ...]
    ptx: tuple[str, ...] = ()
    reason: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names that nvcc and hipcc give: `sm_90`, `compute_90`, `gfx90a`."""
        if self.kind == "rocm":
            return self.real
        real = (f"sm_{name}" for name in self.real)
        return (*real, *(f"compute_{name}" for name in self.ptx))

    def __str__(self) -> str:
        """Return the names in a list for people: `sm_90, compute_90`."""
        return ", ".join(self.names)


NAMES: dict[AcceleratorKind, str] = {"cuda": "CUDA", "rocm": "ROCm"}
