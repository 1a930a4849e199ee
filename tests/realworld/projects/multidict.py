"""Keep several values for a key, by the compiled class."""

from multidict import CIMultiDict, _multidict, _testcapi

headers = CIMultiDict([("Accept", "a"), ("accept", "b"), ("X", "c")])
assert CIMultiDict is _multidict.CIMultiDict
assert _testcapi.__file__
assert headers.getall("ACCEPT") == ["a", "b"]


def loop() -> None:
    own = CIMultiDict((f"Header-{i % 50}", i) for i in range(2000))
    for i in range(2000):
        own.getall(f"header-{i % 50}")
