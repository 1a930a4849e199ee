"""Write and read JSON."""

import orjson

value = {"a": [1.5, 2.25], "text": "ünï\n", "list": [{"id": i, "x": i / 3} for i in range(5000)]}
assert orjson.loads(orjson.dumps(value)) == value


def loop() -> None:
    orjson.loads(orjson.dumps(value))
