"""All settings: the one table that parsing, defaults, schema, documentation and `--help` read.

A setting is a field of `Config`, declared with its key, values and documentation.
"""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import Literal, cast

from variantbuild.config.kinds import (
    METADATA,
    Setting,
    choice,
    compiler_flags,
    device_flags,
    flag,
    release,
    tables,
    text,
    words,
)
from variantbuild.config.overrides import Override
from variantbuild.values import dataclass

LocalVersion = Literal["auto", "always", "never"]
PlatformTag = Literal["auto", "specific", "set", "hybrid", "plain"]
AuditPolicy = Literal["error", "strict", "downgrade", "warn", "off"]
CudaLabel = Literal["major", "minor"]
CudaToolkit = Literal["auto", "system", "pypi"]
BundleMethod = Literal["auto", "loader", "stub"]
FpContract = Literal["default", "off", "fast"]

OVERRIDES = "overrides"


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """The settings in effect, and for each one that was set the place it came from.

    `target` and `cpu` are not interpreted here: what they mean depends on the machine. Where both
    are set, `cpu` came from a source of higher precedence and replaces the target's CPU.
    `overrides` are the tables in effect, the one with the highest precedence last.
    """

    delegate: str = text(
        "delegate",
        default="auto",
        early=True,
        values="`auto`, or a backend as in PEP 517: `module` or `module:object`",
        doc="The backend to wrap. `auto` selects the one that `[build-system] requires` names, "
        "else the one that a `[tool.*]` table configures, else the one for the `setup.py`, "
        "`meson.build`, `Cargo.toml` or `CMakeLists.txt` at the top of the tree. Several of equal "
        "weight are an error that asks, and so are compiled sources that none of them claims. "
        "Otherwise setuptools.",
    )
    delegate_path: tuple[str, ...] = words(
        "delegate-path",
        early=True,
        values="directories in the source tree",
        doc="Added to the front of `sys.path` to import a delegate that is part of the source "
        "tree. Use it instead of `[build-system] backend-path`, which would make front ends look "
        "for variantbuild there.",
    )
    target: str | None = text(
        "target",
        default=None,
        early=True,
        values="a label such as `v3`, `cu12.v3` or `fc39.v3`",
        doc="The whole variant at once. It overrides the individual keys of all sources of lower "
        "precedence.",
    )
    cpu: str = text(
        "cpu",
        default="auto",
        in_target=True,
        early=True,
        values="`auto`, `v1` to `v4`, a CPU name such as `zen4`, `native`, `none`",
        doc="The CPU to build for. `auto`: the level of the build machine, or the baseline under "
        "cibuildwheel, because which CPU a CI runner has is arbitrary. `native`: the exact "
        "microarchitecture of the build machine. `none`: no CPU flags and no stamp.",
    )
    accelerators: tuple[str, ...] = words(
        "accelerators",
        early=True,
        values="`cuda`, `rocm`",
        doc="The accelerators that the sources support, in order of preference. One whose GPU is "
        "present on the build machine is chosen before one that has only a toolkit; with neither, "
        "the wheel is built for the CPU only.",
    )
    cuda_version: str = release(
        "cuda.version", values="`auto`, `12`, `12.8`", doc="The CUDA release to build with."
    )
    cuda_architectures: tuple[str, ...] = words(
        "cuda.architectures",
        default=("auto",),
        early=True,
        values="`auto`, `native`, `all`, `all-major`, or names such as `90`, `90a`, `100f`",
        doc="The GPU architectures to build for. `auto`: the list that the user gives to the build "
        "system (`CUDAARCHS`, `TORCH_CUDA_ARCH_LIST`, `CMAKE_CUDA_ARCHITECTURES`); without one, "
        "those of this machine's GPUs; without a GPU, the project's own list; without a list, all "
        "major architectures.",
    )
    cuda_ptx: bool = flag(
        "cuda.ptx",
        default=True,
        doc="Add PTX for the newest architecture, which later GPUs can compile when it is loaded.",
    )
    cuda_label: CudaLabel = choice(
        "cuda.label",
        CudaLabel,
        default="major",
        in_target=True,
        early=True,
        doc="How much of the CUDA version the label contains: `cu12` or `cu128`.",
    )
    cuda_toolkit: CudaToolkit = choice(
        "cuda.toolkit",
        CudaToolkit,
        default="auto",
        early=True,
        doc="Which toolkit to use. `system`: the one installed on this machine. `pypi`: the "
        "toolkit wheels on PyPI (13.x). `auto`: the installed one, otherwise the wheels if a GPU "
        "is present or the target names CUDA.",
    )
    rocm_version: str = release(
        "rocm.version", values="`auto`, `6`, `6.4`", doc="The ROCm release to build with."
    )
    rocm_architectures: tuple[str, ...] = words(
        "rocm.architectures",
        default=("auto",),
        early=True,
        values="`auto`, `native`, `all`, or names such as `gfx90a`, `gfx90a:xnack-`, "
        "`gfx11-generic`",
        doc="The GPU architectures to build for, as with CUDA.",
    )
    distro: bool = flag(
        "distro",
        default=False,
        in_target=True,
        early=True,
        doc="Include the distribution in the label, for wheels that link against its libraries.",
    )
    local_version: LocalVersion = choice(
        "local-version",
        LocalVersion,
        default="auto",
        doc="Whether the label is added to the version (`1.2.3+v3`). `auto`: if the front end "
        "accepts it.",
    )
    platform_tag: PlatformTag = choice(
        "platform-tag",
        PlatformTag,
        default="auto",
        doc="The form of the platform tag. `specific`: `linux_x86_64_v3`. `set`: "
        "`linux_x86_64.linux_x86_64_v3`. `hybrid`: `specific` in the file name and `set` in the "
        "WHEEL file. `plain`: unchanged. `auto`: what the front end accepts.",
    )
    isa_guard: bool = flag(
        "isa-guard",
        default=True,
        doc="Add an ISA note to shared objects with the x86-64 level that they require, so that "
        "importing them on a CPU below that level raises ImportError instead of crashing with "
        "SIGILL.",
    )
    audit: AuditPolicy = choice(
        "audit",
        AuditPolicy,
        default="error",
        doc="What happens if the machine code does not match the requested variant. `error`: the "
        "build fails. `strict`: it also fails if the audit cannot tell. `downgrade`: the "
        "wheel is stamped with what was found. `warn`: a warning, and no stamp. `off`: no audit, "
        "and no stamp.",
    )
    audit_exclude: tuple[str, ...] = words(
        "audit-exclude",
        values="patterns of paths in the wheel, such as `*.bpf.o` or `fw/*`",
        doc="Files that are code for another machine on purpose, such as firmware: the audit "
        "counts them as data, and the record of the build names them. Code for the wheel's own "
        "architecture is always audited.",
    )
    override_march: bool = flag(
        "override-march",
        default=False,
        doc="Replace the project's own `-march=`, `-mcpu=` and `-mtune=` (`-march=native` in a "
        "setup.py) by the variant's. What was replaced is reported and recorded in the wheel. "
        "Without effect on Windows.",
    )
    bundle: tuple[str, ...] = words(
        "bundle",
        in_target=True,
        early=True,
        values="levels and CPU names, such as `v1`, `v3`, `v4`",
        doc="Build a wheel for each of these levels and join them into one with a plain version "
        "and plain tags, which chooses on import (see `docs/bundle.md`). Names for other "
        "architectures are left out, and the baseline is always among them. On other systems than "
        "Linux one wheel is built as if this was not set. `cpu` has no effect on a bundle.",
    )
    bundle_method: BundleMethod = choice(
        "bundle-method",
        BundleMethod,
        default="auto",
        doc="Who chooses among the copies in a bundle. `loader`: glibc 2.33 and newer, for x86-64 "
        "levels. `stub`: a small compiled file. `auto`: what takes the best copy on every system "
        "that the wheel admits.",
    )
    bundle_parallel: bool = flag(
        "bundle-parallel",
        default=True,
        in_wheel=False,
        doc="Build the levels of a bundle at the same time, as far as CPUs and memory allow. Each "
        "has a copy of the source tree then, and leaves no build directory for the next build.",
    )
    bundle_take_baseline: tuple[str, ...] = words(
        "bundle-take-baseline",
        values="patterns of paths in the wheel, such as `*/__config__.py`",
        doc="Files that may differ between the levels of a bundle without being modules, such as a "
        "record of compiler flags: the bundle has those of the baseline. Others that differ are "
        "an error.",
    )
    build_cache: bool = flag(
        "build-cache",
        default=False,
        in_wheel=False,
        doc="Cache the wheels built from sdists, and reuse one if nothing that the build depends "
        "on has changed (see `docs/cache.md`).",
    )
    fp_contract: FpContract = choice(
        "fp-contract",
        FpContract,
        default="default",
        doc="Contraction of `a*b+c` to a fused multiply-add: the compiler's default, never, or "
        "wherever possible.",
    )
    flags_c: tuple[str, ...] = compiler_flags("flags.c", "C")
    flags_cxx: tuple[str, ...] = compiler_flags("flags.cxx", "C++")
    flags_fortran: tuple[str, ...] = compiler_flags("flags.fortran", "Fortran")
    flags_cuda: tuple[str, ...] = device_flags("flags.cuda", "CUDA", "nvcc")
    flags_hip: tuple[str, ...] = device_flags("flags.hip", "HIP", "hipcc")
    flags_link: tuple[str, ...] = words(
        "flags.link",
        values="linker flags",
        doc="More flags for linking shared objects, appended after ours.",
    )
    overrides: tuple[Override, ...] = tables(
        OVERRIDES,
        default=(),
        values="tables with conditions: `if.platform`, `if.cpu`, `if.accelerator`, `if.distro`",
        doc="Settings that apply only if every condition matches, and `dependencies` and "
        "`cmake.define` to add in that case.",
    )
    origins: tuple[tuple[str, str], ...] = ()

    def origin(self, key: str) -> str:
        """Return where `key` (spelled as in pyproject.toml) was set, or "the default"."""
        return dict(self.origins).get(key, "the default")

    def is_set(self, key: str) -> bool:
        """Return whether any source set `key`."""
        return key in dict(self.origins)


@functools.cache
def settings() -> tuple[Setting, ...]:
    """Return every setting, in the order of the documentation."""
    listed = (cast("Setting | None", each.metadata.get(METADATA)) for each in fields(Config))
    return tuple(setting for setting in listed if setting is not None)
