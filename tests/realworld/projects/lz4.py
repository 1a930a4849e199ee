"""Compress and decompress a block and a frame."""

import lz4.block
import lz4.frame

data = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(60_000))
assert lz4.block.decompress(lz4.block.compress(data)) == data
assert lz4.frame.decompress(lz4.frame.compress(data)) == data


def loop() -> None:
    lz4.block.decompress(lz4.block.compress(data))
