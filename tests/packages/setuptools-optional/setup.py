from setuptools import Extension, setup

setup(ext_modules=[Extension("demo._m", ["src/m.c"], optional=True)], packages=["demo"])
