"""What files mean for a variant, from files made by hand: no decoder or compiler is needed."""

from __future__ import annotations

import struct
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path

import pytest

from audited import code, decoded, demand, needs_decoder, report
from binaries.elves import elf
from variantbuild.audit import (
    AuditReport,
    Refused,
    audit_members,
    decide,
    judge,
    judge_finished,
    judge_fit,
)
from variantbuild.audit.judge.findings import told_once
from variantbuild.audit.judge.hints import fitting_level
from variantbuild.audit.judge.wheeltags import judge_tags
from variantbuild.audit.report import NO_DECODER, NOT_FOLLOWED, FileReport
from variantbuild.binary.devicecode import DeviceCode
from variantbuild.binary.elf import parse_elf
from variantbuild.variant import Variant

DECLARED_V3 = Variant(arch="x86_64", cpu="v3")


def rules(found: AuditReport, cpu: str | None, arch: str = "x86_64") -> dict[str, str]:
    judged = judge(found, Variant(arch=arch, cpu=cpu))
    return {each.rule: each.severity for each in judged.findings}


def test_pure_wheels_have_no_findings() -> None:
    pure = audit_members([("m.py", b"pass\n")], name="m", platforms=("any",))
    assert not pure.has_machine_code
    assert rules(pure, "v3") == {}


def test_flags_and_note_that_agree_pass() -> None:
    assert rules(report("GNU C17 -march=x86-64-v3", note="v3"), "v3") in (
        {},
        {"uses-less": "warning"},  # the decoder finds no instruction there
    )


@needs_decoder
def test_less_than_declared_is_explained_by_the_evidence() -> None:
    flags, note = (
        next(
            each.message for each in judge(found, DECLARED_V3).findings if each.rule == "uses-less"
        )
        for found in (report("GNU C17 -march=x86-64-v3"), report(note="v3"))
    )
    assert flags.endswith(
        "it was compiled for v3 (the compiler recorded -march=x86-64-v3), but uses nothing more"
    )
    assert note.endswith("did the compiler flags take effect? (no flags are recorded)")


def test_code_for_more_is_an_error() -> None:
    assert rules(report("-march=x86-64-v4", note="v3"), "v3")["needs-more"] == "error"
    assert rules(report(note="v4"), "v3")["needs-more"] == "error"
    assert rules(report("-march=x86-64-v3"), None)["needs-more"] == "error"


def test_levels_that_do_not_include_each_other_are_one_finding() -> None:
    lines = ("-march=armv8.9-a", "-march=armv9-a")
    found = report(
        *(f"GNU C17 {each}" for each in lines), machine=183, platforms=("linux_aarch64",)
    )
    judged = judge(found, Variant(arch="aarch64", cpu="armv8.2a"))
    (finding,) = [each for each in judged.errors if each.rule == "needs-more"]
    shown = "its recorded -march=armv8.9-a and its recorded -march=armv9-a"
    assert finding.message == f"m.so needs armv9.4a by {shown}, more than armv8.2a has"
    assert [each.text for each in finding.evidence] == list(lines)


def test_own_native_of_a_project_is_an_error() -> None:
    assert rules(report("-march=x86-64-v3 -march=native"), "v3")["unknown-switches"] == "error"


def test_no_evidence_is_an_error() -> None:
    assert rules(report(), "v3")["no-evidence"] == "error"
    assert rules(report("GNU C17 -O2", note="v3"), "v3")["no-evidence"] == "error"


def test_the_note_alone_is_evidence_of_the_link() -> None:
    judged = judge(report(note="v3"), Variant(arch="x86_64", cpu="v3"))
    assert judged.evidence == ("note",)
    assert judged.ok


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        (("GNU C17 -march=x86-64-v4", "GNU C17 -mtune=generic"), "warning"),
        (("GNU C17 -march=x86-64-v4",), "error"),
        (("GNU C17 -march=x86-64-v4", "GNU C17 -march=x86-64-v3"), "error"),
        (("GNU C17 -march=znver9", "GNU C17 -mtune=generic"), "warning"),
    ],
)
def test_dispatching_code_was_not_all_compiled_for_more(
    lines: tuple[str, ...], severity: str
) -> None:
    asks = code(demand("avx512f", "v4", certain=None), guard="CPUID")
    found = report(*lines)
    decoded = tuple(replace(each, code=asks, unseen=None) for each in found.files)
    judged = judge(replace(found, files=decoded), Variant(arch="x86_64", cpu="v2"))
    rules = {"needs-more", "unknown-switches"}
    assert {each.severity for each in judged.findings if each.rule in rules} == {severity}


