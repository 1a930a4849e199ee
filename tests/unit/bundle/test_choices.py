"""Which copies a module gets: folded levels, libraries that go with it, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from variantbuild.binary.elf import Elf, parse_elf
from variantbuild.bundle.choices import Row, choose_copies
from variantbuild.bundle.codeless import render_codeless
from variantbuild.bundle.compared import Code, Compared, Contents
from variantbuild.bundle.cpuquestions import Demand, order_demands, resolve_demand
from variantbuild.bundle.methods import resolve_method
from variantbuild.errors import BundleError

LEVELS = ("v4", "v3", "v1")
DEMANDS = order_demands([resolve_demand("x86_64", name) for name in LEVELS])


def elf(*needed: str, soname: str | None = None, floor: str | None = None) -> Elf:
    data = render_codeless("x86_64", needed=needed, run_paths=(), table=b"", soname=soname)
    parsed = parse_elf(data)
    if floor is None:
        return parsed
    from variantbuild.binary.elf import VersionNeed

    return replace(
        parsed, version_needs=(VersionNeed(library="libc.so.6", versions=(f"GLIBC_{floor}",)),)
    )


def contents(**files: tuple[str, Elf]) -> tuple[Contents, ...]:
    """Return the wheels for LEVELS: each file with the digests per level as one word (`abc`)."""
    made = []
    for number, level in enumerate(LEVELS):
        codes = {}
        for name, (digests, parsed) in files.items():
            kind = "library" if name.startswith("lib") else "module"
            codes[name] = Code(
                name=name,
                kind="library" if kind == "library" else "module",
                elf=parsed,
                inits=(),
                digest=digests[number],
            )
        digests_of = {name: code.digest for name, code in codes.items()}
        names = {name: name for name in codes}
        made.append(Contents(label=level, codes=codes, digests=digests_of, files=names))
    return tuple(made)


def compared(wheels: tuple[Contents, ...]) -> Compared:
    codes = wheels[-1].codes
    return Compared(
        modules=tuple(name for name, code in codes.items() if code.kind == "module"),
        libraries=tuple(name for name, code in codes.items() if code.kind == "library"),
        extra=(),
        notes=(),
    )


def rows(**files: tuple[str, Elf]) -> tuple[Row, ...]:
    wheels = contents(**files)
    choices = choose_copies(wheels, compared(wheels), DEMANDS)
    return next(choice for choice in choices if choice.name == "m").rows


@pytest.mark.parametrize(
    ("digests", "labels"),
    [
        ("abc", ["v4", "v3", "v1"]),
        ("aac", ["v3", "v1"]),
        ("abb", ["v4", "v1"]),
        ("aba", ["v4", "v3", "v1"]),
        ("aaa", ["v1"]),
    ],
)
def test_levels_with_the_same_code(digests: str, labels: list[str]) -> None:
    assert [row.label for row in rows(m=(digests, elf()))] == labels


def test_a_copy_that_is_the_baselines_again() -> None:
    assert [row.source for row in rows(m=("aba", elf()))] == ["v1", "v3", "v1"]


def test_a_module_that_is_the_same_but_links_a_library_that_is_not() -> None:
    linked = rows(m=("aaa", elf("libx")), libx=("ppq", elf(soname="libx")))
    assert linked == (
        Row(label="v3", source="v1", libraries=(("libx", "v3"),)),
        Row(label="v1", source="v1"),
    )


def test_libraries_come_after_those_that_they_link() -> None:
    found = rows(
        m=("aaa", elf("libx", "liby")),
        libx=("abc", elf("liby", soname="libx")),
        liby=("abc", elf(soname="liby")),
    )
    assert [name for name, _ in found[0].libraries] == ["liby", "libx"]


def test_libraries_that_link_each_other_end() -> None:
    found = rows(
        m=("aaa", elf("libx")),
        libx=("abc", elf("liby", soname="libx")),
        liby=("abc", elf("libx", soname="liby")),
    )
    assert {name for name, _ in found[0].libraries} == {"libx", "liby"}


def test_a_library_that_is_loaded_by_its_path() -> None:
    with pytest.raises(BundleError, match="libx differs .* loaded by its path"):
        rows(m=("abc", elf()), libx=("abc", elf(soname="libx")))


def test_a_module_that_another_links() -> None:
    with pytest.raises(BundleError, match="n links the module m"):
        rows(m=("abc", elf(soname="m")), n=("aaa", elf("m")))


@pytest.mark.parametrize(
    ("platform", "floor", "method"),
    [
        ("linux_x86_64", None, "stub"),
        ("linux_x86_64", "2.17", "stub"),
        ("linux_x86_64", "2.33", "loader"),
        ("manylinux_2_28_x86_64", "2.4", "stub"),
        ("manylinux_2_34_x86_64", "2.4", "loader"),
        ("musllinux_1_2_x86_64", None, "stub"),
    ],
)
def test_the_loader_chooses_where_every_glibc_can(
    platform: str, floor: str | None, method: str
) -> None:
    wheels = contents(m=("abc", elf(floor=floor)))
    choices = choose_copies(wheels, compared(wheels), DEMANDS)
    chosen = resolve_method("auto", [platform], wheels, compared(wheels), choices, DEMANDS)
    assert chosen.method == method


def test_two_platforms_admit_the_older_glibc() -> None:
    wheels = contents(m=("abc", elf()))
    choices = choose_copies(wheels, compared(wheels), DEMANDS)
    platforms = ["manylinux_2_17_x86_64", "manylinux_2_34_x86_64"]
    chosen = resolve_method("auto", platforms, wheels, compared(wheels), choices, DEMANDS)
    assert chosen.method == "stub"


def test_the_loader_knows_no_names() -> None:
    baseline = resolve_demand("x86_64", "v1")
    zen4 = Demand(label="zen4", features=frozenset({"avx512f"}), vendor="AuthenticAMD")
    demands = order_demands([zen4, baseline])
    wheels = tuple(
        replace(each, label=label)
        for each, label in zip(contents(m=("abc", elf()))[:2], ("zen4", "v1"), strict=True)
    )
    choices = choose_copies(wheels, compared(wheels), demands)
    with pytest.raises(BundleError, match="no directory for zen4"):
        resolve_method("loader", ["linux_x86_64"], wheels, compared(wheels), choices, demands)
