from setuptools import Extension, setup

setup(
    ext_modules=[Extension("whatami_cxx", ["src/whatami_cxx.cpp"], language="c++")],
    py_modules=[],
)
