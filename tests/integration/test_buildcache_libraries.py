"""The libraries that compiled modules need, as the build cache reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from variantbuild.buildcache.libraries import linked_outside
from wheels.forge import Draft
from workshop import SOURCES


@pytest.mark.compile
@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_run_paths_are_read_from_the_files(tmp_path: Path, tags: str) -> None:
    draft = Draft()
    compile_module(tmp_path, f"-Wl,{tags},-rpath,/opt/far/lib:$ORIGIN/../near.libs")
    draft.drop("demo/core.so")
    draft.add("demo/m.so", (tmp_path / "m.so").read_bytes())
    path = tmp_path / draft.file_name
    path.write_bytes(draft.build())
    assert linked_outside(path) == ("libc.so.6:/opt/far/lib:$ORIGIN/../near.libs",)


def compile_module(directory: Path, *words: str) -> None:
    """Compile a module that needs libc."""
    source, output = SOURCES / "libc_module.c", directory / "m.so"
    subprocess.run(["gcc", "-shared", "-fPIC", *words, source, "-o", output], check=True)
