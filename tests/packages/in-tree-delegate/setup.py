from setuptools import Extension, setup

setup(ext_modules=[Extension("whatami_tree", ["whatami_tree.c"])], py_modules=[])
