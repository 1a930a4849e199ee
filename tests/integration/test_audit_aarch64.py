"""AArch64 modules compiled here by a cross compiler, audited, and run under emulated processors.

qemu-aarch64 dies of SIGILL where an instruction is not there, so it says independently what the
audit must have said. GNU's disassembler is the oracle for single encodings.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from variantbuild.audit import AuditReport, audit_files, judge, judge_fit
from variantbuild.audit.aarch64.encodings import patterns
from variantbuild.binary.elf import parse_elf
from variantbuild.variant import Variant

_GCC = "aarch64-linux-gnu-gcc"
pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(shutil.which(_GCC) is None, reason=f"no {_GCC} here"),
]

_WORK = r"""
#include <stdint.h>
ATTRIBUTE __attribute__((noinline)) int work(const int8_t *a, const int8_t *b, int n) {
    int sum = 0;
    for (int i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}
"""
_PLAIN = "#define ATTRIBUTE\n" + _WORK
_START = r"""
#include <stdint.h>
static int8_t one[64] = {1, 2, 3}, two[64] = {3, 2, 1};
int PyInit_m(void) { one[5] = (int8_t)(long)two; return USE; }
"""
_ATOMIC = "int counter;\nstatic int work(void) { return __sync_fetch_and_add(&counter, 3); }\n"
_HALF = r"""
static _Float16 x = 2;
__attribute__((noinline)) static int work(void) { x = x * (_Float16)3 + x; return (int)x; }
"""
_PRODUCTS = r"""
#include <stdint.h>
__attribute__((noinline)) int work(int *a, const int *b, int n) {
    for (int i = 0; i < n; i++) a[i] = a[i] * b[i];
    return a[3];
}
static int three[64], four[64];
"""
_CHOICE = (
    _PLAIN
    + r"""
#define work work_dot
#undef ATTRIBUTE
#define ATTRIBUTE __attribute__((target("arch=armv8.2-a+dotprod")))
"""
    + _WORK.replace("#include <stdint.h>", "")
    + r"""
#undef work
#include <sys/auxv.h>
static int have = -1;
static int choose(const int8_t *a, const int8_t *b, int n) {
    if (have < 0) have = getauxval(AT_HWCAP) >> 20 & 1;
    return have ? work_dot(a, b, n) : work(a, b, n);
}
"""
)
_BESIDE = _CHOICE + (
    "static int always(const int8_t *a, const int8_t *b, int n) "
    "{ return choose(a, b, n) + work_dot(a, b, n); }\n"
)


@dataclass(frozen=True)
class Case:
    """A module: its switches, the features it needs and only carries, and which processors do."""

    source: str
    use: str
    march: str
    needs: frozenset[str]
    carries: frozenset[str]
    runs_on: frozenset[str]
    more: tuple[str, ...] = ("-mno-outline-atomics",)


_ALL = frozenset({"cortex-a53", "cortex-a76", "a64fx", "max"})
_NEWER = frozenset({"cortex-a76", "a64fx", "max"})
_DOTS = frozenset({"cortex-a76", "max"})


def _case(
    source: str,
    march: str,
    needs: str,
    runs_on: frozenset[str],
    *more: str,
    use: str = "work(one, two, 64)",
    carries: str = "",
) -> Case:
    switches = more or ("-mno-outline-atomics",)
    return Case(
        source,
        use,
        march,
        frozenset(needs.split()),
        frozenset(carries.split()),
        runs_on,
        switches,
    )


_CASES = {
    "baseline": _case(_PLAIN, "armv8-a", "", _ALL),
    "atomics": _case(_ATOMIC, "armv8.1-a", "lse", _NEWER, use="work()"),
    "outline atomics": _case(
        _ATOMIC, "armv8-a", "", _ALL, "-moutline-atomics", use="work()", carries="lse"
    ),
    "outline atomics stripped": _case(
        _ATOMIC, "armv8-a", "", _ALL, "-moutline-atomics", "-s", use="work()", carries="lse"
    ),
    "outline atomics with other code": _case(
        _ATOMIC.replace("work(", "add(") + _PLAIN,
        "armv8.2-a+dotprod+nolse",
        "dotprod",
        _DOTS,
        "-moutline-atomics",
        use="add() + work(one, two, 64)",
        carries="lse",
    ),
    "dot product": _case(_PLAIN, "armv8.2-a+dotprod", "dotprod", _DOTS),
    "half precision": _case(_HALF, "armv8.2-a+fp16", "fp16", _NEWER, use="work()"),
    "SVE": _case(_PLAIN, "armv8.2-a+sve", "sve", frozenset({"a64fx", "max"})),
    "SVE2": _case(
        _PRODUCTS,
        "armv8.2-a+sve2",
        "sve sve2",
        frozenset({"max"}),
        use="work(three, four, 64) + one[0]",
    ),
    "by hand": _case(_CHOICE, "armv8-a", "", _ALL, use="choose(one, two, 64)", carries="dotprod"),
    "by hand stripped": _case(
        _CHOICE,
        "armv8-a",
        "",
        _ALL,
        "-mno-outline-atomics",
        "-s",
        use="choose(one, two, 64)",
        carries="dotprod",
    ),
    "guard beside unguarded": _case(
        _BESIDE, "armv8-a", "dotprod", _DOTS, use="always(one, two, 64)"
    ),
}


def _build(folder: Path, case: Case) -> Path:
    source, module = folder / "m.c", folder / "m.so"
    source.write_text(case.source + _START.replace("USE", case.use), encoding="utf-8")
    switches = ["-O3", f"-march={case.march}", *case.more, "-shared", "-fPIC", "-w"]
    subprocess.run([_GCC, *switches, str(source), "-o", str(module)], check=True)
    return module


@pytest.fixture(params=list(_CASES.values()), ids=list(_CASES))
def built(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Case, Path]:
    case = request.param
    assert isinstance(case, Case)
    return case, _build(tmp_path, case)


def _audit(module: Path) -> AuditReport:
    return audit_files([module], name="the module")


def test_features_are_found(built: tuple[Case, Path]) -> None:
    case, module = built
    [file] = _audit(module).files
    assert file.code is not None
    found = {each.name: each.dispatched for each in file.code.extensions}
    assert {name for name, dispatched in found.items() if not dispatched} == case.needs
    assert {name for name, dispatched in found.items() if dispatched} == case.carries
    assert {each.needs for each in file.code.functions if not each.guarded} == case.needs


def test_emulated_processors_agree(built: tuple[Case, Path], tmp_path: Path) -> None:
    case, module = built
    root = Path("/usr/aarch64-linux-gnu")
    if shutil.which("qemu-aarch64") is None or not root.is_dir():
        pytest.skip("no qemu-aarch64 here, or no C library for it")
    main = tmp_path / "main.c"
    main.write_text("int PyInit_m(void);\nint main(void) { PyInit_m(); return 0; }\n", "utf-8")
    program = tmp_path / "main"
    subprocess.run([_GCC, str(main), str(module), "-o", str(program)], check=True)
    command = ["qemu-aarch64", "-L", str(root), "-E", f"LD_LIBRARY_PATH={tmp_path}"]
    for processor in sorted(_ALL):
        done = subprocess.run(
            [*command, "-cpu", processor, str(program)],
            capture_output=True,
            check=False,
            cwd=tmp_path,
        )
        assert (done.returncode == 0) == (processor in case.runs_on), (processor, done.stderr)


def test_declared_levels_and_names(tmp_path: Path) -> None:
    report = _audit(_build(tmp_path, _CASES["dot product"]))
    for cpu in (None, "armv8.2a", "a64fx", "cortex_a72"):
        [error] = judge_fit(report, Variant(arch="aarch64", cpu=cpu)).errors
        assert error.rule == "needs-more"
        assert "work" in error.message
        assert "dot" in error.evidence[0].text
    for cpu in ("armv8.4a", "neoverse_n1", "neoverse_v2", "armv9.0a"):
        assert judge_fit(report, Variant(arch="aarch64", cpu=cpu)).ok
    assert judge(report, Variant(arch="aarch64", cpu="armv8.4a")).evidence == ("instructions",)


def test_levels_without_instructions_of_their_own_are_shown_by_lower_ones(tmp_path: Path) -> None:
    folder = tmp_path / "told"
    folder.mkdir()
    report = _audit(_build(folder, _CASES["atomics"]))
    assert report.level == "armv8.1a"
    crc = "int more(int a) { return __builtin_aarch64_crc32b(a, 3); }\n"
    rounded = (
        "#include <arm_neon.h>\n"
        "int32x4_t round4(int32x4_t a, int32x4_t b) { return vqrdmlahq_s32(a, b, b); }\n"
    )
    case = _case(rounded + crc + _ATOMIC, "armv8.2-a", "lse", _NEWER, use="work()")
    judged = judge(_audit(_build(tmp_path, case)), Variant(arch="aarch64", cpu="armv8.2a"))
    assert judged.evidence == ("instructions",)
    assert judged.ok


_ASSEMBLY = {
    "lse": "casal w0,w1,[x2]; ldaddal x0,x1,[x2]; swpb w0,w1,[x2]; caspal x0,x1,x2,x3,[x4]; "
    "stclr w0,[x1]",
    "rdm": "sqrdmlah v0.4s,v1.4s,v2.4s; sqrdmlsh h0,h1,h2; sqrdmlah v0.4s,v1.4s,v2.s[1]",
    "crc": "crc32b w0,w1,w2; crc32cx w0,w1,x2",
    "fp16": "fadd h0,h1,h2; fmadd h0,h1,h2,h3; fsqrt h0,h1; fcmp h0,h1; frintm h0,h1; "
    "fmla v0.8h,v1.8h,v2.8h; fmul v0.8h,v1.8h,v2.h[1]; fabs v0.8h,v1.8h; scvtf h0,w1; "
    "fmov v0.8h,#1.0; fcsel h0,h1,h2,eq; fmla v0.8h,v1.8h,v2.h[3]; fmls v0.4h,v1.4h,v2.h[3]",
    "fp16fml": "fmlal v0.4s,v1.4h,v2.4h; fmlsl2 v0.4s,v1.4h,v2.4h; fmlal v0.4s,v1.4h,v2.h[1]",
    "dotprod": "sdot v0.4s,v1.16b,v2.16b; udot v0.2s,v1.8b,v2.8b; sdot v0.4s,v1.16b,v2.4b[1]",
    "i8mm": "smmla v0.4s,v1.16b,v2.16b; usmmla v0.4s,v1.16b,v2.16b; usdot v0.4s,v1.16b,v2.16b; "
    "sudot v0.4s,v1.16b,v2.4b[1]; usdot v0.4s,v1.16b,v2.4b[2]; usdot z0.s,z1.b,z2.b; "
    "smmla z0.s,z1.b,z2.b",
    "bf16": "bfdot v0.4s,v1.8h,v2.8h; bfmmla v0.4s,v1.8h,v2.8h; bfmlalb v0.4s,v1.8h,v2.8h; "
    "bfcvt h0,s1; bfcvtn v0.4h,v1.4s; bfdot v0.4s,v1.8h,v2.2h[1]; bfmlalt v0.4s,v1.8h,v2.h[1]; "
    "bfdot z0.s,z1.h,z2.h; bfcvt z0.h,p0/m,z1.s; bfmmla z0.s,z1.h,z2.h",
    "aes": "aese v0.16b,v1.16b; aesd v0.16b,v1.16b; aesmc v0.16b,v1.16b; aesimc v0.16b,v1.16b",
    "pmull": "pmull v0.1q,v1.1d,v2.1d; pmull2 v0.1q,v1.2d,v2.2d",
    "sha1": "sha1c q0,s1,v2.4s; sha1m q0,s1,v2.4s; sha1su0 v0.4s,v1.4s,v2.4s; sha1h s0,s1; "
    "sha1su1 v0.4s,v1.4s",
    "sha2": "sha256h q0,q1,v2.4s; sha256su0 v0.4s,v1.4s; sha256su1 v0.4s,v1.4s,v2.4s",
    "sha3": "eor3 v0.16b,v1.16b,v2.16b,v3.16b; rax1 v0.2d,v1.2d,v2.2d; xar v0.2d,v1.2d,v2.2d,#3; "
    "bcax v0.16b,v1.16b,v2.16b,v3.16b",
    "sha512": "sha512h q0,q1,v2.2d; sha512h2 q0,q1,v2.2d; sha512su0 v0.2d,v1.2d; "
    "sha512su1 v0.2d,v1.2d,v2.2d",
    "sm3": "sm3ss1 v0.4s,v1.4s,v2.4s,v3.4s; sm3tt1a v0.4s,v1.4s,v2.s[1]; "
    "sm3partw1 v0.4s,v1.4s,v2.4s",
    "sm4": "sm4e v0.4s,v1.4s; sm4ekey v0.4s,v1.4s,v2.4s",
    "fcma": "fcmla v0.4s,v1.4s,v2.4s,#90; fcadd v0.4s,v1.4s,v2.4s,#90; "
    "fcmla v0.4s,v1.4s,v2.s[1],#90",
    "jscvt": "fjcvtzs w0,d1",
    "lrcpc": "ldapr w0,[x1]; ldaprb w0,[x1]",
    "lrcpc2": "ldapur w0,[x1,#4]; stlurb w0,[x1,#3]",
    "flagm": "cfinv; rmif x0,#3,#5; setf8 w0",
    "flagm2": "axflag; xaflag",
    "frint": "frint32z s0,s1; frint64x d0,d1; frint64z v0.4s,v1.4s",
    "sb": "sb",
    "pauth": "retaa; braa x0,x1; blraaz x3; ldraa x0,[x1,#8]; pacia x0,x1; pacga x0,x1,x2",
    "mte": "irg x0,x1,x2; addg x0,x1,#16,#1; stg x0,[x1]",
    "sve": "ptrue p0.s; add z0.s,z1.s,z2.s; whilelo p0.s,w0,w1; fmla z0.s,p0/m,z1.s,z2.s; "
    "ld1w {z0.s},p0/z,[x0]; sdot z0.s,z1.b,z2.b; sdot z0.s,z1.b,z2.b[1]; cntw x0; "
    "fcadd z0.s,p0/m,z0.s,z1.s,#90; fmla z0.s,z1.s,z2.s[1]; mul z0.s,p0/m,z0.s,z1.s; "
    "eor z0.d,z1.d,z2.d; ext z0.b,z0.b,z1.b,#3; tbl z0.b,{z1.b},z2.b; whilelt p0.b,x0,x1",
    "sve2": "mul z0.s,z1.s,z2.s; eor3 z0.d,z0.d,z1.d,z2.d; smlalb z0.s,z1.h,z2.h; "
    "whilege p0.s,x0,x1; whilewr p0.s,x0,x1; faddp z0.s,p0/m,z0.s,z1.s; xar z0.s,z0.s,z1.s,#3; "
    "sqdmulh z0.s,z1.s,z2.s; tbl z0.b,{z1.b,z2.b},z3.b; match p0.b,p0/z,z0.b,z1.b; "
    "histcnt z0.s,p0/z,z1.s,z2.s; mla z0.s,z1.s,z2.s[1]; cmla z0.s,z1.s,z2.s,#90; "
    "sqadd z0.s,p0/m,z0.s,z1.s; fmlalb z0.s,z1.h,z2.h; fcvtnt z0.h,p0/m,z1.s; "
    "ext z0.b,{z1.b,z2.b},#3; saddlb z0.s,z1.h,z2.h",
}


@pytest.mark.parametrize(("feature", "text"), _ASSEMBLY.items(), ids=_ASSEMBLY)
def test_encodings_as_the_assembler_writes_them(feature: str, text: str, tmp_path: Path) -> None:
    source, made = tmp_path / "m.s", tmp_path / "m.o"
    head = ".arch armv8.6-a+fp16+fp16fml+crypto+sha3+sm4+sve2+memtag+i8mm+bf16\n"
    source.write_text(head + text.replace("; ", "\n") + "\n", encoding="utf-8")
    subprocess.run([_GCC, "-c", str(source), "-o", str(made)], check=True)
    data = made.read_bytes()
    section = parse_elf(data).section(".text")
    assert section is not None
    raw = data[section.offset : section.offset + section.size]
    found = dict(patterns().find(raw))
    lines = text.split("; ")
    missing = {
        line: None if 4 * i not in found else found[4 * i].feature
        for i, line in enumerate(lines)
        if 4 * i not in found or found[4 * i].feature != feature
    }
    assert missing == {}


def test_nothing_of_the_baseline_is_taken_for_more() -> None:
    """The C library is built for armv8-a; what it carries beyond is known by name."""
    library = Path("/usr/aarch64-linux-gnu/lib/libm.so.6")
    disassembler = shutil.which("aarch64-linux-gnu-objdump")
    if not library.is_file() or disassembler is None:
        pytest.skip("no C library of AArch64 here")
    data = library.read_bytes()
    section = parse_elf(data).section(".text")
    assert section is not None
    raw = data[section.offset : section.offset + section.size]
    found = {section.address + at: each for at, each in patterns().find(raw)}
    shown = subprocess.run(
        [disassembler, "-d", "-j", ".text", str(library)],
        capture_output=True,
        text=True,
        check=True,
    )
    words = re.findall(r"^ +([0-9a-f]+):\t[0-9a-f]{8} \t(\S+)", shown.stdout, re.M)
    assert len(words) > 50_000
    named = {name for at, name in words if int(at, 16) in found}
    assert named <= {"mrs"}
