"""Write and read JSON."""

import rapidjson

value = {"a": [1.5, 2.25], "text": "ünï\n", "list": [{"id": i, "x": i / 3} for i in range(2000)]}
assert rapidjson.loads(rapidjson.dumps(value)) == value


def loop() -> None:
    rapidjson.loads(rapidjson.dumps(value))
