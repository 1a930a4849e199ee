"""Checks, predictions and the taking apart of bundles of real modules."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bundles import PYTHON, SUFFIX, Binary, compile_binary, make_wheels, module, run_python, unpack
from schemas import answers_of
from wheels.forge import Draft
from workshop import SOURCES, Done, run

pytestmark = pytest.mark.compile

LEVELS = ("v1", "v3", "v4")
CORE = f"demo/core{SUFFIX}"


def variantbuild(*words: str | Path, cwd: Path, **env: str) -> Done:
    command = (sys.executable, "-m", "variantbuild", *words)
    return run(*command, cwd=cwd, env={**os.environ, **env})


def made(wheels: list[Path], out: Path, *words: str) -> Path:
    done = variantbuild("bundle", *wheels, "-o", out, *words, cwd=out.parent).ok()
    return Path(done.stdout.strip())


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("wheels")
    library = Binary("demo/libbase.so", "library.c", ("-Wl,-soname,libbase.so",))
    linking = module("demo.sub.inner", "-DLIBRARY", "-l:libbase.so", "-Wl,-rpath,$ORIGIN/..")
    return make_wheels(folder, [library, module("demo.core"), linking], LEVELS)


@pytest.fixture(scope="module")
def bundled(wheels: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(wheels, tmp_path_factory.mktemp("bundle"))


def loaded_parts(path: Path) -> dict[str, bytes]:
    """Return the machine code of each member of a wheel, as objcopy keeps it."""
    found = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                file = path.parent / "part"
                file.write_bytes(archive.read(name))
                words = ("objcopy", "-O", "binary", "-j", ".text", "-j", ".rodata", file)
                subprocess.run(words, check=True)
                found[name] = file.read_bytes()
    return found


def test_a_bundle_is_taken_apart(bundled: Path, wheels: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = variantbuild("bundle", "--split", bundled, "-o", out, cwd=tmp_path).ok()
    parts = [Path(line) for line in done.stdout.splitlines()]
    assert [part.name for part in parts] == [wheel.name for wheel in wheels]
    for part, wheel in zip(parts, wheels, strict=True):
        assert loaded_parts(part) == loaded_parts(wheel)
        variantbuild("audit", part, cwd=tmp_path).ok()
    again = made(parts, tmp_path / "again")
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(bundled) as other:
        assert sorted(one.namelist()) == sorted(other.namelist())


def test_what_is_no_bundle_cannot_be_taken_apart(wheels: list[Path], tmp_path: Path) -> None:
    done = variantbuild("bundle", "--split", wheels[0], "-o", tmp_path, cwd=tmp_path)
    assert done.code == 2
    assert "is not a bundle: none of its modules has copies" in done.stderr
    done = variantbuild("bundle", "--check", "python -c pass", wheels[0], cwd=tmp_path)
    assert done.code == 2
    assert "is not a bundle" in done.stderr
    done = variantbuild("probe", "--for", wheels[0], cwd=tmp_path)
    assert done.code == 2
    assert "is not a bundle" in done.stderr


@pytest.mark.parametrize("method", ["stub", "loader"])
def test_each_level_is_checked(
    method: str, wheels: list[Path], tmp_path: Path, host_level: str
) -> None:
    command = "python -c 'import demo.core'"
    simple = make_wheels(tmp_path, [module("demo.core")], LEVELS) if method == "loader" else wheels
    done = variantbuild(
        "bundle", *simple, "-o", tmp_path / "out", "--method", method, "--check", command,
        "--json", cwd=tmp_path,
    ).ok()  # fmt: skip
    payload = json.loads(done.stdout)
    answers_of("bundle").validate(payload)
    checked = {each["level"]: each for each in payload["checked"]}
    assert list(checked) == ["v1", "v3", "v4"]
    assert checked["v1"] == {"level": "v1", "how": "natively", "skipped": False}
    assert checked["v3"]["skipped"] is False
    assert checked["v4"]["skipped"] is (host_level < "v4")


def test_a_copy_that_is_lost_is_found(tmp_path: Path, host_level: str) -> None:
    """The answers are right, since the baseline gives them: only the check tells."""
    outside = tmp_path / "outside"
    outside.mkdir()
    gone = Binary("x", "library.c", ("-Wl,-soname,libgone.so.1",))
    compile_binary(gone, "v1", outside / "libgone.so.1", outside)
    options = f"-L{outside}", "-l:libgone.so.1", "-Wl,--no-as-needed"
    (plain,) = make_wheels(tmp_path, [module("demo.core")], ["v1"])
    (fast,) = make_wheels(tmp_path, [module("demo.core", "-Wl,--no-as-needed", *options)], ["v3"])
    code = "import demo.core as c; assert c.work(3) == 66.0"
    out = tmp_path / "out"
    made_anyway = made([plain, fast], tmp_path / "anyway", "--method", "stub")
    site = unpack(made_anyway, tmp_path / "site")
    assert run_python(site, code).returncode == 0
    words = ("--method", "stub", "--check", f"python -W ignore -c '{code}'")
    done = variantbuild("bundle", plain, fast, "-o", out, *words, cwd=tmp_path)
    assert done.code == 1
    assert f"did not load core{SUFFIX}.v3 at v3" in " ".join(done.stderr.split())
    assert not out.exists()


def test_a_check_without_the_report_of_glibc(wheels: list[Path], tmp_path: Path) -> None:
    """As with musl, whose loader has no report: Python's own list of mapped files tells."""
    words = ("env", "-u", "LD_DEBUG", "-u", "LD_DEBUG_OUTPUT", sys.executable)
    command = shlex.join((*words, "-c", "import demo.core"))
    pair = [wheels[0], wheels[1]]
    done = variantbuild("bundle", *pair, "-o", tmp_path, "--check", command, cwd=tmp_path).ok()
    assert "v1: its copies are loaded" in done.stderr
    command = shlex.join((*words, "-I", "-c", "pass"))
    done = variantbuild("bundle", *pair, "-o", tmp_path, "--check", command, cwd=tmp_path)
    assert done.code == 1
    assert "loaded no module that has copies at v1" in " ".join(done.stderr.split())


