"""Policies: the table, what files need beyond one, and which one a wheel may claim."""

from __future__ import annotations

from itertools import pairwise

import pytest

from variantbuild.audit.linked import LinkedFile
from variantbuild.errors import AuditError, RepairError
from variantbuild.isa.architecture import architectures
from variantbuild.repair.fit import excesses, needs_grafting, resolve_policy
from variantbuild.tags.manylinux import known_policies, parse_policy


def linked(
    *versions: str,
    outside: tuple[str, ...] = (),
    path: str = "m.so",
    machine: str = "x86_64",
) -> LinkedFile:
    libraries = {"GLIBC": "libc.so.6", "GLIBCXX": "libstdc++.so.6", "CXXABI": "libstdc++.so.6"}
    pairs = tuple((libraries.get(each.partition("_")[0], "libz.so.1"), each) for each in versions)
    names = dict.fromkeys((*(library for library, _ in pairs), *outside))
    return LinkedFile(path=path, machine=machine, outside=tuple(names), versions=pairs)


MUSL = linked(outside=("libc.musl-x86_64.so.1",), path="musl.so")


def test_the_table_is_in_order_and_grows() -> None:
    policies = known_policies()
    assert policies[0].name == "manylinux_2_5"
    for lower, higher in pairwise(policies):
        assert lower.libraries <= higher.libraries
        for prefix, version in lower.ceilings.items():
            assert version <= higher.ceilings[prefix]
        major, minor = higher.ceilings["GLIBC"]
        assert higher.name == f"manylinux_{major}_{minor}"


@pytest.mark.parametrize(
    ("versions", "name"),
    [
        ((), "manylinux_2_5"),
        (("GLIBC_2.2.5",), "manylinux_2_5"),
        (("GLIBC_2.5",), "manylinux_2_5"),
        (("GLIBC_2.6",), "manylinux_2_12"),
        (("GLIBC_2.17",), "manylinux_2_17"),
        (("GLIBC_2.18",), "manylinux_2_24"),
        (("GLIBC_2.34", "GLIBC_2.2.5"), "manylinux_2_34"),
        (("GLIBC_2.17", "GLIBCXX_3.4.29"), "manylinux_2_34"),
        (("CXXABI_1.3.15",), "manylinux_2_39"),
        (("GLIBC_ABI_DT_RELR",), "manylinux_2_36"),
        (("ZLIB_1.2.9",), "manylinux_2_27"),
        (("CXXABI_FLOAT128",), "manylinux_2_24"),
    ],
)
def test_the_lowest_policy_that_fits(versions: tuple[str, ...], name: str) -> None:
    assert resolve_policy([linked(*versions)], None).name == name


@pytest.mark.parametrize(
    ("machine", "versions", "name"),
    [
        ("aarch64", (), "manylinux_2_17"),
        ("aarch64", ("GLIBC_2.17",), "manylinux_2_17"),
        ("aarch64", ("GLIBC_2.18",), "manylinux_2_24"),
        ("aarch64", ("GCC_4.8.0",), "manylinux_2_26"),
        ("aarch64", ("GCC_11.0",), "manylinux_2_34"),
        ("x86_64", ("GCC_11.0",), "manylinux_2_35"),
        ("aarch64", ("GCC_12.0.0",), "manylinux_2_39"),
        ("aarch64", ("LIBATOMIC_1.0",), "manylinux_2_17"),
        ("x86_64", ("LIBATOMIC_1.0",), "manylinux_2_24"),
        ("aarch64", ("GLIBCXX_3.4.24",), "manylinux_2_26"),
        ("x86_64", ("GLIBCXX_3.4.24",), "manylinux_2_27"),
        ("ppc64", ("GCC_12.0.0",), "manylinux_2_39"),
        ("riscv64", ("GLIBC_2.27",), "manylinux_2_31"),
        ("loongarch64", ("GLIBC_2.36",), "manylinux_2_36"),
        ("x86", (), "manylinux_2_5"),
    ],
)
def test_other_machines(machine: str, versions: tuple[str, ...], name: str) -> None:
    assert resolve_policy([linked(*versions, machine=machine)], None).name == name


def test_a_policy_from_before_a_machine() -> None:
    with pytest.raises(AuditError) as caught:
        resolve_policy([linked("GLIBC_2.17", machine="aarch64")], parse_policy("manylinux2010"))
    assert "m.so is for aarch64, for which manylinux_2_12 does not exist" in caught.value.message
    assert caught.value.hint == "the first policy for it is manylinux_2_17"


def test_every_machine_of_the_table_is_an_architecture() -> None:
    machines = {each.name for each in architectures()}
    for policy in known_policies():
        assert set(policy.others) <= machines
        assert policy.never <= set(policy.others)
    for lower, higher in pairwise(known_policies()):
        for machine in machines:
            for prefix in lower.ceilings:
                low, high = (each.ceiling(prefix, machine) for each in (lower, higher))
                assert low is not None
                assert high is not None
                assert low <= high or machine in lower.never


