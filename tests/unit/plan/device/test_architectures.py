"""Words, lists and GPUs become architectures that the toolkit can build for, or one error."""

from __future__ import annotations

import pytest

from variantbuild.errors import AcceleratorError
from variantbuild.isa.accelerators import AcceleratorKind, Architectures
from variantbuild.plan.device.architectures import ArchitectureRequest, resolve_architectures
from variantbuild.plan.device.deviceflags import (
    render_architecture_flags,
    render_cmake_architectures,
    render_host_flags,
    render_torch_architectures,
)
from variantbuild.plan.device.givenlists import GivenList
from variantbuild.plan.device.supported import supported_architectures
from variantbuild.probe.facts import Absent, Fact, Failed, Found
from variantbuild.probe.gpu.gpufacts import Gpu, Toolkit

NO_GPU: Fact[tuple[Gpu, ...]] = Absent("no NVIDIA driver")


def toolkit(kind: AcceleratorKind, version: tuple[int, int], told: str = "") -> Toolkit:
    return Toolkit(
        kind=kind,
        version=version,
        release="",
        root="/opt/x",
        compiler="/opt/x/bin/c",
        include="/opt/x/include",
        libraries="/opt/x/lib",
        architectures=tuple(told.split()),
    )


def gpus(*names: str) -> Found[tuple[Gpu, ...]]:
    return Found(tuple(Gpu(name="some GPU", architecture=name) for name in names), "NVML")


def cuda(
    *names: str,
    version: tuple[int, int] = (12, 8),
    seen: Fact[tuple[Gpu, ...]] = NO_GPU,
    user: GivenList | None = None,
    project: tuple[str, ...] = (),
    ptx: bool = True,
) -> str:
    wish = ArchitectureRequest(
        names=names or ("auto",),
        origin="cuda.architectures",
        user=user,
        project=GivenList(names=project, origin="pyproject.toml") if project else None,
        ptx=ptx,
    )
    return str(resolve_architectures(wish, toolkit("cuda", version), seen))


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("90",), "sm_90, compute_90"),
        (("9.0", "sm_80"), "sm_80, sm_90, compute_90"),
        (("90", "90", "100"), "sm_90, sm_100, compute_100"),
        (("90a",), "sm_90a"),
        (("90a", "80"), "sm_80, sm_90a, compute_80"),
        (("80-real", "90-virtual"), "sm_80, compute_90"),
        (("8.0+PTX", "90"), "sm_80, sm_90, compute_80"),
        (("10.0a",), "sm_100a"),
        (("all-major",), "sm_50, sm_60, sm_70, sm_80, sm_90, sm_100, sm_120, compute_120"),
    ],
)
def test_names_as_people_write_them(names: tuple[str, ...], expected: str) -> None:
    assert cuda(*names) == expected


def test_ptx_can_be_left_out() -> None:
    assert cuda("90", ptx=False) == "sm_90"


def test_auto_takes_the_gpus_then_the_projects_list_then_all_major() -> None:
    assert cuda(seen=gpus("89", "89", "75"), project=("90",)) == "sm_75, sm_89, compute_89"
    assert cuda(project=("80", "90a")) == "sm_80, sm_90a, compute_80"
    assert cuda(version=(13, 0)) == "sm_75, sm_80, sm_90, sm_100, sm_110, sm_120, compute_120"
    assert cuda(seen=Failed("the driver does not answer"), project=("90",)) == "sm_90, compute_90"


def test_auto_takes_the_list_that_the_user_gives_to_the_build_system() -> None:
    list_80 = GivenList(names=("8.0",), origin="TORCH_CUDA_ARCH_LIST=8.0")
    assert cuda(seen=gpus("90"), project=("75",), user=list_80) == "sm_80, compute_80"
    assert cuda("90", user=list_80) == "sm_90, compute_90"
    native = GivenList(names=("native",), origin="CUDAARCHS=native")
    assert cuda(seen=gpus("89"), user=native) == "sm_89, compute_89"
    with pytest.raises(AcceleratorError, match=r"native \(CUDAARCHS=native\) needs a GPU"):
        cuda(user=native)
    major = GivenList(names=("all-major",), origin="CUDAARCHS=all-major")
    assert cuda(seen=gpus("89"), user=major).startswith("sm_50, sm_60")


def test_all_leaves_out_what_runs_on_one_chip_only() -> None:
    everything = cuda("all", version=(13, 0)).split(", ")
    assert "sm_121" in everything
    assert not [name for name in everything if name[-1] in "af"]