def test_the_sitecustomize_of_the_user_runs_too(wheels: list[Path], tmp_path: Path) -> None:
    out = made(wheels[:2], tmp_path / "out")
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))
    (tmp_path / "sitecustomize.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'a').write('x')\n", encoding="utf-8"
    )
    words = ("bundle", "--check", "python -c 'import demo.core'", out)
    variantbuild(*words, cwd=tmp_path, PYTHONPATH=path).ok()
    assert (tmp_path / "ran").exists()


def test_a_bundle_for_aarch64_is_checked_with_a_program_for_it(tmp_path: Path) -> None:
    compiler, emulator = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64")
    if compiler is None or emulator is None:
        pytest.skip("needs aarch64-linux-gnu-gcc and qemu-aarch64")
    wheels = []
    for label, march in (("armv8a", "armv8-a"), ("armv8.2a", "armv8.2-a")):
        own = label != "armv8a"
        platforms = "linux_aarch64" + (".linux_aarch64_armv8_2a" if own else "")
        draft = Draft("demo", f"1.0+{label}" if own else "1.0", f"{PYTHON}-{PYTHON}-{platforms}")
        draft.drop("demo/core.so")
        file = tmp_path / f"core-{label}.so"
        words = [compiler, f"-march={march}", "-mno-outline-atomics", "-frecord-gcc-switches"]
        words += ["-O2", "-shared", "-fPIC", str(SOURCES / "bundle/atomics.c"), "-o", str(file)]
        subprocess.run(words, check=True)
        draft.add("demo/core.so", file.read_bytes())
        wheels.append(tmp_path / draft.file_name)
        wheels[-1].write_bytes(draft.build())
    host = tmp_path / "host"
    subprocess.run([compiler, SOURCES / "bundle/host.c", "-o", host, "-ldl"], check=True)
    command = f"{host} site/demo/core.so"
    words = ["bundle", *map(str, wheels), "-o", str(tmp_path / "out"), "--check"]
    done = variantbuild(*words, command, cwd=tmp_path).ok()
    for level in ("armv8a", "armv8.2a"):
        assert f"{level}: its copies are loaded (under qemu-aarch64" in done.stderr
    done = variantbuild(*words, "python -c pass", cwd=tmp_path).ok()
    assert "armv8.2a is not checked: the bundle is for aarch64, and python runs on" in done.stderr


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("python -c pass", "loaded no module that has copies at v1"),
        ("python -c 'import nowhere'", "No module named 'nowhere'"),
        ("python -c 'import os; os.abort()'", "was killed by signal 6"),
        ("no-such-program", "no-such-program is not found"),
        ("", "names no command"),
    ],
)
def test_a_command_that_checks_nothing(
    command: str, message: str, bundled: Path, tmp_path: Path
) -> None:
    done = variantbuild("bundle", "--check", command, bundled, cwd=tmp_path)
    assert done.code in (1, 2)
    assert message in " ".join(done.stderr.split())
    assert "Traceback (most recent" not in done.stderr


def test_the_copy_that_this_machine_loads(bundled: Path, tmp_path: Path, host_level: str) -> None:
    best = max(level for level in LEVELS if level <= host_level)
    done = variantbuild("probe", "--for", bundled, "--json", cwd=tmp_path).ok()
    rows = {row["path"]: row for row in json.loads(done.stdout)["modules"]}
    assert rows[CORE]["level"] == best
    site = unpack(bundled, tmp_path / "site")
    code = "import demo.core as c; print(c.level())"
    assert run_python(site, code).stdout.strip() == best
    done = variantbuild("probe", "--for", bundled, cwd=tmp_path, VARIANTBUILD_LEVEL="v2").ok()
    assert "v3: VARIANTBUILD_LEVEL is v2" in done.stdout
    assert run_python(site, code, VARIANTBUILD_LEVEL="v2").stdout == "v1\n"


def test_the_copy_of_an_installed_package(bundled: Path, tmp_path: Path) -> None:
    site = unpack(bundled, tmp_path / "site")
    path = os.pathsep.join((str(site), os.environ.get("PYTHONPATH", "")))
    done = variantbuild("probe", "--for", "demo", "--json", cwd=tmp_path, PYTHONPATH=path).ok()
    (core,) = [row for row in json.loads(done.stdout)["modules"] if row["path"].endswith(CORE)]
    assert core["method"] == "stub"
    done = variantbuild("probe", "--for", "nowhere", cwd=tmp_path)
    assert done.code == 2
    assert "'nowhere' is neither a wheel nor an installed package" in done.stderr
