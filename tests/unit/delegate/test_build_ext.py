"""setuptools with device sources: what is compiled with what, and what is refused beforehand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import pytest
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, ExecError

from devices import CUDA, ROCM
from variantbuild.delegate.build_ext import device_sources, render_command
from variantbuild.errors import AcceleratorError
from variantbuild.plan.device.build import DeviceBuild

BOTH = ["module.cpp", "kernel.cu"]


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty source tree as the current directory."""
    monkeypatch.chdir(tmp_path)
    for name in (*BOTH, "other.hip", "kernel.cpp"):
        (tmp_path / name).touch()


def commands(
    build: DeviceBuild | None, *extensions: Extension, reason: str = "", kind: str = "unix"
) -> list[list[str]]:
    """Run build_ext over `extensions` and return what would have been run, in sorted order.

    For host and device code of one extension that is host, device, link.
    """
    noted: list[list[str]] = []

    class Noting(build_ext):
        def build_extension(self, ext: Extension) -> None:
            def spawn(cmd: Sequence[str], **_: object) -> None:
                noted.append(list(cmd))

            self.compiler.compiler_type = kind
            # setuptools before and after `call` replaced `spawn`.
            self.compiler.spawn = self.compiler.call = spawn
            before = dict(vars(self.compiler))
            super().build_extension(ext)
            assert vars(self.compiler).keys() == before.keys()
            assert self.compiler.src_extensions == before.get(
                "src_extensions", type(self.compiler).src_extensions
            )

    command = Noting(Distribution({"name": "x", "ext_modules": list(extensions)}))
    command.ensure_finalized()
    with device_sources(build, reason, {}):
        command.run()
    return sorted(
        noted, key=lambda words: ("-c" not in words, Path(words[0]).name in ("nvcc", "hipcc"))
    )


def test_each_source_goes_to_its_compiler() -> None:
    extension = Extension("x", BOTH)
    # As PyTorch's extensions have it.
    vars(extension)["extra_compile_args"] = {"cxx": ["-DC"], "nvcc": ["-DN"], "hipcc": ["-DH"]}
    host, device, link = commands(CUDA, extension)
    assert "module.cpp" in host
    assert "-DC" in host
    assert "-DN" not in host
    assert "-I/opt/cuda/include" in host
    assert device[0] == "/opt/cuda/bin/nvcc"
    assert device[-3:-1] == ["kernel.cu", "-o"]
    assert {"-DN", "-gencode=arch=compute_90a,code=sm_90a", "-I/opt/cuda/include"} <= set(device)
    assert not {"-DC", "-DH"} & set(device)
    assert "-L/opt/cuda/lib64" in link
    assert link[link.index("-lcudart_static") :][:4] == ["-lcudart_static", "-lrt", "-ldl", "-lpthread"]  # fmt: skip # noqa: E501
    assert any(word.endswith("module.o") for word in link)
    assert device[-1] in link


def test_either_ending_goes_to_either_compiler() -> None:
    for build, program in ((CUDA, "nvcc"), (ROCM, "hipcc")):
        for source in ("kernel.cu", "other.hip"):
            noted = commands(build, Extension("x", ["module.cpp", source]))
            assert Path(noted[1][0]).name == program
            assert source in noted[1]


def test_rocm_links_its_runtime() -> None:
    link = commands(ROCM, Extension("x", BOTH))[-1]
    assert "-lamdhip64" in link
    assert "-lcudart_static" not in link


@pytest.mark.parametrize("runtime", ["cudart", "cudart_static"])
def test_a_runtime_that_the_project_names_is_left_to_it(runtime: str) -> None:
    link = commands(CUDA, Extension("x", BOTH, libraries=[runtime]))[-1]
    assert [word for word in link if word.startswith("-lcudart")] == [f"-l{runtime}"]


