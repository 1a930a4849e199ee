"""Pack and unpack by the Cython module."""

from msgpack import _cmsgpack

value = {"numbers": list(range(1000)), "text": "ü" * 40, "nested": [{"a": 1.5, "b": None}] * 200}
packed = _cmsgpack.Packer().pack(value)
assert _cmsgpack.unpackb(packed) == value


def loop() -> None:
    _cmsgpack.unpackb(_cmsgpack.Packer().pack(value))
