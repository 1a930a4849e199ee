"""Decompresses the beginning of zstd data, with whichever library is installed.

Python 3.14 includes zstd; older versions need `zstandard`, part of the extra `audit`.
"""

from __future__ import annotations

from variantbuild.binary.devicecode.fatbin import DeviceCodeError
from variantbuild.binary.elf import Data


def decompress_start(data: Data, at: int, limit: int) -> bytes:
    """Return at most `limit` first bytes of the zstd frame at `at`.

    Reads at most `limit` compressed bytes. Raises DeviceCodeError if the data is damaged or no
    library is installed.
    """
    packed = bytes(data[at : min(at + limit, len(data))])
    try:
        return _builtin(packed, limit)
    except ImportError:
        return _zstandard(packed, limit)


def _builtin(packed: bytes, limit: int) -> bytes:
    import importlib

    zstd = importlib.import_module("compression.zstd")
    try:
        raw: bytes = zstd.ZstdDecompressor().decompress(packed, limit)
    except zstd.ZstdError as error:
        raise _damaged(error) from error
    return raw


def _zstandard(packed: bytes, limit: int) -> bytes:
    import importlib
    import io

    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError as error:
        raise DeviceCodeError(
            "the device code is compressed with zstd, and no zstd library is installed",
            hint="install variantbuild[audit]",
        ) from error
    try:
        raw: bytes = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read(limit)
    except zstandard.ZstdError as error:
        raise _damaged(error) from error
    return raw


def _damaged(error: Exception) -> DeviceCodeError:
    return DeviceCodeError(f"compressed device code is damaged: {error}")
