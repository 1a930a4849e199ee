"""Compiles the module with setuptools, in a build script of Poetry."""

import shutil
from pathlib import Path

from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

command = build_ext(Distribution({"name": "tiny", "ext_modules": [Extension("tiny", ["tiny.c"])]}))
command.ensure_finalized()
command.run()
for output in command.get_outputs():
    shutil.copy(output, Path("tinypkg", Path(output).name))
