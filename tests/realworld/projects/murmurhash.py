"""Hash text to known values."""

from murmurhash import mrmr

assert mrmr.hash("") == 0
assert mrmr.hash("hello", 0) == mrmr.hash(b"hello", 0) == 613153351
data = bytes(range(256)) * 40_000


def loop() -> None:
    mrmr.hash_bytes(data)
