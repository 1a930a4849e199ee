"""Switch between two greenlets."""

from greenlet import getcurrent, greenlet

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
