"""The file name of a wheel, and its version.

Source: the binary distribution format of the packaging specifications (PEP 427, 425, 491) and
the version scheme of PEP 440.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from variantbuild.errors import WheelError
from variantbuild.wheel.unsound import UnsoundWheelError

MAX_FILE_NAME = 255

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?")
_BUILD = re.compile(r"[0-9][A-Za-z0-9_.]*")
_TAG_SET = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*")
#: PEP 440's canonical form: a version that matches is already normalised, so packaging (25 ms to
#: import) is only needed for the others.
_CANONICAL = re.compile(
    r"(?:[1-9][0-9]*!)?(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))*"
    r"(?:(?:a|b|rc)(?:0|[1-9][0-9]*))?(?:\.post(?:0|[1-9][0-9]*))?(?:\.dev(?:0|[1-9][0-9]*))?"
    r"(?:\+(?:0|[1-9][0-9]*|[0-9]*[a-z][a-z0-9]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[a-z][a-z0-9]*))*)?"
)


class WheelFileName(NamedTuple):
    """The parts of `{name}-{version}[-{build}]-{pythons}-{abis}-{platforms}.whl` as written."""

    name: str
    version: str
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]
    build: str | None = None

    @classmethod
    def parse(cls, text: str) -> WheelFileName:
        """Parse a file name.

        Raises UnsoundWheelError unless it is the name of a wheel: wrong number of parts, characters
        other than ASCII letters, digits and `_.+!`, over 255 bytes, or not a PEP 440 version.
        """
        if not text.endswith(".whl"):
            raise UnsoundWheelError("its file name does not end with .whl")
        if not text.isascii():
            raise UnsoundWheelError("its file name is not ASCII")
        if len(text) > MAX_FILE_NAME:
            raise UnsoundWheelError("its file name is longer than 255 bytes")
        parts = text[:-4].split("-")
        if len(parts) not in (5, 6):
            raise UnsoundWheelError(f"its file name has {len(parts)} parts instead of 5 or 6")
        build = parts.pop(2) if len(parts) == 6 else None
        name, version, *tags = parts
        if _NAME.fullmatch(name) is None or "__" in name:
            raise UnsoundWheelError(
                f"its file name begins with {name!r}, which is not a valid project name"
            )
        if build is not None and _BUILD.fullmatch(build) is None:
            raise UnsoundWheelError(f"its file name has the invalid build tag {build!r}")
        for tag in tags:
            if _TAG_SET.fullmatch(tag) is None:
                raise UnsoundWheelError(f"its file name has the invalid tag {tag!r}")
        normal_version(version)
        pythons, abis, platforms = (tuple(tag.split(".")) for tag in tags)
        return cls(
            name=name, version=version, build=build, pythons=pythons, abis=abis, platforms=platforms
        )

    def __str__(self) -> str:
        build = () if self.build is None else (self.build,)
        tags = (".".join(self.pythons), ".".join(self.abis), ".".join(self.platforms))
        return "-".join((self.name, self.version, *build, *tags)) + ".whl"

    @property
    def tags(self) -> frozenset[str]:
        """Every single tag in the compressed sets (PEP 425), in lower case."""
        return frozenset(expand_tags(self.pythons, self.abis, self.platforms))


def expand_tags(
    pythons: tuple[str, ...], abis: tuple[str, ...], platforms: tuple[str, ...]
) -> Iterator[str]:
    """Yield each `python-abi-platform` of three compressed sets, in lower case."""
    for parts in product(pythons, abis, platforms):
        yield "-".join(parts).lower()


def normal_name(name: str) -> str:
    """Return the PEP 503 normal form of a project's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def normal_version(text: str) -> str:
    """Return the PEP 440 normal form of a version; raises UnsoundWheelError for other text."""
    if len(text) > MAX_FILE_NAME:
        raise UnsoundWheelError(
            f"its version {text[:80]!r}… is longer than {MAX_FILE_NAME} characters"
        )
    if _CANONICAL.fullmatch(text) is not None:
        return text
    from packaging.version import InvalidVersion, Version

    # packaging strips whitespace (it accepts "1.0+cu12\n"), which is refused here.
    if text.isascii() and text.isprintable() and " " not in text:
        try:
            return str(Version(text))
        except InvalidVersion:
            pass
    raise UnsoundWheelError(f"its version {text!r} is not a PEP 440 version")


def is_public_version(found: str, named: str) -> bool:
    """Tell whether `found` is the version `named` without its local part."""
    public, plus, _ = named.partition("+")
    try:
        return bool(plus) and same_version(found, public)
    except UnsoundWheelError:
        return False


def same_version(one: str, other: str) -> bool:
    """Tell whether two versions are equal by PEP 440: `1.0` and `1.0.0` are.

    Raises UnsoundWheelError for one that is not a version.
    """
    first, second = normal_version(one), normal_version(other)
    if first == second:
        return True
    from packaging.version import Version

    return Version(first) == Version(second)


def join_local(version: str, label: str) -> str:
    """Return `version` with `label` appended to its local part.

    A version that ends with the label already is returned unchanged, so stamping is idempotent.
    Raises WheelError for a label that is not in PEP 440's normal form: `CU12_V3` and `0012` would
    be normalised to other labels (`cu12.v3`, `12`).
    """
    try:
        normal = normal_version(f"0+{label}").removeprefix("0+")
    except UnsoundWheelError:
        raise WheelError(
            f"the label {label!r} is not valid in a version",
            hint="use letters, digits and dots, as in cu12.v3",
        ) from None
    if normal != label:
        raise WheelError(
            f"the label {label!r} would be normalised to {normal!r}", hint=f"use {normal}"
        )
    public, _, local = version.partition("+")
    if local == label or local.endswith(f".{label}"):
        return version
    return f"{public}+{local}.{label}" if local else f"{public}+{label}"