@pytest.mark.parametrize(
    ("names", "version", "seen", "message", "hint"),
    [
        (("native",), (12, 8), NO_GPU, "needs a GPU in this machine: no NVIDIA driver", "auto"),
        (("native",), (12, 8), Failed("it hangs"), "needs a GPU in this machine: it hangs", "auto"),
        (("50",), (13, 0), NO_GPU, "CUDA 13.0 cannot build for sm_50", "it builds for 75, 80"),
        (("100f",), (12, 8), NO_GPU, "CUDA 12.8 cannot build for sm_100f", "100a"),
        (("auto",), (13, 0), gpus("70"), "sm_70, from '70' (the GPUs of this", "75"),
        (("ampere",), (12, 8), NO_GPU, "'ampere' (cuda.architectures) is not a CUDA", "90a"),
        (("auto", "90"), (12, 8), NO_GPU, "mix 'auto' with names", "'auto' alone"),
        (("90",), (10, 2), NO_GPU, "CUDA 10.2 is too old: 11.8", None),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_refused_with_the_range(
    names: tuple[str, ...],
    version: tuple[int, int],
    seen: Fact[tuple[Gpu, ...]],
    message: str,
    hint: str | None,
) -> None:
    with pytest.raises(AcceleratorError) as caught:
        cuda(*names, version=version, seen=seen)
    assert message in caught.value.message
    assert (hint or "") in (caught.value.hint or "")


def test_the_compiler_at_hand_goes_before_the_table() -> None:
    assert supported_architectures(toolkit("cuda", (12, 8), "90 91")) == ("90", "91")
    assert supported_architectures(toolkit("cuda", (12, 7))) == supported_architectures(toolkit("cuda", (12, 6)))  # fmt: skip # noqa: E501
    assert "107" in supported_architectures(toolkit("cuda", (13, 9)))
    assert "107" not in supported_architectures(toolkit("cuda", (13, 3)))


def rocm(*names: str, told: str = "gfx90a gfx942 gfx1030 gfx1100 gfx11-generic") -> str:
    wish = ArchitectureRequest(names=names, origin="rocm.architectures")
    seen = gpus("gfx942", "gfx942")
    return str(resolve_architectures(wish, toolkit("rocm", (6, 4), told), seen))


def test_rocm_names() -> None:
    assert rocm("auto") == rocm("native") == "gfx942"
    assert rocm("GFX90a", "gfx11-generic") == "gfx11-generic, gfx90a"
    assert rocm("gfx90a:xnack+", "gfx90a:xnack-") == "gfx90a:xnack+, gfx90a:xnack-"
    assert rocm("gfx90a:xnack-:sramecc+") == "gfx90a:sramecc+:xnack-"
    assert rocm("all") == rocm("all-major") == "gfx1030, gfx1100, gfx90a, gfx942"


@pytest.mark.parametrize(
    ("names", "message", "hint"),
    [
        (("mi300",), "'mi300' (rocm.architectures) is not a ROCm architecture", "gfx90a"),
        (("gfx950",), "ROCm 6.4 cannot build for gfx950", "gfx942"),
        (("gfx12-generic",), "cannot build for gfx12-generic", "LLVM 19"),
        (("gfx1030:xnack+",), "gfx1030 has no feature 'xnack'", "it has none"),
        (("gfx942:foo+",), "gfx942 has no feature 'foo'", "xnack and sramecc"),
        (("gfx90a:xnack+:xnack-",), "names a feature twice", ""),
        (("gfx90a", "gfx90a:xnack+"), "both with and without", "on none"),
    ],
)
def test_rocm_refusals(names: tuple[str, ...], message: str, hint: str) -> None:
    with pytest.raises(AcceleratorError) as caught:
        rocm(*names)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


def test_each_tool_gets_its_own_spelling() -> None:
    chosen = Architectures(kind="cuda", real=("80", "90a", "120"), ptx=("120",))
    assert render_architecture_flags(chosen) == (
        "-gencode=arch=compute_80,code=sm_80",
        "-gencode=arch=compute_90a,code=sm_90a",
        "-gencode=arch=compute_120,code=sm_120",
        "-gencode=arch=compute_120,code=compute_120",
    )
    assert render_cmake_architectures(chosen) == "80-real;90a-real;120-real;120-virtual"
    assert render_torch_architectures(chosen) == "8.0;9.0a;12.0+PTX"
    assert render_host_flags(chosen, ["-march=x86-64-v3", "-fa=b,c"]) == (
        "-Xcompiler=-march=x86-64-v3",
        "-Xcompiler=-fa=b\\,c",
    )
    amd = Architectures(kind="rocm", real=("gfx90a:xnack-", "gfx1030"))
    assert render_architecture_flags(amd) == (
        "--offload-arch=gfx90a:xnack-",
        "--offload-arch=gfx1030",
    )
    assert render_cmake_architectures(amd) == "gfx90a:xnack-;gfx1030"
    assert render_host_flags(amd, ["-march=x86-64-v3"]) == ("-Xarch_host", "-march=x86-64-v3")
