"""Read and check the structure of an archive: no hidden or shared bytes, no contradictions.

Every byte of the file belongs to exactly one member, to the central directory or to the end
records, and local headers match the central directory. Source: APPNOTE 4.3.
"""

from __future__ import annotations

from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from variantbuild.wheel.archive.directory import TOGETHER, read_directory
from variantbuild.wheel.archive.endrecord import (
    END,
    END64,
    LOCATOR,
    EndRecord,
    parse_end,
    parse_end64,
)
from variantbuild.wheel.archive.members import Members
from variantbuild.wheel.archive.names import check_ascii_names
from variantbuild.wheel.archive.source import Source
from variantbuild.wheel.archive.zipformat import (
    CENTRAL,
    DEFLATED,
    DESCRIPTOR_SIGNATURE,
    FLAG_DESCRIPTOR,
    FULL16,
    Member,
)
from variantbuild.wheel.unsound import UnsoundWheelError

#: More members than any wheel has (the largest known have 30,000); bounds the cost of parsing.
MAX_MEMBERS = 200_000
#: Bytes that a member, or all together, may unpack to at any compression ratio (8 MiB) …
BOMB_FLOOR = 8 << 20
#: … and the highest ratio beyond that. Deflate reaches 1032, machine code 10.
BOMB_RATIO = 200
#: Size limit of the central directory in bytes: it is kept in memory.
MAX_DIRECTORY = 256 << 20


class Structure(NamedTuple):
    """The members of an archive, and the position of its central directory.

    `is_simple` means that its members are contiguous in the directory's order, and that headers can
    be copied unchanged.
    """

    members: Members
    is_simple: bool
    end: EndRecord


def read_structure(source: Source, *, together: int = TOGETHER) -> Structure:
    """Read and check the structure of the archive in `source`, `together` members at a time.

    Raises UnsoundWheelError with the member's name and the rule that it breaks.
    """
    end = _read_end(source)
    members, is_simple = read_directory(source, end, together=together)
    names, attributes = members.names, members.attributes
    check_ascii_names([name for name, kind in zip(names, attributes, strict=True) if kind.is_plain])
    if not is_simple:
        _check_extents(source, members, end)
    _check_bombs(members)
    _check_streams(members)
    return Structure(members, is_simple, end)


def _read_end(source: Source) -> EndRecord:
    tail_size = min(source.size, END.size + FULL16 + LOCATOR.size)
    end, offset64 = parse_end(source.read(source.size - tail_size, tail_size), source.size)
    if offset64 >= 0:
        end = parse_end64(source.read(offset64, END64.size), end, offset64)
    if end.size > MAX_DIRECTORY:
        raise UnsoundWheelError(f"its central directory is larger than {MAX_DIRECTORY} bytes")
    if end.entries > MAX_MEMBERS or end.entries * CENTRAL.size > end.size:
        raise UnsoundWheelError(
            f"its end record has an impossible number of members, {end.entries}"
        )
    return end


def _check_extents(source: Source, members: Members, end: EndRecord) -> None:
    """Refuse bytes before, between and after the members, and members that share bytes."""
    ordered = sorted(members, key=attrgetter("offset"))
    if not ordered:
        if end.offset:
            raise UnsoundWheelError("bytes precede its central directory")
        return
    if ordered[0].offset:
        raise UnsoundWheelError(f"{ordered[0].offset} bytes precede its first member")
    for member, following in pairwise(ordered):
        data_end = member.data_offset + member.stored_size
        if data_end != following.offset or not member.attributes.is_plain:
            _check_gap(source, member, following.offset)
    _check_gap(source, ordered[-1], end.offset)


def _check_gap(source: Source, member: Member, following: int) -> None:
    """Refuse bytes between a member and the next, except for an expected data descriptor."""
    data_end = member.data_offset + member.stored_size
    gap = following - data_end
    if gap < 0:
        raise UnsoundWheelError("it overlaps with what follows", member=member.name)
    if not member.attributes.flags & FLAG_DESCRIPTOR:
        if gap:
            raise UnsoundWheelError(
                f"{gap} bytes after it do not belong to any member", member=member.name
            )
        return
    numbers = (member.crc, member.stored_size, member.size)
    for signature in (b"", DESCRIPTOR_SIGNATURE):
        for width in (4, 8):
            if gap == len(signature) + 4 + 2 * width and max(numbers) >> 8 * width == 0:
                descriptor = signature + b"".join(
                    number.to_bytes(size, "little")
                    for number, size in zip(numbers, (4, width, width), strict=True)
                )
                if source.read(data_end, gap) == descriptor:
                    return
    raise UnsoundWheelError("its data descriptor is missing or wrong", member=member.name)


def _check_bombs(members: Members) -> None:
    total, stored = sum(members.sizes), sum(members.stored_sizes)
    if total <= BOMB_FLOOR:
        return
    for member in members if max(members.sizes) > BOMB_FLOOR else ():
        if member.size > BOMB_FLOOR and member.size > BOMB_RATIO * member.stored_size:
            ratio = member.size // max(member.stored_size, 1)
            raise UnsoundWheelError(
                f"its declared size is {ratio} times its compressed size", member=member.name
            )
    if total > BOMB_RATIO * stored:
        raise UnsoundWheelError(
            "the declared sizes of its members are over 200 times their compressed sizes"
        )


def _check_streams(members: Members) -> None:
    """Refuse deflated members without a stream, which has at least two bytes."""
    if min(members.stored_sizes, default=2) < 2:
        for member in members:
            if member.stored_size < 2 and member.method == DEFLATED and not member.is_dir:
                raise UnsoundWheelError("its compressed data is missing", member=member.name)
