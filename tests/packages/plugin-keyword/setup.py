from setuptools import setup

# In two parts, so that only the keyword itself shows that the plugin is used.
setup(py_modules=[], **{"cmake_" + "source_dir": "."})
