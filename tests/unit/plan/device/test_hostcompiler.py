"""nvcc's host compiler: taken as it is, replaced by a permitted one, or refused by name."""

from __future__ import annotations

import dataclasses

import pytest

from hosts.recorded import RecordedHost
from variantbuild.errors import AcceleratorError
from variantbuild.host import Completed
from variantbuild.plan.device.hostcompiler import HostCompiler, choose_host_compiler, limit
from variantbuild.probe.gpu.gpufacts import Toolkit

QUESTION = ("-dM", "-E", "-x", "c++", "/dev/null")


def toolkit(major: int, minor: int) -> Toolkit:
    return Toolkit(
        kind="cuda",
        version=(major, minor),
        release="",
        root="",
        compiler="",
        include="",
        libraries="",
    )


def machine(**compilers: str) -> RecordedHost:
    """A machine whose PATH has the named compilers; `gcc 14` or `clang 18` is what each is."""
    host = RecordedHost(env={"PATH": "/usr/bin"})
    for name, told in compilers.items():
        family, _, major = told.partition(" ")
        macros = f"#define __GNUC__ {major if family == 'gcc' else 4}\n"
        if family == "clang":
            macros = f"#define __clang_major__ {major}\n" + macros
        path = "/usr/bin/" + name.replace("_", "-").replace("xx", "++")
        answer = Completed(argv=(path, *QUESTION), status=0, stdout=macros, stderr="")
        host = host.with_program(path, {QUESTION: answer})
    return host


def test_a_permitted_compiler_is_left_to_nvcc() -> None:
    host = machine(gxx="gcc 12")
    assert choose_host_compiler(host, toolkit(13, 0)) == HostCompiler(
        command="/usr/bin/g++", family="gcc", major=12
    )


def test_a_permitted_one_is_used_where_the_usual_one_is_too_new() -> None:
    host = machine(gxx="gcc 15", gxx_14="gcc 14", gxx_13="gcc 13", gxx_12="gcc 12")
    chosen = choose_host_compiler(host, toolkit(12, 4))
    assert chosen is not None
    assert (chosen.command, chosen.major, chosen.chosen) == ("/usr/bin/g++-13", 13, True)
    assert chosen.note == (
        "/usr/bin/g++ is gcc 15, too new for CUDA 12.4: /usr/bin/g++-13 compiles its host code"
    )
    clang = choose_host_compiler(machine(gxx="gcc 15", clangxx_17="clang 17"), toolkit(12, 4))
    assert clang is not None
    assert clang.command == "/usr/bin/clang++-17"


def test_a_name_that_lies_is_not_believed() -> None:
    host = machine(gxx="gcc 15", gxx_13="gcc 15", gxx_11="gcc 11")
    chosen = choose_host_compiler(host, toolkit(12, 4))
    assert chosen is not None
    assert chosen.command == "/usr/bin/g++-11"


def test_no_permitted_one_is_an_error_that_names_the_limit() -> None:
    with pytest.raises(AcceleratorError, match=r"g\+\+ is gcc 15, and CUDA 11\.8 supports at most gcc 11") as caught:  # fmt: skip # noqa: E501
        choose_host_compiler(machine(gxx="gcc 15"), toolkit(11, 8))
    assert caught.value.hint == "install g++-11, or name a permitted compiler in CUDAHOSTCXX"
    with pytest.raises(AcceleratorError, match="which is not on PATH"):
        choose_host_compiler(machine(), toolkit(12, 8))


def test_the_users_choice_is_checked_but_not_replaced() -> None:
    host = machine(gxx="gcc 12", gxx_15="gcc 15").with_env(CUDAHOSTCXX="g++-15")
    with pytest.raises(AcceleratorError, match=r"CUDAHOSTCXX=g\+\+-15 is gcc 15"):
        choose_host_compiler(host, toolkit(12, 4))
    lifted = choose_host_compiler(host, toolkit(12, 4), "-allow-unsupported-compiler")
    assert lifted is not None
    assert lifted.major == 15
    assert not lifted.chosen
    with pytest.raises(AcceleratorError, match="NVCC_CCBIN=g\\+\\+-9 is not on PATH"):
        choose_host_compiler(machine(gxx="gcc 12").with_env(NVCC_CCBIN="g++-9"), toolkit(12, 4))


def test_a_compiler_that_does_not_tell_is_left_alone() -> None:
    host = dataclasses.replace(machine(), programs=frozenset({"/usr/bin/g++"}))
    assert choose_host_compiler(host, toolkit(12, 4)) is None


def test_limits_of_releases_without_a_row_are_those_before() -> None:
    assert limit(toolkit(12, 7), "gcc") == 13
    assert limit(toolkit(14, 0), "gcc") == 16
    assert limit(toolkit(11, 0), "gcc") == 11


def test_the_limit_itself_is_permitted_and_one_above_is_not() -> None:
    at_limit = choose_host_compiler(machine(gxx="gcc 13"), toolkit(12, 4))
    assert at_limit is not None
    assert not at_limit.chosen
    one_above = choose_host_compiler(machine(gxx="gcc 14", gxx_13="gcc 13"), toolkit(12, 4))
    assert one_above is not None
    assert one_above.command == "/usr/bin/g++-13"


def test_the_override_lifts_the_limit_for_the_usual_compiler_too() -> None:
    chosen = choose_host_compiler(
        machine(gxx="gcc 15", gxx_12="gcc 12"), toolkit(12, 4), "-O2 -allow-unsupported-compiler"
    )
    assert chosen is not None
    assert (chosen.command, chosen.chosen) == ("/usr/bin/g++", False)


def test_clang_under_the_name_of_gcc_is_known_by_its_macros() -> None:
    """clang also claims to be gcc 4.2."""
    with pytest.raises(AcceleratorError, match=r"g\+\+ is clang 25"):
        choose_host_compiler(machine(gxx="clang 25"), toolkit(13, 0))
    taken = choose_host_compiler(machine(gxx="clang 20"), toolkit(13, 0))
    assert taken is not None
    assert str(taken) == "clang 20"


def test_nvcc_calls_gcc_where_both_are_there() -> None:
    host = machine(gxx="gcc 12", gcc="gcc 15", gxx_13="gcc 13")
    chosen = choose_host_compiler(host, toolkit(12, 4))
    assert chosen is not None
    assert chosen.note.startswith("/usr/bin/gcc is gcc 15, too new for CUDA 12.4: /usr/bin/g++-13")
