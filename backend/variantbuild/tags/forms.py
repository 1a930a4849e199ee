"""The ways to write a variant into the platform tags of a wheel.

Works on the suffix of the platform tag, so that no knowledge of variants is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

#: Where the variant's tag is used: next to the plain tag (set), instead of it (specific), instead
#: of it in the file name only (hybrid), or nowhere (plain).
TagForm = Literal["set", "specific", "hybrid", "plain"]
FORMS: tuple[TagForm, ...] = get_args(TagForm)


def name_platforms(
    form: TagForm, suffix: str, in_file: Sequence[str], in_wheel: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the platform tags for the file name and for WHEEL.

    `in_file` and `in_wheel` are the plain platforms of both (`linux_x86_64`), `suffix` is the
    variant's (`_v3`), empty without a stamp. A set in a file name is sorted (PEP 425);
    WHEEL keeps its order, plain tags first.
    """
    specific_file = tuple(platform + suffix for platform in in_file)
    specific_wheel = tuple(platform + suffix for platform in in_wheel)
    both_wheel = tuple(dict.fromkeys((*in_wheel, *specific_wheel)))
    match form:
        case "plain":
            return tuple(in_file), tuple(in_wheel)
        case "specific":
            return specific_file, specific_wheel
        case "set":
            return tuple(sorted({*in_file, *specific_file})), both_wheel
        case "hybrid":
            return specific_file, both_wheel
