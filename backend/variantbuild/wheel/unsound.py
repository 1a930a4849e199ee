"""The error for a wheel that fails a check: which wheel, which member, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from variantbuild.errors import WheelError


class UnsoundWheelError(WheelError):
    """A wheel breaks a rule; names the wheel, the member and the rule.

    `reason` is the clause without the names, `member` the member's name (None for the archive as a
    whole) and `wheel` the file name, filled in by `naming_wheel`. Names are escaped, as they come
    from an untrusted archive.
    """

    def __init__(self, reason: str, *, member: str | None = None, hint: str | None = None) -> None:
        self.reason = reason
        self.member = member
        self.wheel: str | None = None
        super().__init__(self._sentence(), hint=hint)

    def _sentence(self) -> str:
        parts = [] if self.wheel is None else [shown(self.wheel)]
        if self.member is not None:
            parts.append(f"member {shown(self.member)!s}")
        return ": ".join([*parts, self.reason])

    def name_wheel(self, wheel: str) -> None:
        """Prefix the message with the wheel's file name, once."""
        if self.wheel is None:
            self.wheel = wheel
            self.message = self._sentence()


def shown(name: str) -> str:
    """Return `name` for printing: escaped where necessary, and cut at 200 characters."""
    short = name if len(name) <= 200 else f"{name[:200]}…"
    return short if short.isprintable() and "'" not in short and short else ascii(short)


@contextmanager
def naming_wheel(wheel: str) -> Iterator[None]:
    """Add the name `wheel` to every UnsoundWheelError that leaves the block."""
    try:
        yield
    except UnsoundWheelError as unsound:
        unsound.name_wheel(wheel)
        raise
