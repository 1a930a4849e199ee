"""Write and read JSON."""

import ujson

value = {
    "a": [1.5, 2.25, -3.125],
    "text": "ünï\n",
    "list": [{"id": i, "x": i / 3} for i in range(2000)],
}
assert ujson.loads(ujson.dumps(value)) == value


def loop() -> None:
    ujson.loads(ujson.dumps(value))
