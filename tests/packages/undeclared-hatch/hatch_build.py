"""Compiles the module with setuptools, in a hook of hatchling."""

import shutil
from pathlib import Path

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface):
    def initialize(self, version, build_data):
        from setuptools import Distribution, Extension
        from setuptools.command.build_ext import build_ext

        module = Extension("tiny", ["tiny.c"])
        command = build_ext(Distribution({"name": "tiny", "ext_modules": [module]}))
        command.ensure_finalized()
        command.run()
        for output in command.get_outputs():
            shutil.copy(output, Path("tinypkg", Path(output).name))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
