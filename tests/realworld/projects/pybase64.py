"""Encode and decode by the compiled module."""

import base64

import pybase64
from pybase64 import _pybase64

data = bytes(range(256)) * 4000
assert pybase64.b64encode is _pybase64.b64encode
text = pybase64.b64encode(data)
assert text == base64.b64encode(data)
assert pybase64.b64decode(text, validate=True) == data


def loop() -> None:
    pybase64.b64decode(pybase64.b64encode(data))