def test_without_the_decoder_the_lowest_unit_alone_is_certain() -> None:
    found = report("GNU C17 -march=x86-64-v3", "GNU C17 -march=x86-64-v3 -mavx512vl", note="v3")
    (file,) = found.files
    found = replace(found, files=(replace(file, code=None, unseen=NO_DECODER),))
    judged = judge(found, Variant(arch="x86_64"))
    assert [each.rule for each in judged.errors] == ["needs-more", "no-decoder"]
    assert judged.errors[0].message.startswith("m.so needs v3 by its recorded -march=x86-64-v3 and")
    assert judged.errors[1].message.startswith("whether m.so needs more than v3 cannot be told")
    assert fitting_level(found, Variant(arch="x86_64")) is None
    outcome = decide(Variant(arch="x86_64"), judged, "error", "repaired")
    assert isinstance(outcome, Refused)
    assert outcome.hint == "install the decoder: pip install 'variantbuild[audit]'"


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        (("GNU C17 -march=x86-64-v3", "GNU C17 -march=x86-64-v3 -mavx512vl"), "no-decoder"),
        (("GNU C17 -mavx2 -mfma", "GNU C17 -march=x86-64-v4", "GNU C17"), "no-decoder"),
        (("GNU C17 -march=x86-64-v3 -mavx512vl",), "needs-more"),
    ],
)
def test_dispatch_units_without_the_decoder_are_not_said_to_need_more(
    lines: tuple[str, ...], rule: str
) -> None:
    found = report(*lines)
    bare = replace(found.files[0], code=None, unseen=NO_DECODER)
    found = replace(found, files=(bare,))
    variant = Variant(arch="x86_64", cpu="v3")
    (error,) = judge(found, variant).errors
    assert error.rule == rule
    if rule == "no-decoder":
        assert "cannot be told without the decoder" in error.message
        refused = decide(variant, judge(found, variant), "error", "built")
        assert isinstance(refused, Refused)
        assert 'requires = ["variantbuild[audit]"' in (refused.hint or "")
        assert judge_fit(found, variant).errors


def test_a_note_is_not_evidence_where_flags_should_be_recorded() -> None:
    variant = Variant(arch="x86_64", cpu="v3")
    assert judge(report(note="v3"), variant).evidence == ("note",)
    (error,) = judge(report(note="v3"), variant, records=True).errors
    assert error.rule == "no-evidence"
    assert "the ISA note only shows the options of the linker" in error.message
    assert judge(report("GNU C17 -march=x86-64-v3", note="v3"), variant, records=True).ok


def test_a_file_that_the_flags_passed_by_is_named() -> None:
    variant = Variant(arch="x86_64", cpu="v3")
    told, bare = report("GNU C17 -march=x86-64-v3").files[0], report().files[0]
    both = replace(report(), files=(told, replace(bare, path="other.so")))
    judged = judge(both, variant, records=True)
    assert judged.ok
    assert [
        each.path for each in judged.warnings if "records no compiler flags" in each.message
    ] == ["other.so"]
    assert not [
        each
        for each in judge(both, variant).findings
        if each.path == "other.so" and each.rule == "uses-less"
    ]


def test_missing_guard_is_a_warning() -> None:
    assert rules(report("-march=x86-64-v3"), "v3")["no-guard"] == "warning"


def test_what_is_printed_as_the_level_is_expected_by_that_name() -> None:
    built = report("-march=armv8-a", machine=183, platforms=("linux_aarch64",))
    assert built.level == "armv8a"
    assert judge_fit(built, Variant.parse(built.level, "aarch64")).ok
    later = report("-march=armv8.7-a", machine=183, platforms=("linux_aarch64",))
    level = later.files[0].recorded[0].level
    assert level == "armv8.7a"
    assert judge_fit(later, Variant.parse(level, "aarch64")).ok


@pytest.mark.parametrize(
    ("number", "tag"), [(3, "manylinux_2_17_i686"), (40, "linux_armv7l"), (22, "linux_s390x")]
)
def test_the_machine_of_a_tag_is_that_of_its_files(number: int, tag: str) -> None:
    assert "wrong-machine" not in {
        each.rule for each in judge_tags(report(machine=number, platforms=(tag,)))
    }


def test_a_tag_for_two_architectures_excludes_all_others() -> None:
    tag = ("macosx_11_0_universal2",)
    assert not list(judge_tags(report(machine=183, platforms=tag)))
    assert [each.rule for each in judge_tags(report(machine=22, platforms=tag))] == [
        "wrong-machine"
    ]


