"""A package with one module, which the build script compiles."""
