from setuptools import Extension, setup

setup(ext_modules=[Extension("whatami", ["whatami.c"])], py_modules=[])
