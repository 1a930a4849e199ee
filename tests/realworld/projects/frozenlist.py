"""Freeze a list, by the compiled class."""

from frozenlist import FrozenList, PyFrozenList

items = FrozenList([1, 2])
assert FrozenList is not PyFrozenList
items.append(3)
items.freeze()
assert hash(items) == hash((1, 2, 3))
try:
    items.append(4)
except RuntimeError:
    pass
else:
    raise AssertionError("not frozen")
