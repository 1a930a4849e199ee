"""Modules of every kind: compiled here, audited, and imported on emulated CPUs.

qemu-user dies of SIGILL at an instruction that the CPU lacks, so it checks the audit's verdict
independently. qemu 7.2 has no AVX-512: nothing that needs v4 runs there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from variantbuild.audit import AuditReport, audit_files, judge, judge_fit
from variantbuild.isa.x86features import features_of
from variantbuild.variant import Variant
from workshop import SOURCES

pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(sysconfig.get_platform() != "linux-x86_64", reason="compiles for x86-64"),
]
pytest.importorskip("iced_x86", reason="the extra audit is not installed")

_PROCESSORS = {"v2": "Nehalem", "v3": "Haswell"}
_ORDER = ("v1", "v2", "v3", "v4")


@dataclass(frozen=True)
class Case:
    """A module: its source in tests/sources/x86, flags, its level, and the levels it dispatches to.

    `use` runs when the module is imported.
    """

    source: str
    use: str
    flags: tuple[str, ...]
    level: str
    dispatched: str
    compilers: tuple[str, ...] = ("gcc", "clang")
    strip: bool = False
    runs_all: bool = True


def _at(level: str, *more: str, strip: bool = False) -> Case:
    march = "x86-64" if level == "v1" else f"x86-64-{level}"
    flags = ("-O2", f"-march={march}", *more)
    return Case("plain.c", "work(in, 64)", flags, level, level, strip=strip)


_CASES = {
    "v1": _at("v1"),
    "v2": _at("v2"),
    "v3": _at("v3"),
    "v4": _at("v4"),
    "v3 stripped": _at("v3", strip=True),
    "v3 LTO": _at("v3", "-flto"),
    "v1 -O0": Case("plain.c", "work(in, 64)", ("-O0",), "v1", "v1"),
    "target_clones": Case("clones.c", "work(in, 64)", ("-O2",), "v1", "v4", ("gcc", "clang")),
    "target_clones stripped": Case(
        "clones.c", "work(in, 64)", ("-O2",), "v1", "v4", ("gcc", "clang"), strip=True
    ),
    "by hand": Case("by_hand.c", "choose(in, 64)", ("-O2",), "v1", "v4"),
    "by hand stripped": Case("by_hand.c", "choose(in, 64)", ("-O2",), "v1", "v4", strip=True),
    "ifunc": Case("ifunc.c", "choose(in, 64)", ("-O2", "-fPIC"), "v1", "v4"),
    "guard beside unguarded": Case("unguarded.c", "always(in, 64)", ("-O2",), "v4", "v4"),
    "cold AVX-512": Case(
        "cold.c", "in[3] > 1e30f ? work_rarely(in, 64) : work(in, 64)", ("-O2",), "v4", "v4",
        runs_all=False,
    ),
}  # fmt: skip
_EACH = [(name, each) for name, case in _CASES.items() for each in case.compilers]


def _build(directory: Path, compiler: str, case: Case) -> Path:
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    source, module = SOURCES / "x86" / case.source, directory / "m.so"
    include = sysconfig.get_paths()["include"]
    extra = ["-fuse-ld=lld"] if "-flto" in case.flags and compiler == "clang" else []
    command = [compiler, *case.flags, *extra, "-shared", "-fPIC", "-w", f"-I{include}"]
    command.append(f"-DUSE={case.use}")
    done = subprocess.run(
        [*command, str(source), "-o", str(module)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        if compiler == "gcc":
            pytest.fail(done.stderr)
        pytest.skip(f"this {compiler} cannot: {done.stderr.splitlines()[0]}")
    if case.strip:
        subprocess.run(["strip", str(module)], check=True)
    return module


@pytest.fixture(params=_EACH, ids=[f"{name} by {compiler}" for name, compiler in _EACH])
def built(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Case, Path]:
    name, compiler = request.param
    case = _CASES[name]
    return case, _build(tmp_path, compiler, case)


def _audit(module: Path) -> AuditReport:
    return audit_files([module], name="the module")


def test_levels_are_found(built: tuple[Case, Path]) -> None:
    case, module = built
    [file] = _audit(module).files
    assert file.code is not None
    assert (file.required, file.dispatched) == (case.level, case.dispatched)
    if case.level != "v1":
        [*needed] = file.code.needed(features_of("v1"))
        assert case.level in {each.level for each in needed}
        assert all(path.functions for each in needed for path in each.paths)


def test_emulated_cpus_agree(built: tuple[Case, Path]) -> None:
    case, module = built
    if shutil.which("qemu-x86_64") is None:
        pytest.skip("no qemu-user here")
    report = _audit(module)
    for level, processor in _PROCESSORS.items():
        command = ["qemu-x86_64", "-cpu", processor, sys.executable, "-S", "-c", "import m"]
        done = subprocess.run(command, cwd=module.parent, capture_output=True, check=False)
        needed = report.required
        fits = needed is not None and _ORDER.index(needed) <= _ORDER.index(level)
        if case.runs_all:
            assert (done.returncode == 0) == fits, done.stderr
        else:
            assert done.returncode == 0  # the cold function is not reached at import


def test_verdicts_name_the_function(tmp_path: Path) -> None:
    report = _audit(_build(tmp_path, "gcc", _CASES["v3"]))
    judgement = judge(report, Variant(arch="x86_64", cpu="v2"))
    [error] = judgement.errors
    assert error.rule == "needs-more"
    assert error.path == "m.so"
    assert "work" in error.message or "PyInit_m" in error.message
    assert judge(report, Variant(arch="x86_64", cpu="v3")).evidence == ("instructions",)


def test_flags_that_never_arrived_are_told(tmp_path: Path) -> None:
    quiet = _CASES["v1"]
    told = Case("plain.c", "0", ("-O2", "-march=x86-64-v3", "-frecord-gcc-switches"), "v1", "v1")
    noted = Case("plain.c", "work(in, 64)", ("-O2", "-Wl,-z,x86-64-v3"), "v1", "v1")
    contradicted = Case(
        "plain.c", "0", ("-O2", "-Wl,-z,x86-64-v3", "-frecord-gcc-switches"), "v1", "v1"
    )
    v3 = Variant(arch="x86_64", cpu="v3")
    rules = {}
    for name, case in {
        "quiet": quiet, "told": told, "noted": noted, "contradicted": contradicted
    }.items():  # fmt: skip
        directory = tmp_path / name
        directory.mkdir()
        judgement = judge(_audit(_build(directory, "gcc", case)), v3)
        rules[name] = {each.rule for each in judgement.findings if each.rule != "no-guard"}
    assert rules["quiet"] == {"no-evidence"}
    assert rules["noted"] == {"uses-less"}
    assert rules["contradicted"] == {"no-evidence"}
    assert "no-evidence" not in rules["told"]


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    from variantbuild.audit.x86.parallel import ParallelScan
    from variantbuild.audit.x86.scan import parts_of, scan_parts
    from variantbuild.binary.elf import parse_elf
    from variantbuild.binary.elf.loaded import Loaded
    from variantbuild.binary.elf.symbols import combine_bounds

    data = _build(tmp_path, "gcc", _CASES["by hand"]).read_bytes()
    elf = parse_elf(data)
    image = Loaded(data, elf)
    bounds = combine_bounds(data, elf, image)
    whole = scan_parts(data, bounds, parts_of(image, bounds))
    parts = [
        (span, cut, end)
        for span, start, last in parts_of(image, bounds)
        for cut, end in _cuts([start, *(x for x in bounds.starts if start < x < last), last])
    ]
    assert len(parts) > len(parts_of(image, bounds))
    apart = ParallelScan(2)(data, bounds, parts)
    assert apart == whole
    assert whole.uses
    assert whole.probes


def _cuts(places: list[int]) -> list[tuple[int, int]]:
    return list(pairwise(places))


def test_data_between_functions_is_no_code(tmp_path: Path) -> None:
    """Tables of constants in .text, as hand-written assembly has them, are not decoded."""
    evex = "0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc1"
    tables = {
        "bad": ("v1", f'-DBYTES="0x06, {evex}"'),  # 06 is not an instruction
        "data": ("v1", f'-DBYTES="{evex}"'),
        "code": ("v4", f'-DBYTES="{evex}, 0xc3"', "-DPOINTED"),
    }
    for name, (level, *options) in tables.items():
        directory = tmp_path / name
        directory.mkdir()
        case = Case("bytes.c", "work(in, 64)", ("-O2", *options), level, level)
        [file] = _audit(_build(directory, "gcc", case)).files
        assert file.level == level, name


def test_a_cpu_model_is_no_question_about_its_features(tmp_path: Path) -> None:
    case = Case("models.c", "work(in, 64)", ("-O2",), "v1", "v3")
    report = _audit(_build(tmp_path, "gcc", case))
    assert report.files[0].required == "v1"
    judgement = judge_fit(report, Variant(arch="x86_64", cpu="v2"))
    assert judgement.verdict == "unclear"
