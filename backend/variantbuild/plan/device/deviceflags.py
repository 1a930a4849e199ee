"""Architectures and host flags in the notation of each compiler and build system. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from variantbuild.isa.accelerators import Architectures


def render_architecture_flags(architectures: Architectures) -> tuple[str, ...]:
    """Return nvcc's `-gencode` or hipcc's `--offload-arch` flags."""
    if architectures.kind == "rocm":
        return tuple(f"--offload-arch={name}" for name in architectures.real)
    return (
        *(f"-gencode=arch=compute_{name},code=sm_{name}" for name in architectures.real),
        *(f"-gencode=arch=compute_{name},code=compute_{name}" for name in architectures.ptx),
    )


def render_host_flags(architectures: Architectures, flags: Iterable[str]) -> tuple[str, ...]:
    """Return `flags` of the host compiler in the form that nvcc or hipcc pass on to it alone.

    Without them the host half of a .cu file is built for the baseline, and a clang that gets
    -march directly takes it for the GPU's as well.
    """
    if architectures.kind == "rocm":
        return tuple(word for flag in flags for word in ("-Xarch_host", flag))
    return tuple("-Xcompiler=" + flag.replace(",", "\\,") for flag in flags)


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