def test_other_machines_are_errors() -> None:
    found = report("-march=armv8-a", machine=183, platforms=("linux_aarch64",))
    assert rules(found, "v3") == {"wrong-machine": "error"}
    assert rules(found, "armv8.2a", "aarch64")["no-evidence"] == "error"


def test_named_cpus() -> None:
    assert "no-evidence" not in rules(report("-march=znver4", note="v4"), "zen4")
    assert rules(report("-march=x86-64-v3", note="v3"), "zen4")["no-evidence"] == "error"
    assert rules(report("-march=znver4", note="v4"), "zen3")["needs-more"] == "error"


def test_tags() -> None:
    assert rules(report(platforms=("any",)), None)["code-in-any"] == "error"
    assert rules(report(platforms=("linux_aarch64",)), None)["wrong-machine"] == "error"


@pytest.mark.skipif(sysconfig.get_platform() != "linux-x86_64", reason="reads this Python")
def test_c_library_floors() -> None:
    data = Path(sys.executable).resolve().read_bytes()
    floor = parse_elf(data).glibc_floor
    if floor is None:
        pytest.skip("this Python needs no glibc")

    def rules_of(tag: str) -> set[str]:
        found = audit_members([("python", data)], name="python", platforms=(tag,))
        return {each.rule for each in judge_tags(found)}

    assert rules_of("manylinux2010_x86_64") == ({"libc-floor"} if floor > (2, 12) else set())
    assert rules_of("manylinux_2_1_x86_64") == {"libc-floor"}
    assert rules_of("musllinux_1_2_x86_64") == {"libc-floor"}
    assert rules_of("manylinux_2_99_x86_64") == set()
    assert rules_of("linux_x86_64") == set()


def test_labels_without_device_code_are_errors() -> None:
    judged = judge(report(), Variant.parse("cu12", "x86_64"))
    assert [each.rule for each in judged.errors] == ["device-code"]


def test_fit_asks_for_no_evidence() -> None:
    assert judge_fit(report(), Variant(arch="x86_64", cpu="v2")).ok
    assert not judge_fit(report(note="v3"), Variant(arch="x86_64", cpu="v2")).ok


def test_unreadable_files_are_errors() -> None:
    broken = audit_members([("m.so", elf()[:70])], name="m")
    assert rules(broken, None) == {"unreadable": "error"}


def test_other_formats_need_evidence_as_well() -> None:
    """A static library does not name the machine that it was compiled for."""
    found = audit_members([("lib.a", b"!<arch>\n")], name="m", platforms=("linux_x86_64",))
    assert rules(found, "v3") == {"static-library": "note", "no-evidence": "error"}
    assert rules(found, None) == {"static-library": "note"}


@needs_decoder
def test_what_is_not_inspected_leaves_the_verdict_open() -> None:
    lower = Variant(arch="x86_64", cpu="v3")
    known = report("-march=x86-64-v2")
    assert judge_fit(known, lower).verdict == "runs"
    for name, verdict in (("odd.so", "unclear"), ("lib.a", "runs")):
        data = b"!<arch>\n" if name == "lib.a" else b"no known format"
        other = audit_members([(name, data)], name="m", platforms=("linux_x86_64",))
        whole = replace(known, files=(*known.files, *other.files))
        assert judge_fit(whole, lower).verdict == verdict, name


def test_a_wheel_of_gpu_code_alone_names_no_cpu() -> None:
    kernels = FileReport(
        path="k.hsaco",
        format="device",
        machines=("amdgpu",),
        role="device",
        device=DeviceCode(rocm=("gfx90a",)),
    )
    wheel = AuditReport(name="m-1-py3-none-x.whl", platforms=("linux_x86_64",), files=(kernels,))
    assert rules(wheel, "v3")["no-evidence"] == "error"
    assert "no-evidence" not in rules(wheel, None)
    with_host = replace(wheel, files=(kernels, *report("-march=x86-64-v3").files))
    assert "no-evidence" not in rules(with_host, "v3")


