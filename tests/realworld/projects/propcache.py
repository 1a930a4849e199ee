"""Cache a property, by the compiled class."""

from propcache import _helpers_c
from propcache.api import cached_property


class Thing:
    calls = 0

    @cached_property
    def value(self) -> int:
        self.calls += 1
        return 42


assert cached_property is _helpers_c.cached_property
thing = Thing()
assert thing.value == thing.value == 42
assert thing.calls == 1
