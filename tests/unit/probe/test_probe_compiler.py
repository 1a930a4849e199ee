"""Compilers: which one a build would call, and what it reports."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from faketools import write_program
from hosts.recorded import HOSTS, RecordedHost
from variantbuild.config.buildsystem import CompilerSearch
from variantbuild.host import Completed
from variantbuild.host.local import LocalHost
from variantbuild.host.processes import OUTPUT_LIMIT
from variantbuild.probe.compiler import probe_compiler
from variantbuild.probe.compiler_identity import Identity, parse_banner
from variantbuild.probe.facts import Absent, Compiler, Failed, Found, Language

GNU = "x86_64-linux-gnu"

#: Family, version and target of each recorded compiler.
EXPECTED = {
    "apple-clang-15.0.0": ("apple-clang", "15.0.0", "arm64-apple-darwin23.4.0"),
    "apple-llvm-10.0.1": ("apple-clang", "10.0.1", "x86_64-apple-darwin18.6.0"),
    "clang-10.0.0": ("clang", "10.0.0", "x86_64-pc-linux-gnu"),
    "clang-14.0.6": ("clang", "14.0.6", "x86_64-pc-linux-gnu"),
    "clang-18.1.3": ("clang", "18.1.3", "x86_64-pc-linux-gnu"),
    "gcc-11.4.0": ("gcc", "11.4.0", GNU),
    "gcc-11.4.1-aarch64": ("gcc", "11.4.1", "aarch64-redhat-linux"),
    "gcc-12.2.0": ("gcc", "12.2.0", GNU),
    "gcc-13.2.1-musl": ("gcc", "13.2.1", "x86_64-alpine-linux-musl"),
    "gcc-13.3.0": ("gcc", "13.3.0", GNU),
    "gcc-4.8.5": ("gcc", "4.8.5", "x86_64-redhat-linux"),
    "gcc-7.5.0": ("gcc", "7.5.0", GNU),
    "gcc-8.5.0": ("gcc", "8.5.0", "x86_64-redhat-linux"),
    "gcc-8.5.0-ppc64le": ("gcc", "8.5.0", "ppc64le-redhat-linux"),
    "gcc-9.4.0": ("gcc", "9.4.0", GNU),
    "gfortran-12.2.0": ("gcc", "12.2.0", GNU),
    "gfortran-13.3.0": ("gcc", "13.3.0", GNU),
    "gxx-12.2.0": ("gcc", "12.2.0", GNU),
    "icx-2024.0.2": ("icx", "2024.0.2", "x86_64-unknown-linux-gnu"),
    "ifx-2024.0.2": ("icx", "2024.0.2", ""),
    "msvc-19.29-french": ("msvc", "19.29.30133", ""),
    "msvc-19.38": ("msvc", "19.38.33133", ""),
    "nvc-24.1": ("nvhpc", "24.1", ""),
    "nvfortran-24.1": ("nvhpc", "24.1", ""),
}
UNSUPPORTED = {"icc-2021.10": "Intel's classic compiler", "emcc-3.1": "Emscripten"}


def found(host: RecordedHost | LocalHost, language: Language = "c") -> Compiler:
    fact = probe_compiler(host, language)
    assert isinstance(fact, Found), fact
    return fact.value


def failure(host: RecordedHost | LocalHost, language: Language = "c") -> str:
    fact = probe_compiler(host, language)
    assert isinstance(fact, Failed), fact
    return fact.error


def machine(recording: str, program: str = "/usr/bin/cc", **env: str) -> RecordedHost:
    return RecordedHost(env={"PATH": "/usr/bin", **env}).with_compiler(program, recording)


class TestIdentity:
    def test_every_recording_is_expected(self) -> None:
        recorded = {path.stem for path in (HOSTS / "compilers").glob("*.json")}
        assert recorded == {*EXPECTED, *UNSUPPORTED}

    @pytest.mark.parametrize("recording", EXPECTED)
    def test_every_recorded_answer(self, recording: str) -> None:
        text = (HOSTS / "compilers" / f"{recording}.json").read_text(encoding="utf-8")
        outputs = cast("dict[str, list[dict[str, str]]]", json.loads(text))["outputs"]
        family, version, target = EXPECTED[recording]
        output = outputs[0]
        identity = parse_banner(f"{output.get('stderr', '')}\n{output.get('stdout', '')}")
        assert isinstance(identity, Identity)
        assert (identity.family, identity.version, identity.target) == (family, version, target)

    @pytest.mark.parametrize("recording", EXPECTED)
    def test_one_run_is_enough(self, recording: str) -> None:
        """A compiler with an unknown name may need a second run; gcc and clang do not."""
        program = {"nvhpc": "/opt/nvc", "msvc": "/opt/cl"}.get(EXPECTED[recording][0], "/opt/any")
        host = machine(recording, program, CC=program)
        assert found(host).version == EXPECTED[recording][1]
        assert len(host.calls) == 1

    def test_nvhpc_behind_another_name(self) -> None:
        host = machine("nvc-24.1", CC="cc")
        compiler = found(host)
        assert (compiler.family, compiler.version) == ("nvhpc", "24.1")
        assert host.calls == [("/usr/bin/cc", "-v"), ("/usr/bin/cc", "--version")]

    @pytest.mark.parametrize("recording", UNSUPPORTED)
    def test_unsupported_is_named(self, recording: str) -> None:
        error = failure(machine(recording, CC="cc"))
        assert error == (
            f"/usr/bin/cc -v (CC=cc) is {UNSUPPORTED[recording]}, which is not supported"
        )

    @pytest.mark.parametrize(
        "text",
        ["", "gcc version 12\n", "gcc version banana\n", "I am gcc version 12.2.0\n", "clang 14.0"],
    )
    def test_nonsense_is_nobody(self, text: str) -> None:
        assert parse_banner(text) is None

    @pytest.mark.parametrize(
        ("line", "version"),
        [
            ("AMD clang version 17.0.6 (CLANG: AOCC_5.0.0-Build#1377 2024_09_24)", "17.0.6"),
            ("Homebrew clang version 18.1.8", "18.1.8"),
            ("Cray clang version 17.0.1 (8ba59dbeba5c)", "17.0.1"),
            ("flang-new version 19.1.1 (https://github.com/llvm/llvm-project 1)", "19.1.1"),
        ],
    )
    def test_rebranded_clang(self, line: str, version: str) -> None:
        identity = parse_banner(f"{line}\nTarget: x86_64-unknown-linux-gnu\n")
        assert identity == Identity(
            family="clang", version=version, target="x86_64-unknown-linux-gnu"
        )


class TestCommand:
    @pytest.mark.parametrize(
        ("value", "command"),
        [
            ("gcc", ("/usr/bin/gcc",)),
            ("/usr/bin/gcc", ("/usr/bin/gcc",)),
            ("gcc -m64 -pthread", ("/usr/bin/gcc", "-m64", "-pthread")),
            ("  gcc  ", ("/usr/bin/gcc",)),
            ("ccache gcc", ("/usr/bin/ccache", "/usr/bin/gcc")),
            ("ccache gcc -m64", ("/usr/bin/ccache", "/usr/bin/gcc", "-m64")),
            ("/usr/bin/ccache /usr/bin/gcc", ("/usr/bin/ccache", "/usr/bin/gcc")),
            (
                "ccache sloppiness=time_macros gcc",
                ("/usr/bin/ccache", "sloppiness=time_macros", "/usr/bin/gcc"),
            ),
            (
                "sccache distcc gcc",
                ("/usr/bin/sccache", "/usr/bin/distcc", "/usr/bin/gcc"),
            ),
            ("gcc '-DNAME=\"a b\"'", ("/usr/bin/gcc", '-DNAME="a b"')),
        ],
    )
    def test_cc(self, value: str, command: tuple[str, ...]) -> None:
        host = machine("gcc-12.2.0", "/usr/bin/gcc", CC=value)
        for launcher in ("ccache", "sccache", "distcc"):
            host = host.with_program(f"/usr/bin/{launcher}", {})
        assert found(host).command == command

    def test_launcher_is_not_started(self) -> None:
        host = machine("gcc-12.2.0", "/usr/bin/gcc", CC="ccache gcc -m64")
        host = host.with_program("/usr/bin/ccache", {})
        fact = probe_compiler(host, "c")
        assert isinstance(fact, Found)
        assert host.calls == [("/usr/bin/gcc", "-m64", "-v")]
        assert fact.source == "/usr/bin/gcc -m64 -v (CC=ccache gcc -m64)"

    def test_path_with_spaces(self) -> None:
        path = "/opt/my compilers/gcc"
        assert found(machine("gcc-12.2.0", path, CC=path)).command == (path,)
        assert found(machine("gcc-12.2.0", path, CC=f'"{path}" -m64')).command == (path, "-m64")

    def test_linker_options_are_not_asked_with(self) -> None:
        host = machine("gcc-12.2.0", "/usr/bin/gcc", CC="gcc -Wl,-O1 -L/x -lm -m64")
        assert found(host).command[1:] == ("-Wl,-O1", "-L/x", "-lm", "-m64")
        assert host.calls == [("/usr/bin/gcc", "-m64", "-v")]

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            ("ccache", "CC=ccache names the launcher /usr/bin/ccache, but no compiler after it"),
            (
                "nope",
                "CC=nope names nope, which is not on PATH "
                "(absolute entries outside the source tree)",
            ),
            (
                "/opt/nope",
                "CC=/opt/nope names /opt/nope, which does not exist or is not executable",
            ),
            (
                "tools/gcc",
                "CC=tools/gcc names tools/gcc by a relative path; use an absolute path, "
                "or a name on PATH",
            ),
            (
                "distcc gcc",
                "CC=distcc gcc names distcc, which is not on PATH "
                "(absolute entries outside the source tree)",
            ),
            ("'gcc", "CC='gcc has an unclosed quote"),
        ],
    )
    def test_bad_cc_fails_with_a_sentence(self, value: str, sentence: str) -> None:
        host = machine("gcc-12.2.0", "/usr/bin/gcc", CC=value)
        assert failure(host.with_program("/usr/bin/ccache", {})) == sentence

    @pytest.mark.parametrize(
        ("language", "variable"), [("c", "CC"), ("cxx", "CXX"), ("fortran", "FC")]
    )
    def test_variables(self, language: Language, variable: str) -> None:
        host = machine("gcc-12.2.0", "/opt/mine", **{variable: "/opt/mine"})
        assert found(host, language).command == ("/opt/mine",)
        assert found(host, language).language == language


class TestSearch:
    @pytest.mark.parametrize(
        ("search", "language", "program"),
        [
            ("setuptools", "c", "x86_64-linux-gnu-gcc"),
            ("setuptools", "cxx", "x86_64-linux-gnu-g++"),
            ("cmake", "c", "cc"),
            ("cmake", "cxx", "c++"),
            ("meson", "c", "cc"),
            ("meson", "cxx", "c++"),
        ],
    )
    def test_as_the_search_does(
        self,
        search: CompilerSearch,
        language: Language,
        program: str,
        recorded_host: Callable[[str], RecordedHost],
    ) -> None:
        fact = probe_compiler(recorded_host("zen2"), language, search=search)
        assert isinstance(fact, Found)
        assert fact.value.command[0] == f"/usr/bin/{program}"

    def test_cmake_looks_beside_the_c_compiler(self) -> None:
        host = machine("gcc-12.2.0", "/usr/bin/c++", CC="/opt/gcc-13/bin/gcc -m64")
        for name in ("gcc", "g++"):
            host = host.with_compiler(f"/opt/gcc-13/bin/{name}", "gcc-13.3.0")
        fact = probe_compiler(host, "cxx", search="cmake")
        assert isinstance(fact, Found)
        assert fact.value.command == ("/opt/gcc-13/bin/g++",)
        assert fact.source == "/opt/gcc-13/bin/g++ -v (next to the C compiler)"
        meson = probe_compiler(host, "cxx", search="meson")
        assert isinstance(meson, Found)
        assert meson.value.command == ("/usr/bin/c++",)

    def test_interpreters_arguments_are_kept(
        self, recorded_host: Callable[[str], RecordedHost]
    ) -> None:
        command = found(recorded_host("zen2")).command
        assert command == ("/usr/bin/x86_64-linux-gnu-gcc", "-pthread")

    def test_environment_wins(self, recorded_host: Callable[[str], RecordedHost]) -> None:
        compiler = found(recorded_host("zen2").with_env(CC="clang"))
        assert (compiler.family, compiler.version) == ("clang", "10.0.0")

    def test_empty_variable_is_unset(self, recorded_host: Callable[[str], RecordedHost]) -> None:
        assert found(recorded_host("zen2").with_env(CC=" ")).family == "gcc"

    def test_interpreter_names_a_compiler_that_is_not_here(self) -> None:
        host = RecordedHost(env={"PATH": "/usr/bin"}, config={"CC": "clang"})
        assert probe_compiler(host, "c") == Absent(
            "CC of this Python's configuration names clang, which is not on PATH "
            "(absolute entries outside the source tree)"
        )

    def test_nothing_anywhere(self) -> None:
        host = RecordedHost(env={"PATH": "/usr/bin"})
        assert probe_compiler(host, "c") == Absent(
            "CC is not set, and this Python's configuration does not name one"
        )
        assert probe_compiler(host, "cxx", search="meson") == Absent(
            "CXX is not set, and none of c++, g++, clang++, nvc++, icpx is on PATH"
        )

    def test_windows(self, recorded_host: Callable[[str], RecordedHost]) -> None:
        compiler = found(recorded_host("windows-icelake"), "cxx")
        assert (compiler.family, compiler.version) == ("msvc", "19.38.33133")
        assert compiler.command == ("C:\\VS\\bin\\cl.exe",)


class TestMisbehaviour:
    def answering(self, status: int | None, error: str | None = None) -> RecordedHost:
        answer = Completed(
            argv=("/usr/bin/cc",), status=status, stdout="", stderr="boom\n", error=error
        )
        host = RecordedHost(env={"PATH": "/usr/bin", "CC": "cc"})
        return host.with_program("/usr/bin/cc", {("-v",): answer, ("--version",): answer})

    def test_refusing(self) -> None:
        error = failure(self.answering(3))
        assert error == "/usr/bin/cc -v (CC=cc) exited with status 3: 'boom'"

    def test_crashing_is_asked_once(self) -> None:
        host = self.answering(-11)
        assert failure(host) == "/usr/bin/cc -v (CC=cc) was killed by signal 11: 'boom'"
        assert len(host.calls) == 1

    def test_hanging_is_asked_once(self) -> None:
        host = self.answering(None, "timed out after 20 s")
        assert failure(host) == "/usr/bin/cc -v (CC=cc) timed out after 20 s: 'boom'"
        assert len(host.calls) == 1

    def test_lying(self) -> None:
        error = failure(self.answering(0))
        assert error == (
            "/usr/bin/cc -v (CC=cc) did not identify a known compiler and version: 'boom'"
        )


class TestRealPrograms:
    """Real executables on a real PATH."""

    @pytest.mark.parametrize(
        ("text", "clause"),
        [
            ("kill -SEGV $$", "was killed by signal 11"),
            ("exit 7", "exited with status 7"),
            ("echo 'gcc version none'", "did not identify a known compiler and version"),
            ("yes", f"wrote more than {OUTPUT_LIMIT >> 20} MiB of output"),
            ("printf 'gcc version \\377\\376'", "did not identify a known compiler and version"),
        ],
    )
    def test_bad_compilers(self, text: str, clause: str, tmp_path: Path) -> None:
        cc = write_program(tmp_path / "cc", text)
        error = failure(LocalHost(env={**os.environ, "CC": str(cc)}))
        assert clause in error
        assert str(cc) in error

    def test_not_a_program(self, tmp_path: Path) -> None:
        cc = tmp_path / "cc"
        cc.write_bytes(b"\x7fELF garbage")
        cc.chmod(0o755)
        assert "could not be started" in failure(LocalHost(env={**os.environ, "CC": str(cc)}))

    def test_source_tree_brings_its_own(self, tmp_path: Path) -> None:
        write_program(tmp_path / "evilcc", "echo gcc version 99.0.0 >&2")
        path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "CC": "evilcc"}
        assert found(LocalHost(env=env)).version == "99.0.0"
        assert "names evilcc" in failure(LocalHost(env=env, source=tmp_path))
