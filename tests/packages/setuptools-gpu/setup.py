import json
import os
import pathlib

from setuptools import Extension, setup

SOURCES = ["src/module.cpp"]
DEFINES = []
NVCC = ["-lineinfo"]
if os.environ.get("_VARIANTBUILD_ACCELERATOR") and not os.environ.get("SKIP_DEVICE_CODE"):
    SOURCES.append("src/kernel.cu")
    DEFINES.append(("HAS_KERNEL", "1"))
if extra := os.environ.get("EXTRA_ARCHITECTURE"):
    NVCC.append(f"-gencode=arch=compute_{extra},code=sm_{extra}")
if path := os.environ.get("WRITE_VARIABLES"):
    pathlib.Path(path).write_text(json.dumps(dict(os.environ)))

setup(
    ext_modules=[
        Extension(
            "setuptools_gpu",
            SOURCES,
            define_macros=DEFINES,
            extra_compile_args={"cxx": ["-DPLAIN_CXX"], "nvcc": NVCC, "hipcc": []},
        )
    ]
)
