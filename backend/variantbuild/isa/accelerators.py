"""GPU platforms and the architectures that device code is built for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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

    def __str__(self) -> str:
        """Return the names of the two compilers: `sm_90, compute_90` or `gfx90a`."""
        if self.kind == "rocm":
            return ", ".join(self.real)
        return ", ".join(
            [*(f"sm_{name}" for name in self.real), *(f"compute_{name}" for name in self.ptx)]
        )


NAMES: dict[AcceleratorKind, str] = {"cuda": "CUDA", "rocm": "ROCm"}
