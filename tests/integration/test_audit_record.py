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


def test_record_in_a_stamped_wheel(setuptools_tiny: Path, tmp_path: Path) -> None:
    ours = [sys.executable, "-m", "variantbuild"]
    build = [*ours, "build", str(setuptools_tiny), "-o", str(tmp_path / "out"), "--no-isolation"]
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
