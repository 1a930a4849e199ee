"""Device code against the plan: every way in which they differ, under every policy."""

from __future__ import annotations

import pytest

from variantbuild.audit import AuditReport
from variantbuild.audit.judge.devicegate import (
    judge_architectures,
    name_devices,
    pass_devices,
    pass_editable,
)
from variantbuild.audit.judge.gate import Policy
from variantbuild.audit.report import FileReport
from variantbuild.binary.devicecode import CudaImage, DeviceCode
from variantbuild.errors import AuditError
from variantbuild.isa.accelerators import Architectures
from variantbuild.variant import Variant

PLAN = Architectures(kind="cuda", real=("80", "90a"), ptx=("80",))
VARIANT = Variant.parse("cu13.v3", "x86_64")
ALL = (CudaImage(80, "", "sass"), CudaImage(90, "a", "sass"), CudaImage(80, "", "ptx"))


def report(*images: CudaImage, rocm: tuple[str, ...] = ()) -> AuditReport:
    """A report on a wheel with one module without device code and one with `images`."""
    plain = FileReport(path="plain.so", format="elf", machines=("x86_64",), kind="shared")
    device = DeviceCode(cuda=images, rocm=rocm)
    with_code = FileReport(
        path="k.so", format="elf", machines=("x86_64",), kind="shared", device=device or None
    )
    return AuditReport(name="x.whl", platforms=(), files=(plain, with_code))


def test_what_was_planned_passes() -> None:
    assert pass_devices(report(*ALL), VARIANT, PLAN, "error") == (VARIANT, ())
    rocm = Architectures(kind="rocm", real=("gfx1030", "gfx90a:xnack-"))
    named = report(rocm=("gfx1030", "gfx90a:xnack-"))
    assert pass_devices(named, VARIANT, rocm, "error") == (VARIANT, ())


def test_lto_code_is_no_result() -> None:
    lto = CudaImage(75, "", "lto")
    assert name_devices([report(*ALL, lto)]) == {"sm_80", "sm_90a", "compute_80"}
    with pytest.raises(AuditError, match="it holds no device code"):
        pass_devices(report(lto), VARIANT, PLAN, "error")


SAID = {
    "missing": "it has no device code for sm_90a",
    "surplus": "it holds device code for sm_89, which was not planned",
    "none": "it holds no device code: the project's build skipped cuda, which was to be built for "
    "sm_80, sm_90a, compute_80",
}
IMAGES = {
    "missing": (ALL[0], ALL[2]),
    "surplus": (*ALL, CudaImage(89, "", "sass")),
    "none": (),
}


@pytest.mark.parametrize("case", SAID)
def test_differences_stop_the_stamp(case: str) -> None:
    with pytest.raises(AuditError) as caught:
        pass_devices(report(*IMAGES[case]), VARIANT, PLAN, "error")
    assert caught.value.message == f"not stamped as cu13.v3: {SAID[case]}"
    assert caught.value.exit_code == 1
    assert caught.value.hint


@pytest.mark.parametrize("case", SAID)
def test_warn_declares_nothing(case: str) -> None:
    found, said = pass_devices(report(*IMAGES[case]), VARIANT, PLAN, "warn")
    assert found == Variant(arch="x86_64")
    assert said == (SAID[case],)
    assert pass_devices(report(*ALL), VARIANT, PLAN, "warn") == (VARIANT, ())


def test_off_declares_nothing() -> None:
    assert pass_devices(report(), VARIANT, PLAN, "off") == (Variant(arch="x86_64"), ())


def test_downgrade_takes_the_label_where_there_is_no_device_code() -> None:
    found, said = pass_devices(report(), VARIANT, PLAN, "downgrade")
    assert str(found) == "v3"
    assert said == (SAID["none"], "stamped as v3 instead of cu13.v3, as the audit found")
    for case in ("missing", "surplus"):
        with pytest.raises(AuditError):
            pass_devices(report(*IMAGES[case]), VARIANT, PLAN, "downgrade")


def test_an_a_is_not_the_plain_architecture() -> None:
    """sm_90a runs on 9.0 alone; sm_90 on later ones too."""
    plain = frozenset({"sm_80", "sm_90", "compute_80"})
    assert judge_architectures(plain, PLAN) == (
        "it has no device code for sm_90a",
        "it holds device code for sm_90, which was not planned",
    )


def test_ptx_is_not_machine_code() -> None:
    swapped = frozenset({"compute_90a", "sm_80", "sm_90a"})
    assert len(judge_architectures(swapped, PLAN)) == 2


def test_several_problems_are_counted() -> None:
    with pytest.raises(AuditError, match=r"for compute_80, sm_90a \(and 1 more\)"):
        pass_devices(report(ALL[0], CudaImage(89, "", "sass")), VARIANT, PLAN, "error")


def test_device_code_that_nobody_planned() -> None:
    with pytest.raises(AuditError, match="it holds device code for compute_80, sm_80, sm_90a, and none"):  # fmt: skip # noqa: E501
        pass_devices(report(*ALL), Variant.parse("v3", "x86_64"), None, "downgrade")
    plain = Variant.parse("v3", "x86_64")
    assert pass_devices(report(), plain, None, "error") == (plain, ())


def test_editable_builds_without_new_modules_are_let_be() -> None:
    empty = AuditReport(name="x.whl", platforms=(), files=())
    assert pass_editable([empty], [], VARIANT, PLAN, "error") == ()


@pytest.mark.parametrize(
    ("policy", "stops"), [("error", True), ("downgrade", False), ("warn", False), ("off", False)]
)
def test_editable_builds_under_each_policy(policy: Policy, stops: bool) -> None:
    reports = [AuditReport(name="x.whl", platforms=(), files=()), report()]
    if stops:
        with pytest.raises(AuditError, match="what was built in place is not cu13"):
            pass_editable(reports, [], VARIANT, PLAN, policy)
    else:
        said = pass_editable(reports, [], VARIANT, PLAN, policy)
        assert said == (() if policy == "off" else (SAID["none"],))
