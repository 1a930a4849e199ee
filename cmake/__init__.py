"""The CMake module VariantBuild.cmake, as a package that scikit-build-core finds.

The entry point `cmake.module` names this package. For other projects,
`python -m variantbuild.cmake` prints its directory.
"""
