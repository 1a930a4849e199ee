import os

from setuptools import Extension, setup

SOURCES = ["src/module.cpp"]
DEFINES = []
if os.environ.get("_VARIANTBUILD_ACCELERATOR") and not os.environ.get("SKIP_DEVICE_CODE"):
    SOURCES.append("src/kernel.cu")
    DEFINES.append(("HAS_KERNEL", "1"))

setup(
    ext_modules=[
        Extension(
            "setuptools_gpu",
            SOURCES,
            define_macros=DEFINES,
            extra_compile_args={"cxx": ["-DPLAIN_CXX"], "nvcc": ["-lineinfo"], "hipcc": []},
        )
    ]
)
