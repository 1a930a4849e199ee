"""A project without accelerators pays nothing for them: no module loaded, no program started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from workshop import run

HOOKS = """
import sys, variantbuild
directory = sys.argv[1]
variantbuild.get_requires_for_build_wheel()
print(variantbuild.build_wheel(directory))
parts = ("accelerator", "probe.accelerators", "probe.cuda", "probe.rocm", "probe.nvidia")
names = tuple(f"variantbuild.{part}" for part in parts)
print("loaded:", *(name for name in sys.modules if name.startswith(names)))
"""


def fake_tools(directory: Path, log: Path) -> None:
    """Put nvcc, hipcc and nvidia-smi into `directory`; each writes its name to `log` if called."""
    directory.mkdir()
    for name in ("nvcc", "hipcc", "hipconfig", "nvidia-smi"):
        (directory / name).write_text(f"#!/bin/sh\necho {name} >> {log}\n")
        (directory / name).chmod(0o755)


@pytest.mark.compile
@pytest.mark.parametrize(("accelerators", "none"), [("", True), ("cuda;rocm", False)])
def test_nothing_is_probed_or_imported_where_none_is_asked_for(
    setuptools_c: Path, accelerators: str, none: bool, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    fake_tools(tmp_path / "fakes", log)
    env = {name: value for name, value in os.environ.items() if "CUDA" not in name}
    env |= {"PATH": f"{tmp_path / 'fakes'}:{env['PATH']}"}
    if accelerators:
        env["VARIANTBUILD_ACCELERATORS"] = accelerators
    done = run(sys.executable, "-c", HOOKS, str(tmp_path), cwd=setuptools_c, env=env)
    assert log.exists() is not none
    if none:
        assert done.ok().stdout.splitlines()[-1] == "loaded:"
    else:
        assert "CUDA cannot be used" in done.stderr
