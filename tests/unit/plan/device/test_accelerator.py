"""Which accelerator is built for: the project's list, the machine's facts, and the target."""

from __future__ import annotations

import pytest

from variantbuild.config import Config
from variantbuild.errors import AcceleratorError
from variantbuild.isa.accelerators import AcceleratorKind
from variantbuild.plan.device.accelerator import Request, resolve_accelerator, resolve_requests
from variantbuild.probe.facts import Absent, Fact, Failed, Found
from variantbuild.probe.gpu.driver import is_below_floor
from variantbuild.probe.gpu.gpufacts import AcceleratorFacts, Driver, Gpu, Toolkit
from variantbuild.variant.axes import Accelerator

NONE = Absent("nothing there")


def toolkit(kind: AcceleratorKind, version: tuple[int, int]) -> Fact[Toolkit]:
    return Found(
        Toolkit(
            kind=kind,
            version=version,
            release="",
            root="/opt/x",
            compiler="/opt/x/bin/c",
            include="",
            libraries="",
        ),
        "somewhere",
    )


def facts(
    kind: AcceleratorKind,
    tools: Fact[Toolkit] = NONE,
    gpu: str = "",
    driver: Fact[Driver] = NONE,
) -> AcceleratorFacts:
    gpus: Fact[tuple[Gpu, ...]] = Found((Gpu(name="x", architecture=gpu),), "y") if gpu else NONE
    return AcceleratorFacts(kind=kind, toolkit=tools, driver=driver, gpus=gpus)


def choose(config: Config, *known: AcceleratorFacts, target: Accelerator | None = None) -> str:
    """Return label and architectures, or the reason for none."""
    requests = resolve_requests(config, target)
    choice = resolve_accelerator(config, requests, {each.kind: each for each in known}, {})
    if isinstance(choice, Absent):
        return choice.reason
    return f"{choice.label}: {choice.architectures}"


BOTH = Config(accelerators=("cuda", "rocm"))
CUDA = facts("cuda", toolkit("cuda", (12, 8)))
ROCM = facts("rocm", toolkit("rocm", (6, 4)))


def test_the_order_of_preference_counts_where_no_gpu_is_seen() -> None:
    assert choose(BOTH, CUDA, ROCM).startswith("cu12: sm_50")
    assert choose(Config(accelerators=("rocm", "cuda")), CUDA, ROCM).startswith("rocm6.4: gfx1030")


def test_a_gpu_that_is_seen_goes_before_a_toolkit_alone() -> None:
    seen = facts("rocm", toolkit("rocm", (6, 4)), "gfx942")
    assert choose(BOTH, CUDA, seen) == "rocm6.4: gfx942"


def test_neither_is_an_ordinary_machine() -> None:
    reason = choose(BOTH, facts("cuda"), facts("rocm"))
    assert reason == "cuda is not built: nothing there; rocm is not built: nothing there"


def test_a_gpu_without_its_toolkit_leaves_the_other() -> None:
    assert choose(BOTH, facts("cuda", gpu="90"), ROCM).startswith("rocm6.4")


def test_a_target_is_an_order() -> None:
    ordered = Config(target="cu13.v3", accelerators=("cuda",))
    cu13 = Accelerator(kind="cuda", version=(13,))
    with pytest.raises(AcceleratorError, match=r"target 'cu13\.v3' needs CUDA 13: nothing there"):
        choose(ordered, facts("cuda"), target=cu13)
    assert choose(Config(target="cu12.v3"), CUDA, target=Accelerator(kind="cuda", version=(12,)))
    with pytest.raises(AcceleratorError, match="has only cuda"):
        resolve_requests(Config(target="x", accelerators=("cuda",)), Accelerator(kind="rocm", version=(6,)))  # fmt: skip # noqa: E501


def test_the_label_is_the_targets_or_the_settings() -> None:
    wide = Config(accelerators=("cuda",), cuda_label="minor")
    assert choose(wide, CUDA).startswith("cu128:")
    asked = Accelerator(kind="cuda", version=(12, 8))
    assert choose(Config(target="cu128.v3"), CUDA, target=asked).startswith("cu128:")


def test_nothing_is_asked_for_by_a_target_without_accelerator_or_an_empty_list() -> None:
    assert resolve_requests(Config(), None) == ()
    assert resolve_requests(Config(target="v3", accelerators=("cuda",)), None) == ()
    assert resolve_requests(Config(accelerators=("cuda",), cuda_version="12.8"), None) == (
        Request(kind="cuda", version=(12, 8), origin="the default"),
    )


@pytest.mark.parametrize("version", ["twelve", "12.8.1", "0", "12.", ""])
def test_versions_that_are_none_are_refused(version: str) -> None:
    with pytest.raises(AcceleratorError, match=r"cuda\.version .* is not a version"):
        resolve_requests(Config(accelerators=("cuda",), cuda_version=version), None)


def test_unknown_kinds_are_refused() -> None:
    with pytest.raises(AcceleratorError, match="names 'opencl'"):
        resolve_requests(Config(accelerators=("opencl",)), None)


def test_a_contradicting_toolkit_is_an_error_with_its_reason() -> None:
    with pytest.raises(AcceleratorError, match="CUDA cannot be used: it lies"):
        choose(BOTH, facts("cuda", Failed("it lies")), ROCM)


def test_native_without_a_gpu_is_an_error() -> None:
    with pytest.raises(AcceleratorError, match="needs a GPU"):
        choose(Config(accelerators=("cuda",), cuda_architectures=("native",)), CUDA)


def test_a_driver_below_the_floor_is_said_aloud() -> None:
    old = facts("cuda", toolkit("cuda", (13, 0)), "90", Found(Driver(version="570.86.15"), "x"))
    requests = resolve_requests(Config(accelerators=("cuda",)), None)
    choice = resolve_accelerator(Config(), requests, {"cuda": old}, {})
    assert not isinstance(choice, Absent)
    assert "CUDA 13.0 needs driver 580 or newer, and this machine has 570.86.15" in choice.notes[0]


@pytest.mark.parametrize(
    ("version", "major", "below"),
    [("525.60.13", 12, False), ("525.60.12", 12, True), ("580.0", 13, False), ("579.99", 13, True),
     ("450.80.02", 11, False), ("", 13, False), ("1.0", 99, False)],
)  # fmt: skip
def test_floors(version: str, major: int, below: bool) -> None:
    assert is_below_floor(Driver(version=version), major) is below


@pytest.mark.parametrize(
    ("cuda", "major", "below"),
    [((12, 6), 13, True), ((13, 0), 13, False), ((12, 6), 12, False), (None, 13, False)],
)
def test_a_driver_without_a_number_goes_by_the_cuda_that_it_runs(
    cuda: tuple[int, int] | None, major: int, below: bool
) -> None:
    assert is_below_floor(Driver(version="", cuda=cuda), major) is below
