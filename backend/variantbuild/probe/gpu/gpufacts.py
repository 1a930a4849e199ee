"""What is known about an accelerator: toolkit, driver and GPUs, each a separate fact."""

from __future__ import annotations

from typing import Literal

from variantbuild.isa.accelerators import NAMES, AcceleratorKind
from variantbuild.probe.facts import Fact
from variantbuild.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Toolkit:
    """A toolkit that compiles device code.

    `version` is (major, minor); `release` in full ("13.0.88"); `root` the
    directory that build systems call CUDA_HOME or ROCM_PATH; `compiler` nvcc or hipcc, absolute;
    `clang` the compiler behind hipcc; `include` and `libraries` are directories. `origin` is pypi
    for a toolkit installed as wheels. `architectures` are those that the compiler reports
    (`90`, `90a`, `gfx90a`), empty if it reports none. `launcher` and `arguments` are the words
    before and after the compiler in CUDACXX or HIPCXX.
    """

    kind: AcceleratorKind
    version: tuple[int, int]
    release: str
    root: str
    compiler: str
    include: str
    libraries: str
    origin: Literal["system", "pypi"] = "system"
    clang: str = ""
    launcher: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return the common name: `CUDA 13.0`, `ROCm 6.4`."""
        return f"{NAMES[self.kind]} {self.version[0]}.{self.version[1]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Driver:
    """A GPU driver: its `version` as written ("580.65.06") and the newest CUDA that it runs."""

    version: str
    cuda: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Gpu:
    """One GPU: its name, and the architecture that code must be built for (`90`, `gfx942`)."""

    name: str
    architecture: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceleratorFacts:
    """The three facts about one kind of accelerator."""

    kind: AcceleratorKind
    toolkit: Fact[Toolkit]
    driver: Fact[Driver]
    gpus: Fact[tuple[Gpu, ...]]
