"""Device code compared with the plan: every difference."""

from __future__ import annotations

import pytest

from audited import ALL, PLAN, device_report
from variantbuild.audit import AuditReport, judge, judge_in_place
from variantbuild.audit.judge.devicecompare import PlannedDevices, judge_planned, name_devices
from variantbuild.binary.devicecode import CudaImage
from variantbuild.isa.accelerators import Architectures
from variantbuild.variant import Variant

VARIANT = Variant.parse("cu13.v3", "x86_64")
PLANNED = PlannedDevices(architectures=PLAN)

SAID = {
    "missing": "it contains no device code for sm_90a",
    "surplus": "it contains device code for sm_89, which was not planned",
    "none": "it contains no device code: the project's build skipped cuda, which was planned for "
    "sm_80, sm_90a, compute_80",
}
IMAGES = {
    "missing": (ALL[0], ALL[2]),
    "surplus": (*ALL, CudaImage(89, "", "sass")),
    "none": (),
}


def said(*reports: AuditReport, planned: PlannedDevices = PLANNED) -> tuple[str, ...]:
    return tuple(each.message for each in judge_planned(reports, planned))


def test_what_was_planned_passes() -> None:
    assert said(device_report(*ALL)) == ()
    rocm = Architectures(kind="rocm", real=("gfx1030", "gfx90a:xnack-"))
    named = device_report(rocm=("gfx1030", "gfx90a:xnack-"))
    assert said(named, planned=PlannedDevices(architectures=rocm)) == ()


def test_lto_code_is_not_a_result() -> None:
    lto = CudaImage(75, "", "lto")
    assert name_devices([device_report(*ALL, lto)]) == {"sm_80", "sm_90a", "compute_80"}
    assert said(device_report(lto)) == (SAID["none"],)


@pytest.mark.parametrize("case", SAID)
def test_differences_are_errors(case: str) -> None:
    report = device_report(*IMAGES[case])
    assert said(report) == (SAID[case],)
    judged = judge(report, VARIANT, planned=PLANNED)
    rule = "device-absent" if case == "none" else "device-plan"
    assert [each.message for each in judged.errors if each.rule == rule] == [SAID[case]]


def test_a_label_without_device_code_is_one_error() -> None:
    errors = judge(device_report(), VARIANT, planned=PLANNED).errors
    assert [each.rule for each in errors] == ["device-absent", "no-evidence"]


def test_an_a_is_not_the_plain_architecture() -> None:
    """sm_90a runs on 9.0 only; sm_90 on later ones too."""
    assert said(device_report(ALL[0], CudaImage(90, "", "sass"), ALL[2])) == (
        "it contains no device code for sm_90a",
        "it contains device code for sm_90, which was not planned",
    )


def test_ptx_is_not_machine_code() -> None:
    assert len(said(device_report(CudaImage(90, "a", "ptx"), ALL[0], ALL[1]))) == 2


def test_device_code_that_nobody_planned() -> None:
    nothing = PlannedDevices(architectures=None)
    (text,) = said(device_report(*ALL), planned=nothing)
    assert text == "it contains device code for compute_80, sm_80, sm_90a, but none was planned"
    assert said(device_report(), planned=nothing) == ()


def test_modules_that_were_kept_count_where_they_were_planned() -> None:
    kept = PlannedDevices(architectures=PLAN, kept=frozenset({"sm_90a", "sm_75"}))
    assert said(device_report(ALL[0], ALL[2]), planned=kept) == ()
    assert said(device_report(), planned=kept) == (
        "it contains no device code for compute_80, sm_80",
    )


def test_in_place_device_code_may_lie_in_any_module() -> None:
    wheel = AuditReport(name="x.whl", platforms=(), files=())
    halves = (wheel, device_report(ALL[0]), device_report(*ALL[1:]))
    judged = judge_in_place(halves, VARIANT, planned=PLANNED)
    assert not [each for each in judged.errors if each.rule.startswith("device")]
    assert judge_in_place([wheel], VARIANT, planned=PLANNED).findings == ()
