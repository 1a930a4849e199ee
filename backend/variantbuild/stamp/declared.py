"""Which variant a wheel declares, read from its file name, from WHEEL and from its version.

    declared = read_declared(inventory)
    declared.variant          the variant, None for a wheel without a label
    declared.contradictions   what its file name, WHEEL and version disagree about
    check_declared(declared)  raises for a contradiction and for the suffix of another tool

`audit`, `stamp`, `unstamp` and `repair` all use this module, so they report the same contradictions
in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from variantbuild.errors import VariantError, WheelError
from variantbuild.stamp import Stamp, plan_stamp
from variantbuild.stamp.claims import Claim, Contradiction, Place, find_contradictions, listed
from variantbuild.tags.platform import PlatformTag
from variantbuild.values import dataclass
from variantbuild.variant import Variant
from variantbuild.wheel.verify import Inventory


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadTag:
    """A platform tag: its plain platform and architectures, and the variant after them.

    `variant` is None for a plain tag. `unknown` is set if the tag ends with something that is not a
    variant: the suffix of another tool.
    """

    text: str
    platform: str
    architectures: tuple[str, ...]
    variant: Variant | None = None
    unknown: VariantError | None = None

    @property
    def is_plain(self) -> bool:
        """Return whether the tag only names a platform."""
        return self.variant is None and self.unknown is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What the wheel called `wheel` declares: its platform tags, and the labels in `version`.

    `in_wheel` is None where WHEEL is not known. `labels` are the variants that the version names,
    the last one first.
    """

    wheel: str
    version: str
    in_file: tuple[ReadTag, ...]
    in_wheel: tuple[ReadTag, ...] | None
    labels: tuple[Variant, ...]

    @property
    def tags(self) -> tuple[ReadTag, ...]:
        """The tags of the file name and of WHEEL."""
        return (*self.in_file, *(self.in_wheel or ()))

    @property
    def platforms(self) -> tuple[str, ...]:
        """The plain platforms of WHEEL, each once, in order, else of the file name."""
        return _unique(tag.platform for tag in self.in_wheel or self.in_file)

    @property
    def architectures(self) -> tuple[str, ...]:
        """The CPU architectures that the tags name, each once; none for `any`."""
        return _unique(arch for tag in self.tags for arch in tag.architectures)

    @property
    def variant(self) -> Variant | None:
        """The variant that the tags declare, else the version; None for neither."""
        in_tags = [tag.variant for tag in self.tags if tag.variant is not None]
        in_version = [label for label in self.labels if not label.is_baseline]
        return next(iter((*in_tags, *in_version)), None)

    @property
    def unknown(self) -> tuple[VariantError, ...]:
        """The errors for tags that end with something that is not a variant, each once."""
        errors = {tag.text: tag.unknown for tag in self.tags if tag.unknown is not None}
        return tuple(errors.values())

    @property
    def contradictions(self) -> tuple[Contradiction, ...]:
        """The contradictions among file name, WHEEL and version."""
        return tuple(
            find_contradictions(
                self.wheel,
                in_file=_claims(self.in_file, "file name"),
                in_wheel=None if self.in_wheel is None else _claims(self.in_wheel, "WHEEL"),
                in_version=[
                    Claim(variant=label, place="version", text=self.version)
                    for label in self.labels
                ],
                architectures=self.architectures,
            )
        )


def read_declared(inventory: Inventory) -> Declared:
    """Return what a verified wheel declares."""
    return declare(
        inventory.path.name,
        version=inventory.version,
        file_platforms=inventory.file_name.platforms,
        wheel_platforms=inventory.wheel_platforms,
    )


def declare(
    wheel: str,
    *,
    version: str,
    file_platforms: Sequence[str],
    wheel_platforms: Sequence[str] | None,
) -> Declared:
    """Return what a wheel of this name, version and these platform tags declares.

    `wheel_platforms` is None where WHEEL is not known.
    """
    in_file = tuple(map(_read_tag, file_platforms))
    in_wheel = None if wheel_platforms is None else tuple(map(_read_tag, wheel_platforms))
    tags = (*in_file, *(in_wheel or ()))
    architectures = _unique(arch for tag in tags for arch in tag.architectures)
    labels = (_labels(version, arch) for arch in architectures)
    return Declared(
        wheel=wheel,
        version=version,
        in_file=in_file,
        in_wheel=in_wheel,
        labels=next(filter(None, labels), ()),
    )


def check_declared(declared: Declared) -> None:
    """Refuse a wheel that contradicts itself, or that has a tag with an unknown suffix.

    Raises WheelError and VariantError.
    """
    for error in declared.unknown:
        raise VariantError(error.message, hint=error.hint)
    for contradiction in declared.contradictions:
        raise WheelError(
            str(contradiction), hint="`variantbuild unstamp` removes every variant from a wheel"
        )


def check_stamp(inventory: Inventory, stamp: Stamp, variant: Variant) -> None:
    """Refuse a stamp with which a wheel would contradict itself; raises WheelError.

    `1.0+v2` of a project cannot become `1.0+v2.v3`, nor can a label name another variant than the
    tags.
    """
    plan = plan_stamp(inventory, stamp)
    declared = declare(
        str(plan.file_name),
        version=plan.version,
        file_platforms=stamp.file_platforms,
        wheel_platforms=stamp.wheel_platforms,
    )
    for contradiction in declared.contradictions:
        raise WheelError(
            f"{inventory.path.name} cannot be stamped as {variant}: {contradiction}",
            hint="change its local version, or choose another label",
        )


def single_architecture(declared: Declared) -> str:
    """Return the CPU architecture of a wheel; raises WheelError for none and for several."""
    found = declared.architectures
    if len(found) != 1:
        raise WheelError(
            f"{declared.wheel} is tagged for {listed(found) or 'no CPU architecture'}, and a "
            "variant needs exactly one"
        )
    return found[0]


def _read_tag(text: str) -> ReadTag:
    try:
        tag = PlatformTag.parse(text)
    except VariantError as error:
        return ReadTag(text=text, platform=text, architectures=(), unknown=error)
    return ReadTag(
        text=text,
        platform=tag.plain,
        architectures=tag.architectures,
        variant=tag.variant if tag.is_stamped else None,
    )


def _claims(tags: Sequence[ReadTag], place: Place) -> tuple[Claim, ...]:
    """Return the variants that tags declare, each with the first tag that does."""
    first: dict[Variant, Claim] = {}
    for tag in tags:
        if tag.variant is not None:
            first.setdefault(tag.variant, Claim(variant=tag.variant, place=place, text=tag.text))
    return tuple(first.values())


def _labels(version: str, arch: str) -> tuple[Variant, ...]:
    """Return the variants that the end of a local version names, the last one first.

    `1.0+local.2.v3` names v3; `1.0+v2.v3` names two.
    """
    local = version.partition("+")[2]
    words = local.split(".") if local else []
    found: list[Variant] = []
    while words:
        readings = ((at, _read_label(words[at:], arch)) for at in range(len(words)))
        at, label = next((each for each in readings if each[1] is not None), (0, None))
        if label is None:
            break
        found.append(label)
        words = words[:at]
    return tuple(found)


def _read_label(words: Sequence[str], arch: str) -> Variant | None:
    try:
        variant = Variant.parse(".".join(words), arch)
    except VariantError:
        return None
    # The name of the architecture (`+aarch64`) in a version is not a label.
    return None if "_".join(words) == arch else variant


def _unique(words: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
