from setuptools import Extension, setup

setup(ext_modules=[Extension("demo._m", ["src/_m.c"])], packages=["demo"])
