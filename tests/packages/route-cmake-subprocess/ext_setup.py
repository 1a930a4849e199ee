from setuptools import Extension, setup

setup(name="demo", ext_modules=[Extension("demo._m", ["src/_m.c"])], packages=["demo"])
