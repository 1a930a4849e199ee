"""Hold VariantBuild.cmake, where scikit-build-core looks for CMake modules.

The entry point `cmake.module` names this package; `python -m variantbuild.cmake` prints its folder
for everyone else.
"""
