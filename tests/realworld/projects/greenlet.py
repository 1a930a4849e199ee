"""Switch between two greenlets."""

from greenlet import getcurrent, greenlet
from greenlet.tests import _test_extension, _test_extension_cpp

assert _test_extension.test_getcurrent() is None  # it raises where the two disagree
assert _test_extension_cpp.test_exception_switch
seen = []


def child() -> str:
    seen.append(1)
    main.switch()
    seen.append(3)
    return "done"


main = getcurrent()
other = greenlet(child)
other.switch()
seen.append(2)
assert other.switch() == "done"
assert seen == [1, 2, 3]
