"""A C, a C++ and a Fortran extension, and a program that is built and run on the way."""

import os
import shlex
import subprocess

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext


def words(name, default=""):
    return shlex.split(os.environ.get(name, default))


class BuildExt(build_ext):
    """Run a generator first; compile Fortran with FC and FFLAGS, as build scripts do."""

    def run(self):
        generator = os.path.join(self.build_temp, "generator")
        header = os.path.join(self.build_temp, "answer.h")
        os.makedirs(self.build_temp, exist_ok=True)
        compiler = words("CC", "cc")
        # All variables that a build script may use for a program, LDFLAGS among them.
        call = [*compiler, *words("CFLAGS"), "generator.c", "-o", generator, *words("LDFLAGS")]
        subprocess.run(call, check=True)
        with open(header, "w") as out:
            subprocess.run([generator], stdout=out, check=True)
        self.include_dirs = [*self.include_dirs, self.build_temp]
        super().run()

    def build_extension(self, ext):
        if ext.name == "flagged_f":
            made = os.path.join(self.build_temp, "sums.o")
            call = [*words("FC", "gfortran"), *words("FFLAGS"), "-fPIC", "-c", "sums.f90"]
            subprocess.run([*call, "-o", made], check=True)
            ext.extra_objects = [made]
        super().build_extension(ext)


names = ["flagged_c", "flagged_cxx"]
if os.environ.get("WITH_FORTRAN"):
    names.append("flagged_f")
sources = {"flagged_c": "module.c", "flagged_cxx": "modulexx.cpp", "flagged_f": "modulef.c"}
setup(
    ext_modules=[Extension(name, [sources[name]], depends=[]) for name in names],
    cmdclass={"build_ext": BuildExt},
)
