"""Write and read JSON by the compiled functions."""

import simplejson
from simplejson import _speedups, encoder, scanner

assert encoder.c_make_encoder is _speedups.make_encoder
assert scanner.c_make_scanner is _speedups.make_scanner
value = {
    "a": [1.5, 2.25, -3.125],
    "text": "ünï\n",
    "list": [{"id": i, "x": i / 3} for i in range(2000)],
}
assert simplejson.loads(simplejson.dumps(value)) == value


def loop() -> None:
    simplejson.loads(simplejson.dumps(value))
