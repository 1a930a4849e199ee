"""Compress and decompress, by the C extension and by the CFFI one."""

import zstandard
from zstandard import _cffi, backend_c

data = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(60_000))
packed = backend_c.ZstdCompressor(level=3).compress(data)
assert zstandard.decompress(packed) == data
assert _cffi.lib.ZSTD_versionNumber() >= 10500


def loop() -> None:
    backend_c.ZstdCompressor(level=3).compress(data)
    backend_c.ZstdDecompressor().decompress(packed)
