"""The forms in which a variant stands among the platform tags of a wheel.

Imports nothing of the variants themselves: what relabels a wheel knows the suffix already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

#: How a variant's tag stands beside the plain one: both everywhere (set), alone (specific), alone
#: in the file name (hybrid), or not at all (plain).
TagForm = Literal["set", "specific", "hybrid", "plain"]
FORMS: tuple[TagForm, ...] = get_args(TagForm)


def name_platforms(
    form: TagForm, suffix: str, in_file: Sequence[str], in_wheel: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the platform tags for the file name and for WHEEL.

    `in_file` and `in_wheel` are the plain platforms of both (`linux_x86_64`), `suffix` is the
    variant's (`_v3`), empty for what is not stamped. A set in a file name is sorted (PEP 425);
    WHEEL keeps its order, plain tags in front.
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
