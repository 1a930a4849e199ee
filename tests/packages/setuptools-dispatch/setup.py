from setuptools import Extension, setup

kernel = {"sources": ["kernel.c"], "cflags": ["-fPIC", "-mavx512f", "-mavx512vl"]}
setup(
    ext_modules=[Extension("chooser", ["chooser.c"])],
    libraries=[("kernel", kernel)],
    py_modules=[],
)
