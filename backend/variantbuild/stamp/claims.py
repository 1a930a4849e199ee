"""The claims of a wheel's parts, and the contradictions among them.

The only module that defines and words contradictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from variantbuild.values import dataclass
from variantbuild.variant import Variant

Place = Literal["file name", "WHEEL", "version"]
ContradictionKind = Literal["variants", "architectures", "not-in-wheel"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A variant, and the platform tag or version that declares it."""

    variant: Variant
    place: Place
    text: str

    def __str__(self) -> str:
        match self.place:
            case "file name":
                return f"{self.variant} by the tag {self.text} in the file name"
            case "WHEEL":
                return f"{self.variant} by the tag {self.text} in WHEEL"
            case "version":
                return f"{self.variant} by the version {self.text}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """Claims of one wheel that cannot all be true; its text is one sentence."""

    kind: ContradictionKind
    wheel: str
    claims: tuple[Claim, ...]
    architectures: tuple[str, ...] = ()

    def __str__(self) -> str:
        claims = listed(map(str, self.claims))
        match self.kind:
            case "variants":
                return f"{self.wheel} declares different variants: {claims}"
            case "architectures":
                tagged = listed(self.architectures)
                return f"{self.wheel} declares {claims}, but is tagged for {tagged}"
            case "not-in-wheel":
                return f"{self.wheel} declares {claims}, which WHEEL does not declare"


def find_contradictions(
    wheel: str,
    *,
    in_file: Sequence[Claim],
    in_wheel: Sequence[Claim] | None,
    in_version: Sequence[Claim],
    architectures: tuple[str, ...],
) -> Iterator[Contradiction]:
    """Yield the contradictions among the claims of `wheel`.

    Tags must all declare the same variant. A version may name fewer axes than the tags, or an axis
    that they leave out (`1.0+cu12` of a project, tagged `_v3`), but nothing else on the same axis.
    `in_wheel` is None if WHEEL is unknown.
    """
    tags = (*in_file, *(in_wheel or ()))
    claims = (*tags, *in_version)
    others = [each for each in tags[1:] if str(each.variant) != str(tags[0].variant)]
    others += [each for each in in_version if conflict(claims[0].variant, each.variant)]
    if others:
        first: dict[str, Claim] = {}
        for each in (claims[0], *others):
            first.setdefault(str(each.variant), each)
        yield Contradiction(kind="variants", wheel=wheel, claims=tuple(first.values()))
    if claims and len(architectures) > 1:
        yield Contradiction(
            kind="architectures", wheel=wheel, claims=claims[:1], architectures=architectures
        )
    if in_wheel is not None:
        known = {each.variant for each in in_wheel}
        lacking = tuple(each for each in in_file if each.variant not in known)
        if lacking:
            yield Contradiction(kind="not-in-wheel", wheel=wheel, claims=lacking)


def conflict(one: Variant, other: Variant) -> bool:
    """Return whether two variants have different values on the same axis."""
    pairs = (
        (one.cpu, other.cpu),
        (one.accelerator, other.accelerator),
        (one.distro, other.distro),
    )
    return any(a is not None and b is not None and a != b for a, b in pairs)


def listed(words: Iterable[str]) -> str:
    """Return `words` as an English list: `a, b and c`."""
    *head, last = (*words,) or ("",)
    return f"{', '.join(head)} and {last}" if head else last
