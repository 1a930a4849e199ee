"""A stamped wheel carries its record, which the command audit reads back."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from variantbuild.stamp.sbom import parse_provenance

pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(sysconfig.get_platform() != "linux-x86_64", reason="compiles for x86-64"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="no gcc here"),
]

_FILES = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["variantbuild"]\nbuild-backend = "variantbuild"\n'
        '[project]\nname = "tiny"\nversion = "1.0"\n[tool.variantbuild]\ncpu = "v3"\n'
    ),
    "setup.py": (
        "from setuptools import Extension, setup\n"
        'setup(ext_modules=[Extension("tiny", ["tiny.c"])])\n'
    ),
    "tiny.c": (
        "#include <Python.h>\n"
        'static struct PyModuleDef def = {PyModuleDef_HEAD_INIT, "tiny", 0, -1, 0};\n'
        "void add(int *a, int *b) { for (int i = 0; i < 999; i++) a[i] += b[i]; }\n"
        "PyMODINIT_FUNC PyInit_tiny(void) { return PyModule_Create(&def); }\n"
    ),
}


def test_record_in_a_stamped_wheel(tmp_path: Path) -> None:
    for name, text in _FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ours = [sys.executable, "-m", "variantbuild"]
    build = [*ours, "build", str(tmp_path), "-o", str(tmp_path / "out"), "--no-isolation"]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    [wheel] = (tmp_path / "out").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read("tiny-1.0+v3.dist-info/sboms/variantbuild.cdx.json")
    recorded = parse_provenance(data)
    assert recorded["variantbuild:declared:variant"] == "v3"
    assert "-march=x86-64-v3" in recorded["variantbuild:declared:flags:c"]
    assert str(tmp_path) not in data.decode()
    audited = subprocess.run(
        [*ours, "audit", str(wheel)], capture_output=True, text=True, check=False
    )
    assert audited.returncode == 0, audited.stdout
    assert "declared v3" in audited.stdout