def test_a_plain_list_of_arguments_is_for_the_host_compiler() -> None:
    extension = Extension("x", BOTH, extra_compile_args=["-Wl,-O1"], define_macros=[("D", "1")])
    host, device, _ = commands(CUDA, extension)
    assert "-Wl,-O1" in host
    assert "-Xcompiler=-Wl\\,-O1" in device
    assert "-DD=1" in device
    assert "-Wl,-O1" in commands(ROCM, extension)[1]


def test_a_dictionary_of_arguments_works_without_device_sources() -> None:
    arguments: object = {"cxx": ["-DC"], "nvcc": ["-DN"]}
    extension = Extension("x", ["module.cpp"])
    vars(extension)["extra_compile_args"] = arguments
    host, link = commands(None, extension)
    assert "-DC" in host
    assert "-DN" not in host
    assert "-lcudart_static" not in link
    assert vars(extension)["extra_compile_args"] is arguments


def test_nothing_is_left_behind() -> None:
    before = build_ext.build_extension
    extension = Extension("x", BOTH)
    plain = Extension("y", ["kernel.cpp"])
    noted = commands(CUDA, extension, plain)
    assert build_ext.build_extension is before
    assert extension.libraries == extension.library_dirs == extension.include_dirs == []
    # The compiler is one object for all extensions: the second must not see the first's runtime.
    assert "-lcudart_static" not in noted[-1]
    with pytest.raises(AcceleratorError):
        commands(None, extension)
    assert build_ext.build_extension is before


def test_device_sources_without_an_accelerator_are_refused() -> None:
    with pytest.raises(AcceleratorError) as caught:
        commands(None, Extension("x", BOTH), reason="cuda is not built: no nvcc")
    assert caught.value.message == (
        "extension x has the device source kernel.cu, but no accelerator is built for: cuda is "
        "not built: no nvcc"
    )


def test_sources_that_would_share_an_object_file_are_refused() -> None:
    with pytest.raises(AcceleratorError, match=r"kernel\.cpp and kernel\.cu would have the same"):
        commands(CUDA, Extension("x", ["kernel.cpp", "kernel.cu"]))


def test_other_compilers_than_unix_ones_are_refused() -> None:
    with pytest.raises(AcceleratorError, match="together with gcc or clang"):
        commands(CUDA, Extension("x", BOTH), kind="msvc")


def test_the_command_for_a_source() -> None:
    env = {"CUDAFLAGS": "-mine '-Xcompiler=-DA B'", "HIPFLAGS": "-theirs"}
    chosen = dataclasses.replace(CUDA, host_compiler="/usr/bin/g++-12")
    assert render_command(chosen, "k.cu", "k.o", ["-DO"], env) == [
        "/opt/cuda/bin/nvcc",
        "-c",
        "-O3",
        "-DNDEBUG",
        "-x",
        "cu",
        "-Xcompiler=-fPIC",
        "-ccbin",
        "/usr/bin/g++-12",
        "-gencode=arch=compute_80,code=sm_80",
        "-gencode=arch=compute_90a,code=sm_90a",
        "-gencode=arch=compute_80,code=compute_80",
        "-DO",
        "-mine",
        "-Xcompiler=-DA B",
        "k.cu",
        "-o",
        "k.o",
    ]
    assert render_command(ROCM, "k.cu", "k.o", [], env)[4:10] == [
        "-x",
        "hip",
        "-fPIC",
        "--offload-arch=gfx1030",
        "--offload-arch=gfx90a:xnack-",
        "-theirs",
    ]


def test_a_compiler_that_fails_is_an_error_of_setuptools(tmp_path: Path) -> None:
    failing = tmp_path / "nvcc"
    failing.write_text("#!/bin/sh\nexit 3\n")
    failing.chmod(0o755)
    toolkit = dataclasses.replace(CUDA.toolkit, compiler=str(failing))
    command = build_ext(Distribution({"name": "x", "ext_modules": [Extension("x", BOTH)]}))
    command.ensure_finalized()
    build = dataclasses.replace(CUDA, toolkit=toolkit)
    with device_sources(build, "", {}), pytest.raises((CompileError, ExecError)):
        command.run()
