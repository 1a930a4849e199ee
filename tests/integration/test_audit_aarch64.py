"""AArch64 modules: compiled here by a cross compiler, audited, and run on emulated CPUs.

qemu-aarch64 dies of SIGILL at an instruction that the CPU lacks, so it checks the audit's verdict
independently. GNU's disassembler is the reference for single encodings.
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
from workshop import SOURCES

_GCC = "aarch64-linux-gnu-gcc"
# One instruction per line, all of the feature that the file is named after.
_ENCODINGS = SOURCES / "aarch64" / "encodings"
pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(shutil.which(_GCC) is None, reason=f"no {_GCC} here"),
]


@dataclass(frozen=True)
class Case:
    """A module: its source in tests/sources/aarch64, flags, features, and the CPUs that run it.

    The module runs `use`; it needs the features `needs`, and only contains `carries`.
    """

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
    flags = more or ("-mno-outline-atomics",)
    return Case(
        source,
        use,
        march,
        frozenset(needs.split()),
        frozenset(carries.split()),
        runs_on,
        flags,
    )


_CASES = {
    "baseline": _case("plain.c", "armv8-a", "", _ALL),
    "atomics": _case("atomic.c", "armv8.1-a", "lse", _NEWER, use="work()"),
    "outline atomics": _case(
        "atomic.c", "armv8-a", "", _ALL, "-moutline-atomics", use="work()", carries="lse"
    ),
    "outline atomics stripped": _case(
        "atomic.c", "armv8-a", "", _ALL, "-moutline-atomics", "-s", use="work()", carries="lse"
    ),
    "outline atomics with other code": _case(
        "atomic_and_plain.c",
        "armv8.2-a+dotprod+nolse",
        "dotprod",
        _DOTS,
        "-moutline-atomics",
        use="add() + work(one, two, 64)",
        carries="lse",
    ),
    "dot product": _case("plain.c", "armv8.2-a+dotprod", "dotprod", _DOTS),
    "half precision": _case("half.c", "armv8.2-a+fp16", "fp16", _NEWER, use="work()"),
    "SVE": _case("plain.c", "armv8.2-a+sve", "sve", frozenset({"a64fx", "max"})),
    "SVE2": _case(
        "products.c",
        "armv8.2-a+sve2",
        "sve sve2",
        frozenset({"max"}),
        use="work(three, four, 64) + one[0]",
    ),
    "by hand": _case(
        "by_hand.c", "armv8-a", "", _ALL, use="choose(one, two, 64)", carries="dotprod"
    ),
    "by hand stripped": _case(
        "by_hand.c",
        "armv8-a",
        "",
        _ALL,
        "-mno-outline-atomics",
        "-s",
        use="choose(one, two, 64)",
        carries="dotprod",
    ),
    "guard beside unguarded": _case(
        "unguarded.c", "armv8-a", "dotprod", _DOTS, use="always(one, two, 64)"
    ),
}


def _build(directory: Path, case: Case) -> Path:
    source, module = SOURCES / "aarch64" / case.source, directory / "m.so"
    flags = [
        "-O3",
        f"-DUSE={case.use}",
        f"-march={case.march}",
        *case.more,
        "-shared",
        "-fPIC",
        "-w",
    ]
    subprocess.run([_GCC, *flags, str(source), "-o", str(module)], check=True)
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
    needed = {each.feature for each in file.code.needed(frozenset())}
    assert needed == case.needs
    assert {each.feature for each in file.code.demands} - needed == case.carries
    paths = (path for each in file.code.demands for path in each.paths)
    assert {path.feature for path in paths if path.certain} == case.needs


def test_emulated_cpus_agree(built: tuple[Case, Path], tmp_path: Path) -> None:
    case, module = built
    root = Path("/usr/aarch64-linux-gnu")
    if shutil.which("qemu-aarch64") is None or not root.is_dir():
        pytest.skip("no qemu-aarch64 here, or no C library for it")
    main, program = SOURCES / "aarch64" / "main.c", tmp_path / "main"
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
    directory = tmp_path / "told"
    directory.mkdir()
    report = _audit(_build(directory, _CASES["atomics"]))
    assert report.level == "armv8.1a"
    case = _case("rounded.c", "armv8.2-a", "lse", _NEWER, use="work()")
    judged = judge(_audit(_build(tmp_path, case)), Variant(arch="aarch64", cpu="armv8.2a"))
    assert judged.evidence == ("instructions",)
    assert judged.ok


@pytest.mark.parametrize("feature", sorted(path.stem for path in _ENCODINGS.glob("*.s")))
def test_encodings_as_the_assembler_writes_them(feature: str, tmp_path: Path) -> None:
    source, made = _ENCODINGS / f"{feature}.s", tmp_path / "m.o"
    subprocess.run([_GCC, "-c", f"-I{_ENCODINGS}", source, "-o", made], check=True)
    data = made.read_bytes()
    section = parse_elf(data).section(".text")
    assert section is not None
    raw = data[section.offset : section.offset + section.size]
    found = dict(patterns().find(raw))
    lines = [line.strip() for line in source.read_text(encoding="utf-8").splitlines()[1:]]
    assert len(raw) == 4 * len(lines)
    missing = {
        line: None if 4 * i not in found else found[4 * i].feature
        for i, line in enumerate(lines)
        if 4 * i not in found or found[4 * i].feature != feature
    }
    assert missing == {}


def test_nothing_of_the_baseline_is_taken_for_more() -> None:
    """The C library is built for armv8-a; the functions with other instructions are known."""
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
