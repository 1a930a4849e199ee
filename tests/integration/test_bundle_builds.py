"""Builds with the setting `bundle` through several front ends: one wheel, with plain names."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from bundles import SUFFIX, run_python, unpack
from variantbuild.stamp.sbom import parse_provenance
from workshop import PACKAGES, Done, run

pytestmark = pytest.mark.compile

PYTHON = Path(sys.executable)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project of one C module, which is to be built for two levels."""
    copied = tmp_path / "project"
    shutil.copytree(PACKAGES / "setuptools-c", copied)
    with (copied / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write('[tool.variantbuild]\nbundle = ["v1", "v3", "armv8.2a"]\n')
    return copied


COMMANDS: dict[str, tuple[str | Path, ...]] = {
    "pip": (PYTHON, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w"),
    "build": (PYTHON, "-m", "build", "--no-isolation", "--wheel", "-o"),
    "uv": (
        PYTHON.with_name("uv"), "build", "--wheel", "--no-build-isolation", "--offline",
        "--python", PYTHON, "-o",
    ),
    "variantbuild": (PYTHON, "-m", "variantbuild", "build", "--no-isolation", "-o"),
}  # fmt: skip


def build(tree: Path, *words: str | Path, **env: str) -> Done:
    return run(*words, tree, cwd=tree.parent, env={**os.environ, **env})


def level_of(site: Path, *prefix: str) -> str:
    done = run_python(site, "import whatami; print(whatami.compiled_for()['level'])", *prefix)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


#: The front ends of the short form; FRONTEND_MATRIX=full tries all.
TRIED = tuple(COMMANDS) if os.environ.get("FRONTEND_MATRIX") == "full" else ("pip", "variantbuild")


@pytest.mark.parametrize("front_end", TRIED)
def test_one_wheel_with_all_levels(front_end: str, tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tree / "setup.py"
    text = script.read_text("utf-8").replace('.c"]', '.c"], extra_compile_args=["-mtune=native"]')
    script.write_text(text, "utf-8")
    with (tree / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write("override-march = true\n")
    build(tree, *COMMANDS[front_end], out, C_INCLUDE_PATH="/opt/include").ok()
    (wheel,) = out.iterdir()
    assert wheel.name.startswith("whatami-1.0-")
    assert wheel.name.endswith("-linux_x86_64.whl")
    site = unpack(wheel, tmp_path / "site")
    assert level_of(site, "qemu-x86_64", "-cpu", "Nehalem") == "v1"
    assert level_of(site, "qemu-x86_64", "-cpu", "Haswell") == "v3"
    record = (site / "whatami-1.0.dist-info/sboms/variantbuild.cdx.json").read_bytes()
    declared = parse_provenance(record)
    assert declared["variantbuild:declared:bundle"] == "v3 v1"
    for level, march in (("v1", "x86-64"), ("v3", "x86-64-v3")):
        flags = declared[f"variantbuild:declared:level:{level}:flags:c"]
        assert f"-march={march} " in flags
        assert declared[f"variantbuild:declared:level:{level}:replaced"] == "-mtune=native"
        obeyed = declared[f"variantbuild:probed:level:{level}:environment:C_INCLUDE_PATH"]
        assert obeyed == "/opt/include"
    assert [each.name for each in tree.iterdir() if each.name.startswith(".variantbuild")] == []


def test_a_target_turns_the_bundle_off(tree: Path, tmp_path: Path) -> None:
    words = (*COMMANDS["build"], tmp_path / "out", "-Cvariantbuild.target=v3")
    build(tree, *words).ok()
    (wheel,) = (tmp_path / "out").iterdir()
    assert wheel.name.startswith("whatami-1.0+v3-")


def test_levels_on_the_command_line(tree: Path, tmp_path: Path) -> None:
    words = (*COMMANDS["variantbuild"], tmp_path / "out", "--bundle", "v1,v2")
    build(tree, *words).ok()
    (wheel,) = (tmp_path / "out").iterdir()
    names = {each.name for each in unpack(wheel, tmp_path / "site").iterdir()}
    assert {f"whatami{SUFFIX}", f"whatami{SUFFIX}.v1", f"whatami{SUFFIX}.v2"} <= names
    refused = build(tree, *words, "--target", "v3")
    assert refused.code == 2
    assert "--bundle says what to build" in refused.stderr


def test_levels_one_after_another_give_the_same(tree: Path, tmp_path: Path) -> None:
    """Builds at the same time run in copies of the tree, and leave no build directory in it."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two CPUs")
    done = build(tree, *COMMANDS["build"], tmp_path / "both").ok()
    assert "bundle: building v1, v3, 2 at a time" in done.output
    assert "output of the build for v3:" in done.output
    assert not (tree / "build").exists()
    words = (*COMMANDS["build"], tmp_path / "single", "-Cvariantbuild.bundle-parallel=false")
    done = build(tree, *words).ok()
    assert "bundle: building v1, v3, one after another" in done.output
    both, single = ({**_members(tmp_path / name)} for name in ("both", "single"))
    assert both == single


def _members(folder: Path) -> dict[str, int]:
    """Return the checksums of the only wheel's members, without its record of the build."""
    (wheel,) = folder.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        own = ("RECORD", ".cdx.json")
        return {i.filename: i.CRC for i in archive.infolist() if not i.filename.endswith(own)}


@pytest.mark.parametrize("parallel", ["true", "false"])
def test_a_level_that_fails_leaves_nothing(parallel: str, tree: Path, tmp_path: Path) -> None:
    """The flags of one level are refused by the compiler."""
    out = tmp_path / "out"
    words = (*COMMANDS["build"], out, "-Cvariantbuild.bundle=v1;v3")
    words = (*words, f"-Cvariantbuild.bundle-parallel={parallel}")
    source = tree / "whatami.c"
    text = source.read_text("utf-8")
    source.unlink()
    source.write_text(f"#ifdef __AVX2__\n#error not here\n#endif\n{text}", "utf-8")
    done = build(tree, *words)
    assert done.code != 0
    assert "not here" in done.output
    assert list(out.glob("*")) == []


@pytest.mark.parametrize("parallel", ["true", "false"])
def test_no_level_sees_modules_of_another(parallel: str, tree: Path, tmp_path: Path) -> None:
    """As bottleneck has it: setup.py imports a module that remembers the directory of its tree."""
    (tree / "tools").mkdir()
    (tree / "tools/config.py").write_text(
        "import os\nHERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))\n",
        encoding="utf-8",
    )
    (tree / "setup.py").write_text(
        "import os, sys\nsys.path.insert(0, 'tools')\n"
        "from setuptools import Extension, setup\nfrom config import HERE\n"
        "assert os.path.samefile(HERE, '.'), (HERE, os.getcwd())\n"
        "setup(py_modules=[], ext_modules=[Extension('whatami', ['whatami.c'])])\n",
        encoding="utf-8",
    )
    words = (*COMMANDS["build"], tmp_path / "out", f"-Cvariantbuild.bundle-parallel={parallel}")
    build(tree, *words).ok()
    assert len([*(tmp_path / "out").iterdir()]) == 1


def test_code_for_more_than_the_level_is_refused(tree: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ("-Cvariantbuild.flags.c=-march=x86-64-v4", "-Cvariantbuild.bundle-parallel=false")
    done = build(tree, *COMMANDS["build"], out, *words)
    assert done.code != 0
    assert "not for every x86_64 CPU" in done.output
    assert list(out.glob("*")) == []


def test_a_record_of_flags_that_differs(tree: Path, tmp_path: Path) -> None:
    """As NumPy has it: a file that names the level, which is no module."""
    (tree / "setup.py").write_text(
        "from setuptools import Extension, setup\n"
        "import os, pathlib\n"
        "pathlib.Path('flags_used.py').write_text(f'flags = {os.urandom(8)}')\n"
        "setup(py_modules=['flags_used'], ext_modules=[Extension('whatami', ['whatami.c'])])\n",
        encoding="utf-8",
    )
    out = tmp_path / "out"
    done = build(tree, *COMMANDS["build"], out)
    assert done.code != 0
    assert "flags_used.py differs and is not a module or a library" in done.output
    assert "bundle-take-baseline" in done.output
    assert list(out.glob("*")) == []
    words = (*COMMANDS["build"], out, "-Cvariantbuild.bundle-take-baseline=flags_*.py")
    build(tree, *words).ok()
    assert [each.suffix for each in out.iterdir()] == [".whl"]
