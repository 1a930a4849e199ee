from setuptools import Extension, setup

setup(ext_modules=[Extension("tiny", ["tiny.c"], extra_compile_args=["-march=x86-64-v4"])])
