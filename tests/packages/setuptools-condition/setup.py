import sys

from setuptools import Extension, setup

here = sys.platform == "plan9"
setup(ext_modules=[Extension("demo._m", ["src/m.c"])] if here else [], packages=["demo"])
