"""Lets setuptools compile the module into the directory that the last argument names."""

import os
import shutil
import sys
from pathlib import Path

out = Path(sys.argv.pop()).resolve()
os.chdir(Path(__file__).resolve().parent)

from setuptools import Extension, setup  # noqa: E402

setup(
    name="demo",
    script_args=["build_ext", f"--build-lib={out}/lib", f"--build-temp={out}/objects"],
    ext_modules=[Extension("demo._m", ["src/_m.c"])],
)
for module in (out / "lib" / "demo").iterdir():
    shutil.copy(module, out)
