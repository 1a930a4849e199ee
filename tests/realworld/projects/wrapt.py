"""Decorate a function by the compiled proxies."""

import wrapt
from wrapt import _wrappers


@wrapt.decorator
def twice(wrapped, instance, args, kwargs):
    return 2 * wrapped(*args, **kwargs)


@twice
def three() -> int:
    return 3


assert three() == 6
assert isinstance(three, _wrappers.FunctionWrapper)
assert _wrappers.ObjectProxy([1, 2]) == [1, 2]
