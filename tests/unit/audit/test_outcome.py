"""What a judgement leads to: every policy, for builds, editable builds and finished wheels."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audited import ALL, PLAN, decoded, device_report, report
from variantbuild.audit import (
    AuditReport,
    Outcome,
    Policy,
    Product,
    Refused,
    Stamped,
    Unstamped,
    decide,
    judge,
    judge_fit,
)
from variantbuild.audit.judge.devicecompare import PlannedDevices
from variantbuild.audit.judge.hints import fitting_level
from variantbuild.binary.devicecode import CudaImage
from variantbuild.variant import Variant

V3 = Variant(arch="x86_64", cpu="v3")
CUDA = Variant.parse("cu13", "x86_64")
PLANNED = PlannedDevices(architectures=PLAN)
EMPTY = AuditReport(name="m-1-py3-none-any.whl", platforms=("any",), files=())
SKIPPED = (
    "it contains no device code: the project's build skipped cuda, which was planned for "
    "sm_80, sm_90a, compute_80"
)


def outcome(
    found: AuditReport,
    variant: Variant = V3,
    policy: Policy = "error",
    product: Product = "built",
    planned: PlannedDevices | None = None,
) -> Outcome:
    return decide(variant, judge(found, variant, planned=planned), policy, product)


def refused(given: Outcome) -> Refused:
    assert isinstance(given, Refused)
    assert given.error().exit_code == 1
    return given


def unstamped(given: Outcome) -> Unstamped:
    assert isinstance(given, Unstamped)
    return given


def stamped(given: Outcome) -> Stamped:
    assert isinstance(given, Stamped)
    return given


def test_what_was_asked_is_stamped() -> None:
    found = stamped(outcome(report("-march=x86-64-v3", note="v3")))
    assert found.variant == V3


@pytest.mark.parametrize("policy", ["error", "downgrade"])
@pytest.mark.parametrize("product", ["built", "editable", "stamped", "repaired"])
def test_needing_more_is_refused(policy: Policy, product: Product) -> None:
    given = refused(outcome(report("-march=x86-64-v4"), policy=policy, product=product))
    subject = "what was built in place is not" if product == "editable" else "not stamped as"
    assert given.error().message.startswith(f"{subject} v3: m.so needs v4 by its recorded")
    if product in ("built", "editable"):
        assert "flags of its own, appended after ours (-march=x86-64-v4)" in given.hint
        assert "`override-march = true` replaces" in given.hint
    else:
        # With only the wheel, users cannot change the flags or the `audit` setting.
        assert "flags" not in given.hint
        assert "warn" not in given.hint


def test_the_project_s_flags_are_in_the_hint_where_instructions_show_it_first() -> None:
    """The hint comes from the evidence of a finding, not from its sentence."""
    judged = judge(report("-march=x86-64-v4", note="v4"), V3)
    given = refused(decide(V3, judged, "error", "built"))
    assert "(-march=x86-64-v4)" in given.hint
    note_alone = refused(outcome(report(note="v4")))
    assert "flags of its own" not in note_alone.hint


def test_code_above_the_baseline_is_refused_without_a_label() -> None:
    baseline = Variant(arch="x86_64")
    given = refused(outcome(report(note="v3"), baseline, product="repaired"))
    assert given.error().message.startswith("not for every x86_64 CPU: m.so needs v3")
    v1 = Variant(arch="x86_64", cpu="v1")
    assert refused(outcome(report(note="v3"), v1, "downgrade"))
    # A build without a requested CPU does not check the CPU.
    assert unstamped(outcome(report(note="v3"), baseline)).why == "nothing-asked"


def test_no_evidence_is_refused_or_lowered() -> None:
    given = refused(outcome(report("-march=x86-64-v2")))
    assert "nothing in the files" in given.error().message
    assert "CFLAGS" in given.hint
    lowered = outcome(report("-march=x86-64-v2"), policy="downgrade")
    if isinstance(lowered, Stamped):  # without a decoder, the recorded flags say what is needed
        assert lowered.variant.cpu == "v2"
        assert lowered.warnings[-1] == "stamped as v2 instead of v3, according to the audit"
    else:
        assert unstamped(lowered).why == "baseline"
        assert "the audit found code for the baseline instead of v3" in unstamped(lowered).reason


@pytest.mark.parametrize(
    ("asked", "found", "stamp"),
    [
        ("armv8.2a", "armv8a", None),
        ("armv8.4a", "armv8.1a", "armv8.1a"),
        ("armv9.0a", "armv8.4a", "armv8.4a"),
        # No instruction shows armv8.2a.
        ("armv8.2a", "armv8.1a", "armv8.2a"),
    ],
)
def test_downgrade_on_aarch64(asked: str, found: str, stamp: str | None) -> None:
    variant = Variant(arch="aarch64", cpu=asked)
    given = outcome(decoded("aarch64", found), variant, "downgrade")
    if stamp is None:
        assert unstamped(given).why == "baseline"
    else:
        assert stamped(given).variant == Variant(arch="aarch64", cpu=stamp)


def test_recorded_baseline_flags_on_aarch64_get_no_stamp() -> None:
    built = report("-march=armv8-a", machine=183, platforms=("linux_aarch64",))
    given = outcome(built, Variant(arch="aarch64", cpu="armv8.2a"), "downgrade")
    assert unstamped(given).why == "baseline"


@pytest.mark.parametrize(
    ("arch", "levels"),
    [
        ("x86_64", ["v1", "v2", "v3", "v4"]),
        ("aarch64", ["armv8a", "armv8.1a", "armv8.4a", "armv9.0a"]),
    ],
)
def test_levels_in_reports_are_targets_to_expect(arch: str, levels: list[str]) -> None:
    for level in levels:
        found = decoded(arch, level)
        assert found.level == level
        assert Variant.parse(level, arch).cpu == level
        if arch == "x86_64":
            assert judge_fit(found, Variant.parse(level, arch)).ok


def test_a_downgrade_does_not_excuse_more() -> None:
    found = device_report(ALL[0], CudaImage(89, "", "sass"))
    given = refused(outcome(found, CUDA, "downgrade", planned=PLANNED))
    assert "(and 1 more)" in given.error().message
    assert "for compute_80, sm_90a" in given.error().message
    assert "architectures" in given.hint


MISSING = ((ALL[0], ALL[2]), "it contains no device code for sm_90a")
SURPLUS = (
    (*ALL, CudaImage(89, "", "sass")),
    "it contains device code for sm_89, which was not planned",
)


@pytest.mark.parametrize(("images", "said"), [MISSING, SURPLUS])
@pytest.mark.parametrize("policy", ["error", "downgrade"])
def test_other_device_code_than_planned_is_refused(
    images: tuple[CudaImage, ...], said: str, policy: Policy
) -> None:
    given = refused(outcome(device_report(*images), CUDA, policy, planned=PLANNED))
    assert given.error().message == f"not stamped as cu13: {said}"
    assert given.hint


@pytest.mark.parametrize(("images", "said"), [MISSING, SURPLUS])
def test_other_device_code_than_planned_is_published_by_warn(
    images: tuple[CudaImage, ...], said: str
) -> None:
    given = unstamped(outcome(device_report(*images), CUDA, "warn", planned=PLANNED))
    assert given.why == "warn"
    assert said in given.warnings
    fine = stamped(outcome(device_report(*ALL), CUDA, "warn", planned=PLANNED))
    assert (fine.variant, fine.warnings) == (CUDA, ())


def test_a_skipped_accelerator_is_lowered() -> None:
    lowered = unstamped(outcome(device_report(), CUDA, "downgrade", planned=PLANNED))
    note = "not stamped: the audit found code for the baseline instead of cu13"
    assert lowered.warnings == (SKIPPED, note)
    both = Variant.parse("cu13.v3", "x86_64")
    less = stamped(outcome(decoded("x86_64", "v3"), both, "downgrade", planned=PLANNED))
    assert less.variant == V3
    assert less.warnings[-1] == "stamped as v3 instead of cu13.v3, according to the audit"
    more = refused(outcome(decoded("x86_64", "v4"), both, "downgrade", planned=PLANNED))
    assert "needs v4" in more.error().message


def test_a_skipped_accelerator_is_refused() -> None:
    given = refused(outcome(device_report(), CUDA, planned=PLANNED))
    assert given.error().message == f"not stamped as cu13: {SKIPPED}"
    assert refused(outcome(EMPTY, CUDA, planned=PLANNED)).error().message.endswith(SKIPPED)


def test_device_code_that_nobody_planned_is_refused_whatever_the_cpu() -> None:
    nothing = PlannedDevices(architectures=None)
    given = refused(outcome(device_report(*ALL), Variant(arch="x86_64"), planned=nothing))
    assert "none was planned" in given.error().message


@pytest.mark.parametrize("product", ["built", "editable"])
def test_warn_publishes_without_a_stamp(product: Product) -> None:
    given = unstamped(outcome(report(), policy="warn", product=product))
    assert any("nothing in the files shows" in each for each in given.warnings)
    note = "the wheel is not stamped as v3: `audit` is warn"
    assert (note in given.warnings) is (product == "built")
    fine = outcome(report("-march=x86-64-v3", note="v3"), policy="warn")
    assert stamped(fine).variant == V3


def test_off_looks_at_nothing() -> None:
    given = unstamped(decide(V3, None, "off", "built"))
    assert given.why == "off"
    assert given.warnings == ()
    assert unstamped(outcome(report("-march=x86-64-v4"), policy="off")).warnings == ()


@pytest.mark.parametrize("policy", ["error", "downgrade", "warn"])
def test_no_machine_code_gets_no_stamp(policy: Policy) -> None:
    assert unstamped(outcome(EMPTY, policy=policy)).why == "no-machine-code"


@pytest.mark.parametrize(
    ("policy", "stops"), [("error", True), ("downgrade", False), ("warn", False), ("off", False)]
)
def test_editable_builds_under_each_policy(policy: Policy, stops: bool) -> None:
    given = outcome(device_report(), CUDA, policy, "editable", PLANNED)
    if stops:
        assert refused(given).error().message.startswith("what was built in place is not cu13: it")
    else:
        assert unstamped(given).warnings == (() if policy == "off" else (SKIPPED,))


@pytest.mark.parametrize("product", ["stamped", "repaired"])
def test_hints_for_a_finished_wheel_do_not_speak_of_the_build(product: Product) -> None:
    no_evidence = refused(outcome(report("-march=x86-64-v2"), product=product))
    assert no_evidence.hint == (
        "build it for v3 from its sources: variantbuild build SRC --target v3"
    )
    native = refused(outcome(report("-march=native"), product=product))
    assert "name in labels" in native.hint
    for given in (no_evidence, native):
        assert "CFLAGS" not in given.hint
        assert 'audit = "' not in given.hint


def test_one_fact_is_told_once() -> None:
    """Instructions, recorded flags and ISA note that show the same are one finding."""
    v1 = Variant(arch="x86_64")
    judged = judge(report("-march=x86-64-v3", note="v3"), v1)
    (needs,) = judged.errors
    assert needs.message == (
        "m.so needs v3 by its recorded -march=x86-64-v3 and its ISA note, more than v1 has"
    )
    assert [each.source for each in needs.evidence] == ["switches", "note"]


def test_the_highest_of_several_needs_is_told() -> None:
    judged = judge(
        report("-march=x86-64-v3", "-march=x86-64-v4", note="v3"), Variant(arch="x86_64")
    )
    (needs,) = judged.errors
    assert needs.message.startswith("m.so needs v4 by its recorded -march=x86-64-v4, more than")
    assert len(needs.evidence) == 2


def test_the_label_that_fits_is_known() -> None:
    assert fitting_level(report("-march=x86-64-v3", note="v3"), Variant(arch="x86_64")) == "v3"
    assert fitting_level(report("-march=native"), V3) is None


def test_a_tag_without_a_machine_is_refused() -> None:
    for tag in ("manylinux2014", "manylinux_2_28", "musllinux_1_2", "linux"):
        found = replace(report("-march=x86-64-v3", note="v3"), platforms=(tag,))
        given = refused(outcome(found))
        assert f"the platform tag {tag} has no machine" in given.error().message
        assert f"{tag}_x86_64" in given.error().message


def test_a_tag_for_an_older_glibc_is_refused_without_a_target_too() -> None:
    found = report("-march=x86-64")
    (file,) = found.files
    newer = replace(file, glibc_floor=(2, 34))
    for tag in ("manylinux2014_x86_64", "manylinux_2_28_x86_64", "musllinux_1_2_x86_64"):
        tagged = replace(found, platforms=(tag,), files=(newer,))
        given = refused(outcome(tagged, Variant(arch="x86_64")))
        assert given.error().message.startswith("m.so needs glibc 2.34")
        assert "variantbuild repair" in given.hint


@pytest.mark.parametrize("policy", ["error", "warn", "downgrade"])
def test_files_for_another_machine_are_told_without_a_target_too(policy: Policy) -> None:
    """As in a 32-bit personality, where setuptools tags 64-bit modules linux_i686."""
    for tag, text in (
        ("linux_i686", "m.so is for x86_64, but the tag says linux_i686"),
        ("any", "is tagged `any`, but contains machine code: m.so"),
    ):
        found = replace(report(), platforms=(tag,))
        given = outcome(found, Variant(arch="x86_64", cpu=None), policy)
        assert text in " ".join(unstamped(given).warnings)
