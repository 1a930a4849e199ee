"""Hash a short text to its published value, and much data."""

import xxhash

assert xxhash.xxh32(b"").hexdigest() == "02cc5d05"
assert xxhash.xxh64(b"").hexdigest() == "ef46db3751d8e999"
assert xxhash.xxh3_64(b"").hexdigest() == "2d06800538d394c2"
data = bytes(range(256)) * 40_000


def loop() -> None:
    xxhash.xxh3_64_digest(data)