def test_what_was_asked_is_taken_where_it_fits_and_refused_where_not() -> None:
    assert resolve_policy([linked("GLIBC_2.17")], parse_policy("manylinux_2_28")).name == (
        "manylinux_2_28"
    )
    with pytest.raises(AuditError) as caught:
        resolve_policy([linked("GLIBC_2.34", "GLIBC_2.32")], parse_policy("manylinux_2_28"))
    assert "m.so needs GLIBC_2.34 of libc.so.6, more than manylinux_2_28 has" in str(caught.value)
    assert "(and 1 more)" in caught.value.message
    assert "--policy manylinux_2_34" in str(caught.value.hint)
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("name", ["manylinux_2_99", "manylinux_2_42", "manylinux_2_100"])
def test_a_policy_for_a_glibc_that_nobody_has_is_refused(name: str) -> None:
    with pytest.raises(RepairError) as caught:
        resolve_policy([linked("GLIBC_2.17")], parse_policy(name))
    assert f"--policy {name} is for glibc 2." in caught.value.message
    assert "need no more than manylinux_2_17" in caught.value.message
    assert "--policy manylinux_2_17" in str(caught.value.hint)


def test_a_policy_newer_than_the_table_is_taken_where_the_symbols_need_it() -> None:
    newer = parse_policy("manylinux_2_99")
    assert resolve_policy([linked("GLIBC_2.98")], newer) == newer


@pytest.mark.parametrize("version", ["GLIBC_2.99", "GLIBC_PRIVATE", "GLIBCXX_3.4.99"])
def test_more_than_any_policy(version: str) -> None:
    with pytest.raises(AuditError, match="the newest policy known"):
        resolve_policy([linked(version)], None)


def test_libraries() -> None:
    with pytest.raises(AuditError) as caught:
        resolve_policy([linked(outside=("libfoo.so.1", "libc.so.6"))], None)
    assert "m.so needs libfoo.so.1" in caught.value.message
    assert "without --tag-only" in str(caught.value.hint)
    assert resolve_policy([linked(outside=("libmvec.so.1",))], None).name == "manylinux_2_24"
    assert resolve_policy([linked(outside=("ld-linux-x86-64.so.2",))], None).name == "manylinux_2_5"


def test_musl_tells_no_policy_by_itself() -> None:
    with pytest.raises(RepairError, match="musl symbols have no versions"):
        resolve_policy([MUSL], None)
    assert resolve_policy([MUSL], parse_policy("musllinux_1_2")).name == "musllinux_1_2"
    with pytest.raises(
        AuditError, match="manylinux_2_28 is for glibc, but the files are linked with musl"
    ):
        resolve_policy([MUSL], parse_policy("manylinux_2_28"))
    with pytest.raises(
        AuditError, match="musllinux_1_2 is for musl, but the files are linked with glibc"
    ):
        resolve_policy([linked("GLIBC_2.17")], parse_policy("musllinux_1_2"))
    with pytest.raises(AuditError, match="musl.so is linked with musl and other files with glibc"):
        resolve_policy([MUSL, linked("GLIBC_2.17")], None)
    beyond = linked(outside=("libc.musl-x86_64.so.1", "libstdc++.so.6"))
    with pytest.raises(AuditError, match=r"needs libstdc\+\+.so.6"):
        resolve_policy([beyond], parse_policy("musllinux_1_2"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("manylinux2014", "manylinux_2_17"),
        ("manylinux1_x86_64", "manylinux_2_5"),
        ("manylinux_2_28_aarch64", "manylinux_2_28"),
        ("manylinux_2_29", "manylinux_2_29"),
        ("musllinux_1_1", "musllinux_1_1"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert parse_policy(text).name == name


def test_a_glibc_between_two_policies_promises_the_lower_one_for_the_rest() -> None:
    policy = parse_policy("manylinux_2_30")
    assert excesses(policy, [linked("GLIBC_2.30", "GLIBCXX_3.4.24")]) == ()
    assert len(excesses(policy, [linked("GLIBC_2.31", "GLIBCXX_3.4.25")])) == 2


@pytest.mark.parametrize("text", ["", "linux", "manylinux", "manylinux_2", "many_2_17", "v3"])
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(RepairError, match="is not a policy"):
        parse_policy(text)
    with pytest.raises(RepairError, match="older than any policy"):
        parse_policy("manylinux_2_4")


@pytest.mark.parametrize("text", ["manylinux_1_17", "manylinux_3_0", "manylinux_9_9"])
def test_a_glibc_that_does_not_exist(text: str) -> None:
    with pytest.raises(RepairError, match=f"'{text}' is for glibc ., which does not exist"):
        parse_policy(text)


def test_what_needs_grafting() -> None:
    assert not needs_grafting([linked("GLIBC_2.17", outside=("libstdc++.so.6",)), MUSL])
    assert needs_grafting([linked("GLIBC_2.17"), linked(outside=("libfoo.so.1",))])
    assert needs_grafting([linked(outside=("libz.so.1",))])
