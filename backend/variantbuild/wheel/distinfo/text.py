"""Text members of a wheel: UTF-8 without a byte-order mark."""

from __future__ import annotations

from variantbuild.wheel.unsound import UnsoundWheelError


def decode_text(data: bytes, member: str) -> str:
    """Return the text of `data`, the contents of `member`.

    Raises UnsoundWheelError if it is not UTF-8 or begins with a byte-order mark.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsoundWheelError("it is not UTF-8", member=member) from None
    if text.startswith("\ufeff"):
        raise UnsoundWheelError("it begins with a byte-order mark", member=member)
    return text
