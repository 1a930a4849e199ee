"""Compress and decompress."""

import brotli

data = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(20_000))
packed = brotli.compress(data, quality=5)
assert brotli.decompress(packed) == data


def loop() -> None:
    brotli.compress(data, quality=5)
    brotli.decompress(packed)
