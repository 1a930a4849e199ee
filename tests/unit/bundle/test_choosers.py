"""Tables of copies, the ELF file without code, and what a stub asks the CPU."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from variantbuild.binary.choosers import Chooser, Copy, read_chooser
from variantbuild.binary.elf import parse_elf
from variantbuild.bundle.codeless import render_codeless
from variantbuild.bundle.cpuquestions import (
    order_demands,
    questions_for,
    resolve_demand,
    states_for,
)
from variantbuild.bundle.stubs import Stub, accepted_levels, render_table
from variantbuild.errors import BundleError

#: archspec before 0.2.7 leaves out features (sse3, lahf_lm) and AMX.
COMPLETE_ARCHSPEC = tuple(map(int, version("archspec").split(".")[:3])) >= (0, 2, 7)
complete_archspec = pytest.mark.skipif(
    not COMPLETE_ARCHSPEC, reason="archspec before 0.2.7 lists too few features"
)

TABLE = Chooser(
    method="stub",
    copies=(
        Copy(label="v3", file="core.so.v3", libraries=("../lib/libx.so.v3",)),
        Copy(label="v1", file="core.so.v1"),
    ),
)

_words = st.text(st.characters(codec="utf-8", exclude_characters="\t\n\0"), min_size=1)
_copies = st.builds(Copy, label=_words, file=_words, libraries=st.lists(_words).map(tuple))


@given(
    st.builds(
        Chooser,
        method=st.sampled_from(("loader", "stub")),
        copies=st.lists(_copies, min_size=1).map(tuple),
    )
)
def test_a_table_is_read_as_it_was_written(chooser: Chooser) -> None:
    assert Chooser.parse(str(chooser)) == chooser


@pytest.mark.parametrize(
    "text",
    [
        "",
        "variantbuild bundle 2 stub\nv1\ta\n",
        "variantbuild bundle 1 other\nv1\ta\n",
        "variantbuild bundle 1 stub\n",
        "variantbuild bundle 1 stub\nv1\n",
        "variantbuild bundle 1 stub\nv1\ta",
        "variantbuild bundle 1 stub\n\ta\n",
    ],
)
def test_other_text_is_no_table(text: str) -> None:
    with pytest.raises(ValueError, match="table"):
        Chooser.parse(text)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_file_without_code(machine: str) -> None:
    data = render_codeless(
        machine,
        needed=("a.so.1", "libm.so.6"),
        run_paths=("$ORIGIN", "$ORIGIN/../x.libs"),
        table=str(TABLE).encode(),
        soname="own.so",
    )
    elf = parse_elf(data)
    assert (elf.machine, elf.kind, elf.soname) == (machine, "shared", "own.so")
    assert elf.needed == ("a.so.1", "libm.so.6")
    assert elf.run_paths == ("$ORIGIN", "$ORIGIN/../x.libs")
    assert not any(each.executable for each in elf.sections)
    assert not any(each.executable for each in elf.segments)
    assert read_chooser(elf, data) == TABLE


def test_a_file_with_another_section_of_that_name() -> None:
    data = render_codeless("x86_64", needed=(), run_paths=(), table=b"something else")
    assert read_chooser(parse_elf(data), data) is None


@complete_archspec
def test_the_most_demanding_comes_first() -> None:
    demands = [resolve_demand("x86_64", name) for name in ("v1", "v4", "zen4", "v2", "v3")]
    assert [each.label for each in order_demands(demands)] == ["zen4", "v4", "v3", "v2", "v1"]


@complete_archspec
def test_each_level_asks_for_all_below_it() -> None:
    def bits(label: str) -> set[tuple[int, int, int, int]]:
        demand = resolve_demand("x86_64", label)
        return {
            (each.leaf, each.subleaf, each.word, bit)
            for each in questions_for("x86_64", demand)
            for bit in range(64)
            if each.mask >> bit & 1
        }

    assert bits("v1") == set() < bits("v2") < bits("v3") < bits("v4") < bits("zen4")
    # Intel's manual, volume 2, table 3-8: CPUID.(7, 0):EBX bit 5 is AVX2, bit 16 AVX512F.
    assert (7, 0, 1, 5) in bits("v3")
    assert (7, 0, 1, 16) in bits("v4") - bits("v3")
    assert (0x80000001, 0, 2, 5) in bits("v3")  # LZCNT


@complete_archspec
def test_states_that_the_system_must_save() -> None:
    states = {
        name: states_for("x86_64", resolve_demand("x86_64", name))
        for name in ("v2", "v3", "v4", "sapphirerapids")
    }
    assert states == {"v2": 0, "v3": 6, "v4": 0xE6, "sapphirerapids": 0x600E6}


@complete_archspec
def test_a_vendor_is_asked_for_with_names_only() -> None:
    assert resolve_demand("x86_64", "zen4").vendor == "AuthenticAMD"
    assert resolve_demand("x86_64", "v4").vendor is None
    assert resolve_demand("aarch64", "neoverse_v2").vendor is None


@complete_archspec
def test_every_cpu_of_archspec_can_be_asked_for() -> None:
    from archspec.cpu import TARGETS

    refused = set()
    for name, target in TARGETS.items():
        arch = target.family.name
        if arch in ("x86_64", "aarch64") and target.vendor != "generic":
            try:
                assert questions_for(arch, resolve_demand(arch, name))
            except BundleError as error:
                refused.add(f"{name}: {error.message}")
    assert {each for each in refused if "ls64" not in each and "any of" not in each} == set()


@pytest.mark.skipif(COMPLETE_ARCHSPEC, reason="only with archspec before 0.2.7")
def test_incomplete_features_are_refused() -> None:
    with pytest.raises(BundleError, match=r"too few features of zen4.*lahf_lm") as caught:
        resolve_demand("x86_64", "zen4")
    assert caught.value.hint == "install archspec 0.2.7 or newer"
    assert resolve_demand("x86_64", "v4").features > resolve_demand("x86_64", "v3").features


@pytest.mark.parametrize("level", ["armv8.7a", "armv9.4a"])
def test_a_level_that_no_program_can_check(level: str) -> None:
    with pytest.raises(BundleError, match="no program can check"):
        resolve_demand("aarch64", level)


@complete_archspec
def test_levels_that_may_be_asked_for() -> None:
    demands = order_demands([resolve_demand("x86_64", name) for name in ("v1", "v3", "zen4")])
    assert [each.label for each in demands] == ["zen4", "v3", "v1"]
    assert dict(accepted_levels("x86_64", demands)) == {
        "v1": 0b100,
        "v2": 0b100,
        "v3": 0b110,
        "v4": 0b110,
        "zen4": 0b111,
    }


def test_text_in_a_table_is_quoted() -> None:
    demands = (resolve_demand("x86_64", "v1"),)
    chooser = Chooser(method="stub", copies=(Copy(label="v1", file='a"\\\u00fc??/.so'),))
    stub = Stub(
        module="m",
        arch="x86_64",
        inits=("PyInit_m",),
        chooser=chooser,
        demands=demands,
        is_musl=False,
    )
    assert r'"a\042\134\303\274\077\077/.so"' in render_table(stub)
