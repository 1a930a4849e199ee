"""resolve_flags: flags by family, version, language and CPU."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from variantbuild.errors import FlagsError
from variantbuild.isa import x86flags
from variantbuild.isa.architecture import architecture, architectures
from variantbuild.isa.levels import baseline
from variantbuild.plan.flags import Flags, IsaNote, resolve_flags
from variantbuild.plan.flags.toolchains import (
    family_table,
    level_features,
    parse_version,
    writes_elf,
)
from variantbuild.probe.facts import Compiler, CompilerFamily, Language, Libc
from variantbuild.variant import Variant

SPELLED_V2 = "-mcx16 -msahf -mpopcnt -msse3 -mssse3 -msse4.1 -msse4.2"
SPELLED_V3 = f"{SPELLED_V2} -mavx -mavx2 -mbmi -mbmi2 -mf16c -mfma -mlzcnt -mmovbe -mxsave"
SPELLED_V4 = f"{SPELLED_V3} -mavx512f -mavx512bw -mavx512cd -mavx512dq -mavx512vl"


def compiler(
    family: CompilerFamily,
    version: str,
    language: Language = "c",
    target: str = "x86_64-linux-gnu",
) -> Compiler:
    command = (f"/usr/bin/{family}",)
    return Compiler(
        language=language, family=family, version=version, command=command, target=target
    )


def flags_text(
    family: CompilerFamily,
    version: str,
    cpu: str | None,
    language: Language = "c",
    target: str = "x86_64-linux-gnu",
    arch: str = "x86_64",
) -> str:
    """The flags for one language, without those that record them."""
    variant = Variant(arch=arch, cpu=cpu)
    flags = resolve_flags(variant, {language: compiler(family, version, language, target)})
    return " ".join(each for each in flags.of(language) if "record" not in each)


@pytest.mark.parametrize(
    ("family", "version", "cpu", "expected"),
    [
        ("gcc", "12.2.0", "v1", "-march=x86-64 -mtune=generic"),
        ("gcc", "12.2.0", "v3", "-march=x86-64-v3 -mtune=generic"),
        ("gcc", "11.1.0", "v4", "-march=x86-64-v4 -mtune=generic"),
        # Snapshots before 11.1 do not have the levels yet.
        ("gcc", "11.0.1", "v3", f"-march=x86-64 -mtune=generic {SPELLED_V3}"),
        # An inexact version counts as the oldest that it can be, which newer ones take as well.
        ("gcc", "11", "v3", f"-march=x86-64 -mtune=generic {SPELLED_V3}"),
        ("gcc", "10.2.1", "v2", f"-march=x86-64 -mtune=generic {SPELLED_V2}"),
        ("gcc", "9.4.0", "v4", f"-march=x86-64 -mtune=generic {SPELLED_V4}"),
        ("clang", "12", "v3", "-march=x86-64-v3 -mtune=generic"),
        ("clang", "18.1.8git", "v3", "-march=x86-64-v3 -mtune=generic"),
        ("clang", "11.1.0", "v3", f"-march=x86-64 -mtune=generic {SPELLED_V3}"),
        ("apple-clang", "15.0.0", "v2", f"-march=x86-64 -mtune=generic {SPELLED_V2}"),
        ("apple-clang", "15.0.0", "v3", f"-march=x86-64 -mtune=generic {SPELLED_V3}"),
        ("msvc", "19.38.33130", "v2", "/arch:SSE4.2"),
        ("msvc", "19.38.33130", "v3", "/arch:AVX2"),
        ("msvc", "19.38.33130", "v4", "/arch:AVX512"),
        ("icx", "2024.1.0", "v3", "-march=x86-64-v3 -mtune=generic"),
    ],
)
def test_levels(family: CompilerFamily, version: str, cpu: str, expected: str) -> None:
    assert flags_text(family, version, cpu) == expected


def test_nvhpc_spells_levels_out() -> None:
    for cpu, last in (("v2", "-msse4.2"), ("v3", "-mxsave"), ("v4", "-mavx512vl")):
        found = flags_text("nvhpc", "24.1", cpu, target="")
        assert found.startswith("-tp px -mpopcnt")
        assert found.endswith(last)


@pytest.mark.parametrize("language", ["c", "cxx", "fortran"])
def test_every_language_gets_the_processor(language: Language) -> None:
    assert flags_text("gcc", "12.2.0", "v3", language) == "-march=x86-64-v3 -mtune=generic"


@pytest.mark.parametrize(
    ("family", "version", "cpu", "expected"),
    [
        ("gcc", "12.2.0", "armv8a", "-march=armv8-a -mtune=generic"),
        ("clang", "14.0.6", "armv8a", "-march=armv8-a -mtune=generic"),
        ("apple-clang", "15.0.0", "armv8a", "-march=armv8-a -mtune=generic"),
        ("msvc", "19.38.33130", "armv8a", ""),
        ("gcc", "12.2.0", "armv8.7a", "-march=armv8.7-a -mtune=generic"),
        ("clang", "14.0.6", "armv9.3a", "-march=armv9.3-a -mtune=generic"),
        ("gcc", "6.1.0", "armv8.2a", "-march=armv8.2-a -mtune=generic"),
        ("gcc", "12.2.0", "armv9.0a", "-march=armv9-a -mtune=generic"),
        ("clang", "8.0.0", "armv8.4a", "-march=armv8.4-a -mtune=generic"),
        ("apple-clang", "15.0.0", "armv8.5a", "-march=armv8.5-a -mtune=generic"),
        ("gcc", "12.3.0", "neoverse_v2", "-mcpu=neoverse-v2"),
        ("gcc", "12.2.0", "neoverse_v2", "-march=armv9-a+i8mm+bf16 -mtune=cortex-a710"),
        ("apple-clang", "15.0.0", "m1", "-mcpu=apple-m1"),
    ],
)
def test_aarch64(family: CompilerFamily, version: str, cpu: str, expected: str) -> None:
    assert flags_text(family, version, cpu, target="aarch64-linux-gnu", arch="aarch64") == expected


@pytest.mark.parametrize(
    ("family", "version", "cpu", "expected"),
    [
        ("gcc", "12.3.0", "zen4", "-march=znver4 -mtune=znver4"),
        ("gcc", "9.4.0", "haswell", "-march=haswell -mtune=haswell"),
        ("clang", "16.0.0", "zen4", "-march=znver4 -mtune=znver4"),
        ("nvhpc", "24.1", "zen4", "-tp zen4"),
        ("icx", "2024.1.0", "haswell", "-march=haswell -mtune=haswell"),
    ],
)
def test_named_processors(family: CompilerFamily, version: str, cpu: str, expected: str) -> None:
    assert flags_text(family, version, cpu) == expected


def test_upper_bound_of_archspec_includes_its_patch_versions() -> None:
    # archspec's row `10.3:12.2` leaves 12.2.0 out, and no other row takes it.
    found = flags_text("gcc", "12.2.0", "zen4")
    assert found.startswith("-march=znver3 -mtune=znver3 -mavx512f")


@pytest.mark.parametrize("family", get_args(CompilerFamily))
def test_every_compiler_builds_for_the_arm_baseline(family: CompilerFamily) -> None:
    built_with = compiler(family, "24.1", target="aarch64-unknown-linux-gnu")
    chosen = resolve_flags(Variant(arch="aarch64", cpu="armv8a"), {"c": built_with})
    if family in ("icx", "nvhpc"):  # their flags for Arm CPUs are not known
        assert chosen.c == ()
    assert chosen.isa_note.unprotected is None


def test_warnings_of_archspec_become_notes() -> None:
    variant = Variant(arch="x86_64", cpu="zen4")
    flags = resolve_flags(variant, {"c": compiler("nvhpc", "23.3")})
    assert flags.c == ("-tp", "zen3")
    assert len(flags.notes) == 1
    assert "falling back to zen3" in flags.notes[0]


@pytest.mark.parametrize(
    ("family", "version", "cpu", "arch", "words"),
    [
        ("gcc", "4.4.7", "v3", "x86_64", ("gcc 4.4.7", "'v3'", "4.8")),
        ("clang", "3.8.0", "v2", "x86_64", ("clang 3.8.0", "'v2'", "3.9")),
        ("msvc", "19.0.24215", "v4", "x86_64", ("MSVC 19.0.24215", "'v4'", "19.11")),
        # Asked by name, archspec answers MSVC with an empty string.
        ("msvc", "19.38.33130", "zen4", "x86_64", ("MSVC", "'zen4'", "flags for levels")),
        ("gcc", "4.8.5", "zen4", "x86_64", ("gcc 4.8.5", "'zen4'", "10.3:12.2")),
        ("apple-clang", "15.0.0", "zen4", "x86_64", ("Apple clang", "'zen4'", "x86_64_v4")),
        (
            "icx",
            "2024.1.0",
            "neoverse_v2",
            "aarch64",
            ("Intel", "'neoverse_v2'", "has none"),
        ),
        ("icx", "2024.1.0", "armv8.2a", "aarch64", ("Intel", "'armv8.2a'")),
        ("nvhpc", "24.1", "armv8.2a", "aarch64", ("NVIDIA", "'armv8.2a'")),
        ("gcc", "unknown", "v3", "x86_64", ("gcc unknown", "'v3'")),
    ],
)
def test_refusals(
    family: CompilerFamily, version: str, cpu: str, arch: str, words: tuple[str, ...]
) -> None:
    with pytest.raises(FlagsError) as caught:
        flags_text(family, version, cpu, target=f"{arch}-linux-gnu", arch=arch)
    for word in (*words, f"/usr/bin/{family}"):
        assert word in caught.value.message
    assert caught.value.hint is not None


def test_compiler_for_another_machine() -> None:
    with pytest.raises(FlagsError, match=r"compiles for aarch64-linux-gnu.*'v3'.*x86_64"):
        flags_text("gcc", "12.2.0", "v3", target="aarch64-linux-gnu")
    with pytest.raises(FlagsError, match=r"compiles for i686-linux-gnu"):
        flags_text("gcc", "12.2.0", "v3", target="i686-linux-gnu")


def test_no_processor_means_no_flags() -> None:
    assert resolve_flags(Variant(arch="x86_64"), {"c": compiler("gcc", "4.4.7")}) == Flags(
        languages=("c",)
    )


@pytest.mark.parametrize("wanted", ["off", "fast"])
@pytest.mark.parametrize("family", ["gcc", "clang", "apple-clang", "msvc", "icx", "nvhpc"])
@pytest.mark.parametrize("language", ["c", "cxx", "fortran"])
def test_contraction(family: CompilerFamily, wanted: str, language: Language) -> None:
    newest = {"icx": "2024.1.0", "msvc": "19.38", "nvhpc": "24.1"}.get(family, "18.1.0")
    tool = compiler(family, newest, language)
    flags = resolve_flags(
        Variant(arch="x86_64"), {language: tool}, fp_contract="off" if wanted == "off" else "fast"
    )
    expected = {
        "msvc": {"off": "/fp:precise", "fast": "/fp:contract"}[wanted],
        "nvhpc": {"off": "-Mnofma", "fast": "-Mfma"}[wanted],
        "icx": {"off": "-no-fma", "fast": "-fma"}[wanted] if language == "fortran" else "",
    }.get(family) or f"-ffp-contract={wanted}"
    assert flags.of(language) == (expected,)


def test_older_msvc_contracts_under_precise() -> None:
    flags = resolve_flags(
        Variant(arch="x86_64"), {"c": compiler("msvc", "19.29.30133")}, fp_contract="off"
    )
    assert flags.c == ("/fp:strict",)


def test_extra_flags_come_last() -> None:
    flags = resolve_flags(
        Variant(arch="x86_64", cpu="v3"),
        {"c": compiler("gcc", "12.2.0"), "cxx": compiler("gcc", "12.2.0", "cxx")},
        extra={"c": ["-DA"], "cxx": ["-DB"], "fortran": ["-DC"], "link": ["-lm"]},
    )
    assert flags.c[-1] == "-DA"
    assert flags.cxx[-1] == "-DB"
    assert flags.fortran == ()
    assert flags.link == flags.of("link") == ("-lm",)


@pytest.mark.parametrize(
    ("family", "language", "target", "expected"),
    [
        ("gcc", "c", "x86_64-linux-gnu", "-frecord-gcc-switches"),
        ("gcc", "fortran", "x86_64-linux-gnu", "-frecord-gcc-switches"),
        ("gcc", "c", "x86_64-w64-mingw32", None),
        ("clang", "cxx", "x86_64-pc-linux-gnu", "-frecord-command-line"),
        ("clang", "fortran", "x86_64-pc-linux-gnu", None),
        ("clang", "c", "x86_64-apple-darwin22", None),
        ("apple-clang", "c", "x86_64-apple-darwin22", None),
        ("msvc", "c", "x64", None),
    ],
)
def test_flags_are_recorded_in_elf(
    family: CompilerFamily, language: Language, target: str, expected: str | None
) -> None:
    newest = "19.38" if family == "msvc" else "18.1.0"
    tool = compiler(family, newest, language, target)
    flags = resolve_flags(Variant(arch="x86_64", cpu="v3"), {language: tool})
    recorded = [each for each in flags.of(language) if "record" in each]
    assert recorded == ([expected] if expected else [])


def note_of(
    cpu: str | None,
    family: CompilerFamily = "gcc",
    *,
    arch: str = "x86_64",
    libc: Libc | None = None,
    isa_guard: bool = True,
) -> IsaNote:
    target = f"{arch}-apple-darwin" if family == "apple-clang" else f"{arch}-linux-gnu"
    tool = compiler(family, "19.38" if family == "msvc" else "18.1.0", target=target)
    variant = Variant(arch=arch, cpu=cpu)
    return resolve_flags(variant, {"c": tool}, libc=libc, isa_guard=isa_guard).isa_note


def test_note_for_levels() -> None:
    glibc = Libc(name="glibc", version=(2, 36))
    for cpu in ("v2", "v3", "v4"):
        note = note_of(cpu, libc=glibc)
        assert note == IsaNote(level=cpu)
        assert note.linker_options == ("-z", f"x86-64-{cpu}")
        assert note.driver_options == (f"-Wl,-z,x86-64-{cpu}",)


def test_nothing_to_protect() -> None:
    for cpu in (None, "v1"):
        assert note_of(cpu) == IsaNote()
    assert note_of(baseline("aarch64"), arch="aarch64") == IsaNote()
    device = Variant.parse("cu12.armv8a", "aarch64")
    cross = compiler("gcc", "12.2.0", target="aarch64-linux-gnu")
    assert resolve_flags(device, {"c": cross}).isa_note == IsaNote()
    device = Variant.parse("cu12", "x86_64")
    assert resolve_flags(device, {"c": compiler("gcc", "12.2.0")}).isa_note == IsaNote()
    assert resolve_flags(Variant(arch="x86_64", cpu="v3"), {}).isa_note == IsaNote()
    assert IsaNote().linker_options == IsaNote().driver_options == ()


@pytest.mark.parametrize(
    ("cpu", "level"),
    [
        ("haswell", "v3"),
        ("skylake", "v3"),
        ("zen3", "v3"),
        ("nehalem", "v2"),
        ("skylake_avx512", "v4"),
    ],
)
def test_the_note_protects_a_named_cpu_without_more_than_its_level(cpu: str, level: str) -> None:
    assert note_of(cpu) == IsaNote(level=level)
    assert note_of(cpu, isa_guard=False).level is None
    old = note_of(cpu, libc=Libc(name="glibc", version=(2, 31)))
    assert old.level == level
    assert "glibc 2.31" in str(old.unprotected)


@pytest.mark.parametrize(
    ("cpu", "level", "beyond"),
    [
        ("zen4", "v4", "avx512bf16"),
        ("cascadelake", "v4", "avx512vnni"),
        ("sandybridge", "v2", "avx"),
        ("piledriver", "v2", "fma4"),
    ],
)
def test_the_note_does_not_protect_what_goes_beyond_it(cpu: str, level: str, beyond: str) -> None:
    note = note_of(cpu)
    assert note.level == level
    assert f"asks for {level}, and compilers also use" in str(note.unprotected)
    assert beyond in str(note.unprotected)


def test_a_cpu_below_every_noted_level_is_unprotected() -> None:
    assert "only knows the levels" in str(note_of("core2").unprotected)
    assert note_of("core2").level is None


def test_unprotected_says_why() -> None:
    assert "'zen4'" in str(note_of("zen4").unprotected)
    assert "aarch64" in str(note_of("neoverse_v1", arch="aarch64").unprotected)
    assert "isa-guard" in str(note_of("v3", isa_guard=False).unprotected)
    assert "musl" in str(note_of("v3", libc=Libc(name="musl", version=(1, 2))).unprotected)
    for family in ("msvc", "apple-clang"):
        assert "does not write ELF" in str(
            note_of("v3", "msvc" if family == "msvc" else family).unprotected
        )
        assert note_of("v3", "msvc" if family == "msvc" else family).level is None


@pytest.mark.parametrize(
    ("family", "target", "elf"),
    [
        ("gcc", "x86_64-linux-gnu", True),
        ("gcc", "", True),
        ("clang", "x86_64-apple-macos14", False),
        ("clang", "arm64-apple-ios", False),
        ("clang", "x86_64-apple-darwin", False),
        ("gcc", "x86_64-w64-mingw32", False),
        ("gcc", "x86_64-pc-cygwin", False),
        ("clang", "x86_64-pc-windows-gnu", False),
        ("clang", "x86_64-unknown-msvc", False),
        ("gcc", "powerpc-ibm-aix7", False),
        ("clang", "wasm32-wasi", False),
        # These two write nothing else, whatever the triple says.
        ("msvc", "x64", False),
        ("apple-clang", "x86_64", False),
    ],
)
def test_object_format(family: CompilerFamily, target: str, elf: bool) -> None:
    assert writes_elf(compiler(family, "12.2.0", target=target)) is elf


@pytest.mark.parametrize(
    ("text", "version"),
    [("18.1.8git", (18, 1, 8)), ("11", (11, 0)), ("", (0, 0)), ("v2", (0, 0)), ("9.4", (9, 4))],
)
def test_version(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def test_old_glibc_is_marked_but_unprotected() -> None:
    note = note_of("v3", libc=Libc(name="glibc", version=(2, 17)))
    assert note.level == "v3"
    assert "glibc 2.17" in str(note.unprotected)
    assert note_of("v3", libc=Libc(name="glibc", version=(2, 33))) == IsaNote(level="v3")
    assert "glibc 2.32" in str(note_of("v3", libc=Libc(name="glibc", version=(2, 32))).unprotected)


@pytest.mark.parametrize("family", ["gcc", "clang", "apple-clang", "msvc", "icx", "nvhpc"])
def test_rows_are_ordered_newest_first(family: CompilerFamily) -> None:
    table = family_table(family)
    groups = [*table["levels"].values(), *table["fp_contract"].values(), table["record"]]
    for rows in groups:
        for language in ("c", "cxx", "fortran"):
            mine = [r for r in rows if language in r.get("languages", [language])]
            versions = [parse_version(row["from"]) for row in mine]
            assert versions == sorted(set(versions), reverse=True)


# gcc 15, the newest in the table, has no flag for Armv9.6-A.
@pytest.mark.parametrize(("family", "missing"), [("gcc", {"armv9.6a"}), ("clang", set())])
def test_every_level_has_flags(family: CompilerFamily, missing: set[str]) -> None:
    levels = {level.name for arch in architectures() for level in arch.levels}
    assert levels - set(family_table(family)["levels"]) == missing


def test_every_level_of_x86_64_has_features() -> None:
    _, *above = [level.name for level in architecture("x86_64").levels]
    for lower, level in itertools.pairwise(["v1", *above]):
        assert set(level_features(level)) > set(level_features(lower))
        assert x86flags.features_within(level) > x86flags.features_within(lower)


def test_features_of_levels_add_up() -> None:
    assert level_features("v1") == ()
    assert " ".join(level_features("v3")) == SPELLED_V3
    assert " ".join(level_features("v4")) == SPELLED_V4


@pytest.mark.parametrize("cpu", ["v1", "v2", "v3", "v4"])
def test_spelled_out_features_match_archspec(cpu: str) -> None:
    """The feature flags are archspec's own for gcc 10."""
    archspec = pytest.importorskip("archspec.cpu")
    name = "x86_64" if cpu == "v1" else f"x86_64_{cpu}"
    theirs = archspec.TARGETS[name].optimization_flags("gcc", "10.2").split()
    assert set(flags_text("gcc", "10.2.0", cpu).split()) == set(theirs)


def test_levels_do_not_import_archspec() -> None:
    import subprocess
    import sys
    from pathlib import Path

    import variantbuild

    backend = str(Path(variantbuild.__file__).parent.parent)
    code = f"""
import sys
sys.path.insert(0, {backend!r})
from variantbuild.plan.flags import resolve_flags
from variantbuild.probe.facts import Compiler
from variantbuild.variant import Variant
gcc = Compiler(language="c", family="gcc", version="12.2.0", command=("/usr/bin/gcc",))
print(resolve_flags(Variant(arch="x86_64", cpu="v3"), {{"c": gcc}}).c[0])
print("archspec" in sys.modules, "subprocess" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["-march=x86-64-v3", "False", "False"], done.stderr
