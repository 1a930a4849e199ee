from setuptools import Extension, setup
setup(ext_modules=[Extension("tiny", ["tiny.c"])])
