"""Bundles of real modules: the copy that each CPU loads, and what validators say of the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bundles import SUFFIX, Binary, compile_binary, make_wheels, module, run_python, unpack
from workshop import run

pytestmark = pytest.mark.compile

LEVELS = ("v1", "v3", "v4")
EMULATED = {"qemu64": "v1", "Nehalem": "v1", "Haswell": "v3"}


def bundle(*words: str | Path, code: int = 0, cwd: Path) -> tuple[str, str]:
    """Run the command and return what it printed on stdout and stderr."""
    command = (sys.executable, "-m", "variantbuild", "bundle", *words)
    done = run(*command, cwd=cwd, env=os.environ)
    assert done.code == code, done.output
    return done.stdout, done.stderr


def level_of(site: Path, name: str, *prefix: str, **env: str) -> str:
    """Import a module and return what it was compiled for."""
    code = f"import importlib; print(importlib.import_module({name!r}).level())"
    done = run_python(site, code, *prefix, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    return make_wheels(folder, [module("demo.core"), module("top")], LEVELS)


@pytest.fixture(scope="module", params=["stub", "loader"])
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def made(wheels: list[Path], method: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(method)
    out, _ = bundle(*wheels, "-o", folder, "--method", method, cwd=folder)
    return Path(out.strip())


def test_the_best_copy_of_this_machine(made: Path, host_level: str, tmp_path: Path) -> None:
    site = unpack(made, tmp_path)
    best = max(level for level in LEVELS if level <= host_level)
    assert level_of(site, "demo.core") == level_of(site, "top") == best


@pytest.mark.parametrize("cpu", EMULATED)
def test_the_best_copy_of_other_machines(made: Path, cpu: str, tmp_path: Path) -> None:
    site = unpack(made, tmp_path)
    assert level_of(site, "demo.core", "qemu-x86_64", "-cpu", cpu) == EMULATED[cpu]


def test_name_and_tags_are_plain(made: Path, wheels: list[Path]) -> None:
    assert made.name == wheels[0].name
    with zipfile.ZipFile(made) as archive:
        assert b"\nVersion: 1.0\n" in archive.read("demo-1.0.dist-info/METADATA")
        tags = archive.read("demo-1.0.dist-info/WHEEL").decode()
    assert [line for line in tags.splitlines() if line.startswith("Tag: ")] == [
        f"Tag: {made.name.split('-', 2)[2].removesuffix('.whl')}"
    ]


def test_the_same_input_gives_the_same_bytes(
    made: Path, wheels: list[Path], method: str, tmp_path: Path
) -> None:
    out, _ = bundle(*reversed(wheels), "-o", tmp_path, "--method", method, cwd=tmp_path)
    assert Path(out.strip()).read_bytes() == made.read_bytes()


def test_validators(made: Path, tmp_path: Path) -> None:
    own = Path(sys.executable).parent
    for command in (
        (own / "twine", "check", "--strict", made),
        (own / "auditwheel", "show", made),
        (sys.executable, "-m", "installer", "--validate-record", "all", "-d", tmp_path, made),
        # A module at top level has its copies next to it.
        (own / "check-wheel-contents", "--ignore", "W003,W009,W010", made),
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "is not a wheel" not in done.stdout


def test_the_bundle_runs_where_the_baseline_does(made: Path, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "variantbuild", "audit", "--json", "--expect", "v1", made)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_lower_level_is_asked_for(wheels: list[Path], tmp_path: Path, host_level: str) -> None:
    out, _ = bundle(*wheels, "-o", tmp_path, "--method", "stub", cwd=tmp_path)
    site = unpack(Path(out.strip()), tmp_path / "site")
    for asked in ("v1", "v2", "v3", "v4"):
        allowed = [level for level in LEVELS if level <= min(asked, host_level)]
        assert level_of(site, "demo.core", VARIANTBUILD_LEVEL=asked) == max(allowed)
    done = run_python(site, "import demo.core", VARIANTBUILD_LEVEL="v9")
    assert "ImportError: VARIANTBUILD_LEVEL is 'v9'" in done.stderr
    assert "v1, v2, v3, v4" in done.stderr


def test_a_lower_level_is_asked_of_the_loader(
    wheels: list[Path], tmp_path: Path, host_level: str
) -> None:
    out, _ = bundle(*wheels, "-o", tmp_path, "--method", "loader", cwd=tmp_path)
    site = unpack(Path(out.strip()), tmp_path / "site")
    tunables = "glibc.cpu.hwcaps=-AVX2_Usable,-AVX2,-AVX512F"
    assert level_of(site, "demo.core", GLIBC_TUNABLES=tunables) == "v1"


def test_a_copy_that_cannot_be_loaded(wheels: list[Path], tmp_path: Path, host_level: str) -> None:
    if host_level < "v3":
        pytest.skip("this machine has no level above the baseline")
    out, _ = bundle(*wheels[:2], "-o", tmp_path, "--method", "stub", cwd=tmp_path)
    site = unpack(Path(out.strip()), tmp_path / "site")
    (site / f"demo/core{SUFFIX}.v3").write_bytes(b"")
    done = run_python(site, "import demo.core as c; print(c.level())")
    assert done.stdout == "v1\n"
    assert done.stderr.count("RuntimeWarning: demo/core") == 1
    assert "v3: " in done.stderr
    assert "using the copy for v1" in done.stderr
    (site / f"demo/core{SUFFIX}.v1").unlink()
    done = run_python(site, "import demo.core")
    assert "ImportError: " in done.stderr
    assert f"core{SUFFIX}.v3" in done.stderr
    assert f"core{SUFFIX}.v1: cannot open shared object file" in done.stderr


def test_libraries_of_the_project_are_chosen_too(tmp_path: Path, host_level: str) -> None:
    binaries = [
        Binary("demo/lib/libbase.so.2", "library.c", ("-Wl,-soname,libbase.so.2",)),
        module("demo.deep.sub.inner", "-DLIBRARY", "-l:libbase.so.2",
               "-Wl,-rpath,$ORIGIN/../../lib"),
        module("demo.core", "-DLIBRARY", "-l:libbase.so.2", "-Wl,-rpath,$ORIGIN/lib"),
    ]  # fmt: skip
    wheels = make_wheels(tmp_path, binaries, LEVELS)
    out, _ = bundle(*wheels, "-o", tmp_path / "out", cwd=tmp_path)
    site = unpack(Path(out.strip()), tmp_path / "site")
    code = "import demo.core as c, demo.deep.sub.inner as i; print(c.library(), i.library())"
    for asked in LEVELS:
        best = min(asked, max(level for level in LEVELS if level <= host_level))
        done = run_python(site, code, VARIANTBUILD_LEVEL=asked)
        assert done.stdout.split() == [best, best], done.stderr
        done = run_python(site, code, "qemu-x86_64", "-cpu", "Nehalem")
        assert done.stdout.split() == ["v1", "v1"], done.stderr


def test_levels_with_the_same_code_are_folded(tmp_path: Path) -> None:
    plain = ("-DPLAIN", "-O0", "-fno-builtin", "-march=x86-64")
    wheels = make_wheels(tmp_path, [module("demo.core"), module("demo.same", *plain)], ("v1", "v3"))
    out, _ = bundle(*wheels, "-o", tmp_path / "out", "--json", cwd=tmp_path)
    rows = {row["path"]: row for row in json.loads(out)["modules"]}
    assert rows[f"demo/core{SUFFIX}"]["copies"] == ["v3", "v1"]
    assert rows[f"demo/same{SUFFIX}"] == {
        "path": f"demo/same{SUFFIX}", "copies": ["v1"], "folded": {"v3": "v1"},
    }  # fmt: skip


def test_debug_information_is_not_multiplied(tmp_path: Path) -> None:
    wheels = make_wheels(tmp_path, [module("demo.core", "-g3")])
    out, _ = bundle(*wheels, "-o", tmp_path / "out", "--method", "stub", cwd=tmp_path)
    site = unpack(Path(out.strip()), tmp_path / "site")
    sizes = {level: (site / f"demo/core{SUFFIX}.{level}").stat().st_size for level in ("v1", "v3")}
    assert sizes["v3"] < sizes["v1"] / 2
    copy = site / f"demo/core{SUFFIX}.v3"
    for words in (("readelf", "-a", "-W", copy), ("nm", copy), ("strip", "-o", "/dev/null", copy)):
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        if words[0] == "nm":
            assert " t work" in done.stdout
    assert level_of(site, "demo.core", VARIANTBUILD_LEVEL="v3") in ("v1", "v3")


def test_a_machine_without_compiler(wheels: list[Path], tmp_path: Path) -> None:
    words = [sys.executable, "-m", "variantbuild", "bundle", *map(str, wheels), "-o", str(tmp_path)]
    env = {**os.environ, "PATH": str(tmp_path), "CC": ""}
    done = run(*words, "--method", "stub", cwd=tmp_path, env=env)
    assert done.code == 2
    assert "cannot be compiled: no C compiler is on PATH" in done.stderr
    assert "install gcc or clang" in done.stderr
    assert list(tmp_path.glob("*.whl")) == []
    run(*words, "--method", "loader", cwd=tmp_path, env=env).ok()


def test_a_repaired_bundle(wheels: list[Path], method: str, tmp_path: Path) -> None:
    """repair judges each copy by its level, and gives the plain policy tag."""
    out, _ = bundle(*wheels, "-o", tmp_path / "out", "--method", method, cwd=tmp_path)
    words = (sys.executable, "-m", "variantbuild", "repair", out.strip(), "-w", tmp_path / "w")
    run(*words, cwd=tmp_path, env=os.environ).ok()
    (repaired,) = (tmp_path / "w").glob("*.whl")
    assert "-manylinux_2_5_x86_64" in repaired.name
    assert "v3" not in repaired.name
    site = unpack(repaired, tmp_path / "site")
    assert level_of(site, "demo.core", "qemu-x86_64", "-cpu", "Haswell") == "v3"


def test_grafted_libraries_serve_every_copy(method: str, tmp_path: Path) -> None:
    """auditwheel finds what the copies link outside of the wheel, and their paths hold."""
    outside = tmp_path / "outside"
    outside.mkdir()
    library = Binary("x", "library.c", ("-Wl,-soname,libdemo.so.1",))
    compile_binary(library, "v1", outside / "libdemo.so.1", outside)
    core = module("demo.core", "-DLIBRARY", f"-L{outside}", "-l:libdemo.so.1")
    wheels = make_wheels(tmp_path, [core])
    out, _ = bundle(*wheels, "-o", tmp_path / "out", "--method", method, cwd=tmp_path)
    words = (sys.executable, "-m", "variantbuild", "repair", out.strip(), "-w", tmp_path / "w")
    env = {**os.environ, "LD_LIBRARY_PATH": str(outside)}
    run(*words, cwd=tmp_path, env=env).ok()
    (repaired,) = (tmp_path / "w").glob("*.whl")
    site = unpack(repaired, tmp_path / "site")
    code = "import demo.core as c; print(c.level(), c.library())"
    for cpu, level in EMULATED.items():
        done = run_python(site, code, "qemu-x86_64", "-cpu", cpu)
        assert done.stdout.split() == [level, "v1"], done.stderr
