"""A separate program: query NVIDIA's driver libraries for versions and GPUs, and print JSON.

It runs in its own process, so that a driver that hangs or crashes does not affect the build.
NVML is tried first, then libcuda, since a Jetson may have no NVML. Sources: NVML API
reference; CUDA driver API, CUdevice_attribute 75 and 76.
"""

from __future__ import annotations

import ctypes
import json
import sys

_DIRECTORIES = ("", "/usr/lib/wsl/lib/", "/usr/local/nvidia/lib64/", "/run/opengl-driver/lib/")
_NAME_SIZE = 96  # NVML_DEVICE_NAME_V2_BUFFER_SIZE


class QueryError(Exception):
    """A library is missing or returned an error code."""


def _load(linux: str, windows: str) -> ctypes.CDLL:
    names = (
        [windows] if sys.platform == "win32" else [directory + linux for directory in _DIRECTORIES]
    )
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise QueryError(f"{names[0]} cannot be loaded")


def _call(library: ctypes.CDLL, name: str, *args: object) -> None:
    try:
        status = getattr(library, name)(*args)
    except AttributeError:
        raise QueryError(f"no {name}") from None
    if status != 0:
        raise QueryError(f"{name} returned {status}")


def query_nvml() -> dict[str, object]:
    """Return driver, CUDA version and GPUs as NVML reports them."""
    nvml = _load("libnvidia-ml.so.1", "nvml.dll")
    _call(nvml, "nvmlInit_v2")
    text = ctypes.create_string_buffer(_NAME_SIZE)
    _call(nvml, "nvmlSystemGetDriverVersion", text, _NAME_SIZE)
    driver = text.value.decode("ascii", "replace")
    number, major, minor = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    _call(nvml, "nvmlSystemGetCudaDriverVersion_v2", ctypes.byref(number))
    count = ctypes.c_uint()
    _call(nvml, "nvmlDeviceGetCount_v2", ctypes.byref(count))
    gpus = []
    for index in range(count.value):
        device = ctypes.c_void_p()
        _call(nvml, "nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(device))
        _call(nvml, "nvmlDeviceGetName", device, text, _NAME_SIZE)
        _call(
            nvml,
            "nvmlDeviceGetCudaComputeCapability",
            device,
            ctypes.byref(major),
            ctypes.byref(minor),
        )
        gpus.append([text.value.decode("utf-8", "replace"), major.value, minor.value])
    return {"library": "NVML", "driver": driver, "cuda": number.value, "gpus": gpus}


def query_libcuda() -> dict[str, object]:
    """Return CUDA version and GPUs as the driver's own library reports them."""
    cuda = _load("libcuda.so.1", "nvcuda.dll")
    _call(cuda, "cuInit", ctypes.c_uint(0))
    number, count, value = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
    _call(cuda, "cuDriverGetVersion", ctypes.byref(number))
    _call(cuda, "cuDeviceGetCount", ctypes.byref(count))
    text = ctypes.create_string_buffer(_NAME_SIZE)
    gpus = []
    for index in range(count.value):
        device = ctypes.c_int()
        _call(cuda, "cuDeviceGet", ctypes.byref(device), index)
        _call(cuda, "cuDeviceGetName", text, _NAME_SIZE, device)
        capability = []
        for attribute in (75, 76):
            _call(cuda, "cuDeviceGetAttribute", ctypes.byref(value), attribute, device)
            capability.append(value.value)
        gpus.append([text.value.decode("utf-8", "replace"), *capability])
    return {"library": "libcuda", "driver": "", "cuda": number.value, "gpus": gpus}


def main() -> None:
    """Print the first answer, or all errors."""
    errors = []
    for query in (query_nvml, query_libcuda):
        try:
            print(json.dumps(query()))
        except QueryError as error:
            errors.append(str(error))
        else:
            return
    print(json.dumps({"error": "; ".join(errors)}))


if __name__ == "__main__":
    main()
