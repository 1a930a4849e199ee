"""Architectures and host switches as each compiler and build system wants them written. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from variantbuild.isa.accelerators import Architectures


def render_architecture_flags(architectures: Architectures) -> tuple[str, ...]:
    """Return nvcc's `-gencode` or hipcc's `--offload-arch` switches."""
    if architectures.kind == "rocm":
        return tuple(f"--offload-arch={name}" for name in architectures.real)
    return (
        *(f"-gencode=arch=compute_{name},code=sm_{name}" for name in architectures.real),
        *(f"-gencode=arch=compute_{name},code=compute_{name}" for name in architectures.ptx),
    )


def render_host_flags(architectures: Architectures, switches: Iterable[str]) -> tuple[str, ...]:
    """Return `switches` of the host compiler as nvcc or hipcc pass them on to it alone.

    Without them the host half of a .cu file is built for the baseline, and a clang that gets
    -march directly takes it for the GPU's as well.
    """
    if architectures.kind == "rocm":
        return tuple(word for switch in switches for word in ("-Xarch_host", switch))
    return tuple("-Xcompiler=" + switch.replace(",", "\\,") for switch in switches)


def render_cmake_architectures(architectures: Architectures) -> str:
    """Return the value of CMAKE_CUDA_ARCHITECTURES or CMAKE_HIP_ARCHITECTURES."""
    if architectures.kind == "rocm":
        return ";".join(architectures.real)
    return ";".join(
        [*(f"{n}-real" for n in architectures.real), *(f"{n}-virtual" for n in architectures.ptx)]
    )


def render_torch_architectures(architectures: Architectures) -> str:
    """Return the value of TORCH_CUDA_ARCH_LIST or PYTORCH_ROCM_ARCH.

    PyTorch writes a dot before the last digit and marks PTX on the architecture that it comes
    with (torch.utils.cpp_extension, _get_cuda_arch_flags).
    """
    if architectures.kind == "rocm":
        return ";".join(architectures.real)
    return ";".join(
        _dotted(name) + ("+PTX" if name in architectures.ptx else "") for name in architectures.real
    )


def _dotted(name: str) -> str:
    digits = name.rstrip("af")
    return f"{digits[:-1]}.{digits[-1]}{name[len(digits) :]}"
