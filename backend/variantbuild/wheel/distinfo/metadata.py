"""Check METADATA and WHEEL, and compare them with the file name."""

from __future__ import annotations

import re

from variantbuild.wheel.distinfo.headers import HeaderLine, Headers, parse_headers
from variantbuild.wheel.filename import (
    WheelFileName,
    expand_tags,
    normal_name,
    same_version,
)
from variantbuild.wheel.unsound import UnsoundWheelError

#: Headers of METADATA that may occur only once (core metadata specification): of several, one
#: reader takes the first and another the last.
_SINGLE = (
    "Author", "Author-email", "Description", "Description-Content-Type", "Download-URL",
    "Home-page", "Keywords", "License", "License-Expression", "Maintainer", "Maintainer-email",
    "Requires-Python", "Summary",
)  # fmt: skip
_METADATA_VERSION = re.compile(r"[12]\.[0-9]+")
_WHEEL_VERSION = re.compile(r"1\.[0-9]+")
#: More single tags than any wheel has: a line of compressed sets expands to their product.
MAX_TAGS = 10_000
_TAG = re.compile(r"[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+")


def check_metadata(metadata: Headers, file_name: WheelFileName) -> None:
    """Refuse METADATA unless it has exactly one name and version, those of the file name.

    Also refuses duplicates of headers that may occur only once, and multipart messages.
    """
    names = [line.name for line in metadata.lines]
    for single in _SINGLE:
        if names.count(single.lower()) > 1:
            metadata.one(single)
    if any(
        line.value.lower().startswith(("multipart/", "message/"))
        for line in metadata.all("Content-Type")
    ):
        raise UnsoundWheelError(
            "its Content-Type makes it a multipart message", member=metadata.member
        )
    written = metadata.one("Metadata-Version").value
    if _METADATA_VERSION.fullmatch(written) is None:
        raise UnsoundWheelError(f"its Metadata-Version is {written[:40]!r}", member=metadata.member)
    name = metadata.one("Name").value
    if normal_name(name) != normal_name(file_name.name):
        raise UnsoundWheelError(
            f"it names {name[:80]!r}, the file's name {file_name.name!r}", member=metadata.member
        )
    version = metadata.one("Version").value
    try:
        agrees = same_version(version, file_name.version)
    except UnsoundWheelError as unsound:
        raise UnsoundWheelError(unsound.reason, member=metadata.member) from None
    if not agrees:
        raise UnsoundWheelError(
            f"it has the version {version!r}, the file's name {file_name.version!r}",
            member=metadata.member,
        )


def check_wheel(wheel: Headers, file_name: WheelFileName) -> None:
    """Refuse WHEEL in another format, or with other tags than the file name.

    The file name may have fewer tags than WHEEL (hybrid), and its build tag may be missing from
    WHEEL (setuptools' editable wheels).
    """
    version = wheel.one("Wheel-Version").value
    if _WHEEL_VERSION.fullmatch(version) is None:
        raise UnsoundWheelError(
            f"its Wheel-Version is {version[:40]!r}, not 1.x", member=wheel.member
        )
    purelib = [line.value.lower() for line in wheel.all("Root-Is-Purelib")]
    if purelib not in (["true"], ["false"]):
        raise UnsoundWheelError(
            "its Root-Is-Purelib is not one of true, false", member=wheel.member
        )
    builds = [line.value for line in wheel.all("Build")]
    if builds not in ([], [file_name.build]):
        raise UnsoundWheelError(
            f"its build tag {builds[0][:80]!r} does not match the file name", member=wheel.member
        )
    surplus = file_name.tags - wheel_tags(wheel)
    if surplus:
        raise UnsoundWheelError(f"it lacks the file name's tag {min(surplus)}", member=wheel.member)


def wheel_tags(wheel: Headers) -> frozenset[str]:
    """Return the single tags of WHEEL's Tag lines, in lower case."""
    tags: list[str] = []
    for line in wheel.all("Tag"):
        tags += tags_of(line, wheel.member)
        if len(tags) > MAX_TAGS:
            raise UnsoundWheelError(f"it has over {MAX_TAGS} tags", member=wheel.member)
    return frozenset(tags)


def read_platforms(data: bytes, member: str) -> tuple[str, ...]:
    """Return the platforms of the tags in WHEEL's bytes `data`; raises UnsoundWheelError."""
    return wheel_platforms(parse_headers(data, member))


def wheel_platforms(wheel: Headers) -> tuple[str, ...]:
    """Return the platforms of WHEEL's tags, each once, in the order of its lines."""
    tags = (tag for line in wheel.all("Tag") for tag in tags_of(line, wheel.member))
    return tuple(dict.fromkeys(tag.rpartition("-")[2] for tag in tags))


def tags_of(line: HeaderLine, member: str) -> tuple[str, ...]:
    """Return the single tags of one Tag line; raises UnsoundWheelError for an invalid one."""
    if _TAG.fullmatch(line.value) is None:
        raise UnsoundWheelError(f"it has the invalid tag {line.value[:80]!r}", member=member)
    pythons, abis, platforms = (tuple(part.split(".")) for part in line.value.split("-"))
    if len(pythons) * len(abis) * len(platforms) > MAX_TAGS:
        raise UnsoundWheelError(f"it has over {MAX_TAGS} tags", member=member)
    return tuple(expand_tags(pythons, abis, platforms))
