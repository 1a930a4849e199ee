"""Wheels for several levels, compiled in a moment, for tests of bundles."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wheels.forge import Draft
from workshop import SOURCES

#: What gcc calls each level.
MARCH = {"v1": "x86-64", "v2": "x86-64-v2", "v3": "x86-64-v3", "v4": "x86-64-v4"}
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
PYTHON = f"cp{sys.version_info[0]}{sys.version_info[1]}"
INCLUDE = sysconfig.get_path("include")


@dataclass(frozen=True)
class Binary:
    """A shared object: its member name in the wheel, source and options of the compiler."""

    member: str
    source: str = "core.c"
    options: tuple[str, ...] = ()
    levels: tuple[str, ...] | None = None


def module(name: str, *options: str, **fields: tuple[str, ...]) -> Binary:
    """Return a module called by its dotted name."""
    leaf = name.rpartition(".")[2]
    return Binary(
        name.replace(".", "/") + SUFFIX, options=(f"-DNAME={leaf}", f"-I{INCLUDE}", *options)
    )


def compile_binary(binary: Binary, level: str, target: Path, work: Path) -> bytes:
    """Compile one shared object for a level; libraries compiled before are found in `work`."""
    march = f"-march={MARCH.get(level, level)}"
    note = () if level == "v1" else (f"-Wl,-z,x86-64-{level}",)
    words = ["gcc", "-shared", "-fPIC", "-O3", "-ffast-math", march, *note]
    words += ["-frecord-gcc-switches", str(SOURCES / "bundle" / binary.source)]
    words += ["-o", str(target), f"-L{work}", *binary.options]
    subprocess.run(words, check=True, capture_output=True, cwd=work)
    return target.read_bytes()


def make_wheels(
    folder: Path,
    binaries: Sequence[Binary],
    levels: Sequence[str] = ("v1", "v3"),
    files: Mapping[str, bytes] | None = None,
    name: str = "demo",
    platform: str = "linux_x86_64",
) -> list[Path]:
    """Return a wheel for each level, with the binaries compiled for it, and further files."""
    return [
        make_wheel(folder, binaries, level, files=files, name=name, platform=platform)
        for level in levels
    ]


def make_wheel(
    folder: Path,
    binaries: Sequence[Binary],
    level: str,
    files: Mapping[str, bytes] | None = None,
    name: str = "demo",
    platform: str = "linux_x86_64",
) -> Path:
    """Return the wheel for one level, labelled as `variantbuild stamp` does it."""
    label = "" if level == "v1" else f"+{level}"
    suffix = "" if level == "v1" else f".{platform}_{level}"
    draft = Draft(name, f"1.0{label}", f"{PYTHON}-{PYTHON}-{platform}{suffix}")
    draft.drop("demo/core.so")
    work = folder / f"work-{level}"
    work.mkdir(parents=True, exist_ok=True)
    for binary in binaries:
        if binary.levels is None or level in binary.levels:
            target = work / Path(binary.member).name
            draft.add(binary.member, compile_binary(binary, level, target, work))
    for member, data in (files or {}).items():
        draft.add(member, data)
    path = folder / draft.file_name
    path.write_bytes(draft.build())
    return path


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpack a wheel and return the directory, as if it were installed."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run_python(
    site: Path, code: str, *prefix: str, python: str = sys.executable, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run `code` with the modules in `site`; `prefix` is an emulator with its options."""
    return subprocess.run(
        [*prefix, python, "-I", "-c", f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", **env},
        check=False,
    )
