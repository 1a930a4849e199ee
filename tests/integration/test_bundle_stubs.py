"""Stubs without Python: on AArch64, and with musl."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from variantbuild.binary.choosers import Chooser, Copy
from variantbuild.bundle.cpuquestions import order_demands, resolve_demand
from variantbuild.bundle.stubs import Stub, StubCompiler
from workshop import SOURCES

pytestmark = pytest.mark.compile
HOST = SOURCES / "bundle" / "host.c"


def lay_out(folder: Path, arch: str, compiler: str, *labels: str, is_musl: bool = False) -> Path:
    """Write a stub and its copies, each of which says its own label."""
    demands = order_demands([resolve_demand(arch, label) for label in labels])
    copies = tuple(Copy(label=each.label, file=f"core.so.{each.label}") for each in demands)
    stub = Stub(
        module="core.so",
        arch=arch,
        inits=("PyInit_core",),
        chooser=Chooser(method="stub", copies=copies),
        demands=demands,
        is_musl=is_musl,
    )
    for copy in copies:
        words = [compiler, "-x", "c", "-", "-shared", "-nostdlib", "-fPIC", "-o", copy.file]
        code = f'const char *PyInit_core(void) {{ return "{copy.label}"; }}'
        subprocess.run(words, input=code, text=True, check=True, cwd=folder)
    path = folder / "core.so"
    path.write_bytes(StubCompiler(os.environ).compile(stub))
    return path


def answer(*words: str | Path, **env: str) -> str:
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )
    return done.stdout.strip()


def test_aarch64(tmp_path: Path) -> None:
    compiler, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if compiler is None or emulator is None:
        pytest.skip("needs aarch64-linux-gnu-gcc and qemu-aarch64")
    stub = lay_out(tmp_path, "aarch64", compiler, "armv8a", "armv8.1a", "armv8.2a")
    host = tmp_path / "host"
    subprocess.run([compiler, HOST, "-o", host, "-ldl"], check=True)
    run = (emulator, "-L", "/usr/aarch64-linux-gnu", "-cpu")
    found = {cpu: answer(*run, cpu, host, stub) for cpu in ("cortex-a53", "a64fx", "max")}
    assert found == {"cortex-a53": "armv8a", "a64fx": "armv8.2a", "max": "armv8.2a"}
    asked = answer(*run, "max", host, stub, VARIANTBUILD_LEVEL="armv8.1a")
    assert asked == "armv8.1a"
    assert answer(*run, "max", host, stub, VARIANTBUILD_LEVEL="v3") == "none"


@pytest.mark.parametrize("is_musl", [True, False])
def test_musl(*, is_musl: bool, tmp_path: Path) -> None:
    """Also a stub for glibc loads, whose library of dlopen musl takes for itself."""
    compiler = shutil.which("musl-gcc")
    if compiler is None:
        pytest.skip("needs musl-gcc (musl-tools)")
    stub = lay_out(tmp_path, "x86_64", "gcc", "v1", "v3", is_musl=is_musl)
    host = tmp_path / "host"
    subprocess.run([compiler, HOST, "-o", host], check=True)
    emulator = ("qemu-x86_64", "-cpu")
    assert answer(*emulator, "Haswell", host, stub) == "v3"
    assert answer(*emulator, "Nehalem", host, stub) == "v1"
    assert answer(host, stub, VARIANTBUILD_LEVEL="v1") == "v1"
    (tmp_path / "core.so.v3").unlink()
    assert answer(*emulator, "Haswell", host, stub) == "v1"