def test_modules_that_python_may_choose_between_leave_the_verdict_open() -> None:
    needs = decoded("x86_64", "v3").files[0]
    plain = decoded("x86_64", "v1").files[0]
    v2 = Variant(arch="x86_64", cpu="v2")

    def verdict(*paths: str) -> str:
        files = (replace(needs, path=paths[0]), *(replace(plain, path=each) for each in paths[1:]))
        return judge_fit(replace(report(), files=files), v2).verdict

    assert verdict("p/fuzz_cpp_avx2.abi3.so", "p/fuzz_cpp.abi3.so") == "unclear"
    assert verdict("p/fuzz_avx2.abi3.so", "p/fuzz_sse2.abi3.so") == "unclear"
    assert verdict("p/fuzz_avx2.abi3.so", "q/fuzz.abi3.so") == "needs"
    assert verdict("p/fuzz_avx2.abi3.so") == "needs"
    assert verdict("p/fuzz.abi3.so", "p/fuzz_avx2.abi3.so") == "needs"
    guarded = (replace(needs, path="p/a_avx2.so", isa_note="v3"), replace(plain, path="p/a.so"))
    assert judge_fit(replace(report(), files=guarded), v2).verdict == "needs"


def test_a_check_that_does_not_ask_for_saved_registers_is_named() -> None:
    asked = demand("ymm", "v3", certain=False)
    file = replace(report().files[0], code=code(asked, guard="CPUID"))
    judged = judge_fit(replace(report(), files=(file,)), Variant(arch="x86_64", cpu="v2"))
    assert judged.verdict == "unclear"
    assert "not XGETBV" in judged.findings[0].message
    both = code(asked, demand("avx2", "v3", certain=False), guard="CPUID")
    file = replace(file, code=both)
    judged = judge_fit(replace(report(), files=(file,)), Variant(arch="x86_64", cpu="v2"))
    assert "XGETBV" not in judged.findings[0].message


@needs_decoder
def test_more_code_than_is_followed_is_said_so() -> None:
    left = demand("avx2", "v3", certain=False)
    path = replace(left.paths[0], root=NOT_FOLLOWED, functions=("kernel",), instruction="")
    file = replace(report().files[0], code=code(replace(left, paths=(path,)), guard="CPUID"))
    [finding] = judge_fit(
        replace(report(), files=(file,)), Variant(arch="x86_64", cpu="v2")
    ).findings
    assert finding.rule == "cannot-tell"
    assert "too much code leads to that for v3 to follow all of it (kernel)" in finding.message


def test_fat_files_are_for_each_of_their_machines() -> None:
    head = struct.pack(">II", 0xCAFEBABE, 2)
    fat = head + struct.pack(">5I5I", 0x01000007, 0, 0, 0, 0, 0x0100000C, 0, 0, 0, 0)
    found = audit_members([("m.so", fat)], name="m", platforms=("macosx_11_0_universal2",))
    for arch in ("x86_64", "aarch64"):
        assert rules(found, None, arch) == {"not-audited": "note"}
    assert rules(found, None, "ppc64le")["wrong-machine"] == "error"


def test_finished_wheels_without_a_label_may_need_more() -> None:
    found = report(note="v4")
    assert judge_finished(found, Variant(arch="x86_64")).ok
    assert not judge(found, Variant(arch="x86_64")).ok
    assert not judge_finished(found, Variant(arch="x86_64", cpu="v3")).ok


def test_what_is_the_same_for_many_files_is_told_once() -> None:
    one = report("-march=x86-64-v3", note="v3").files[0]
    files = tuple(replace(one, path=f"m{number}.so") for number in range(3))
    found = replace(report("-march=x86-64-v3", note="v3"), files=files)
    told = told_once(judge(found, Variant(arch="x86_64")).findings)
    assert [text for _, text in told] == [
        "m0.so needs v3 by its recorded -march=x86-64-v3 and its ISA note, more than v1 has "
        "(the same for 2 other files)"
    ]
    different = (*files[:1], replace(files[1], isa_note=None))
    told = told_once(judge(replace(found, files=different), Variant(arch="x86_64")).findings)
    assert len(told) == 2


def test_a_note_does_not_protect_a_named_cpu_that_uses_more() -> None:
    haswell = Variant(arch="x86_64", cpu="haswell")
    plain = report("-march=haswell", note="v3")
    (file,) = plain.files
    quiet = replace(plain, files=(replace(file, code=code()),))
    assert judge(quiet, haswell).has_isa_notes
    with_aes = code(demand("aes", None, certain=True))
    loud = judge(replace(plain, files=(replace(file, code=with_aes),)), haswell)
    assert not loud.has_isa_notes
    (said,) = [each.message for each in loud.warnings if each.rule == "no-guard"]
    assert "uses aes, which its ISA note for v3 does not ask for" in said
    checked = code(demand("aes", None, certain=None))
    assert judge(replace(plain, files=(replace(file, code=checked),)), haswell).has_isa_notes
