"""Hash a short text to its published value, and much data."""

import mmh3

assert mmh3.hash("foo") == -156908512
assert mmh3.hash128(b"", 0) == 0
data = bytes(range(256)) * 40_000


def loop() -> None:
    mmh3.hash_bytes(data)
