"""The new archive as a list of pieces: runs of the old file, and new bytes.

Unchanged members are runs, and so are their entries of the central directory if they do not move.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple, Union

from variantbuild.wheel.archive.endrecord import render_end
from variantbuild.wheel.archive.zipformat import (
    CENTRAL,
    CENTRAL_OFFSET_AT,
    DEFLATED,
    FLAG_UTF8,
    FULL32,
    Attributes,
    Member,
    render_central,
    render_local,
)
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.rewrite.edit import Plan

#: A RECORD of at least this many bytes is compressed at the fastest level (1). A window of 4 KiB
#: suits it, as its lines resemble their neighbours: it is both faster and smaller.
_FAST_SIZE = 1 << 18
_FAST = (1, zlib.DEFLATED, -12)
_WELL = (6, zlib.DEFLATED, -15)
_UNIX = 3
_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


class Run(NamedTuple):
    """Bytes `[offset, offset + size)` of the old file."""

    offset: int
    size: int


#: A piece of the new archive: a run of the old file, or new bytes.
Piece = Union[Run, bytearray]  # noqa: UP007 - an alias needs Union on 3.10


def len_of(piece: Piece) -> int:
    """Return the number of bytes that a piece adds to the archive."""
    return piece.size if isinstance(piece, Run) else len(piece)


def render_pieces(wheel: Wheel, plan: Plan) -> list[Piece]:
    """Return the new archive as pieces, from its first byte to its last."""
    members, touched = wheel.members, plan.touched
    offsets = members.offsets
    in_order = wheel.structure.is_simple or sorted(offsets) == list(offsets)
    layout = _Layout(wheel, plan, in_order=in_order)
    if not in_order:
        layout.add_each(sorted(members, key=attrgetter("offset")))
        return layout.finish()
    start, names, kinds = 0, members.names, members.attributes
    for number, (name, attributes) in enumerate(zip(names, kinds, strict=True)):
        if name in touched or not attributes.is_plain:
            layout.add_plain(start, number)
            layout.add_each([members[number]])
            start = number + 1
    layout.add_plain(start, len(members))
    return layout.finish()


class _Pieces:
    """Builds a list of pieces, merging adjacent runs and adjacent new bytes."""

    def __init__(self) -> None:
        self.list: list[Piece] = []
        self.size = 0

    def add(self, data: bytes | bytearray) -> None:
        self.size += len(data)
        last = self.list[-1] if self.list else None
        if isinstance(last, bytearray):
            last += data
        else:
            self.list.append(bytearray(data))

    def add_run(self, offset: int, size: int) -> None:
        self.size += size
        last = self.list[-1] if self.list else None
        if isinstance(last, Run) and last.offset + last.size == offset:
            self.list[-1] = Run(last.offset, last.size + size)
        elif size:
            self.list.append(Run(offset, size))


class _Layout:
    """Collects the pieces of the new archive: members in file order, and their directory entries.

    `in_order` is true if the old directory lists the members in file order. If it does not, the
    entries are kept with their numbers in the old directory and sorted at the end.
    """

    def __init__(self, wheel: Wheel, plan: Plan, *, in_order: bool) -> None:
        self._wheel = wheel
        self._plan = plan
        self._members = _Pieces()
        self._directory = _Pieces()
        self._count = 0
        self._loose: list[tuple[int, int, bytes]] = []
        names = () if in_order else wheel.by_name
        self._numbers = {name: number for number, name in enumerate(names)}
        self._number = 0

    def add_plain(self, start: int, stop: int) -> None:
        """Add the unchanged members `[start, stop)` in one run, and their entries."""
        if start == stop:
            return
        members, end = self._wheel.members, self._wheel.structure.end
        first, last, places = members[start], members[stop - 1], members.places[start:stop]
        size = last.data_offset + last.stored_size - first.offset
        shift = self._members.size - first.offset
        if self._members.size + size >= FULL32:
            self.add_each(members[number] for number in range(start, stop))
            return
        length = places[-1] - places[0] + CENTRAL.size + len(last.name)
        if shift:
            entries = bytearray(self._wheel.source.read(end.offset + places[0], length))
            for offset, place in zip(members.offsets[start:stop], places, strict=True):
                at = place - places[0] + CENTRAL_OFFSET_AT
                entries[at : at + 4] = (offset + shift).to_bytes(4, "little")
            self._directory.add(entries)
        else:
            self._directory.add_run(end.offset + places[0], length)
        self._members.add_run(first.offset, size)
        self._count += stop - start

    def add_each(self, members: Iterable[Member]) -> None:
        """Add members one by one, with the changes of the plan; new ones before RECORD."""
        plan = self._plan
        for member in members:
            self._number = self._numbers.get(member.name, 0)
            if member.name == plan.record_name:
                for name, data in plan.added.items():
                    self._add_new(_new_member(name, plan.stamp), name, data)
            if member.name not in plan.removed:
                self._add_old(member)

    def _add_old(self, member: Member) -> None:
        plan = self._plan
        name = plan.renames.get(member.name, member.name)
        data = plan.contents.get(member.name)
        if data is not None:
            self._add_new(member, name, data)
            return
        self._enter(member, name)
        if name is member.name and member.attributes.copyable:
            end = member.data_offset + member.stored_size
            self._members.add_run(member.offset, end - member.offset)
        else:
            self._members.add(render_local(member, name.encode()))
            self._members.add_run(member.data_offset, member.stored_size)

    def _add_new(self, member: Member, name: str, data: bytes) -> None:
        """Add new contents `data` with the times and permissions of `member`."""
        quickly = member.name == self._plan.record_name and len(data) >= _FAST_SIZE
        chunks = _deflate(data, quickly=quickly) if member.method == DEFLATED else (data,)
        stored_size = sum(map(len, chunks))
        changed = member._replace(size=len(data), stored_size=stored_size, crc=zlib.crc32(data))
        self._enter(changed, name)
        for chunk in (render_local(changed, name.encode()), *chunks):
            self._members.add(chunk)

    def _enter(self, member: Member, name: str) -> None:
        external, made_by = _attributes(member)
        entry = render_central(member, name.encode(), self._members.size, external, made_by)
        self._count += 1
        if self._numbers:
            self._loose.append((self._number, self._count, entry))
        else:
            self._directory.add(entry)

    def finish(self) -> list[Piece]:
        """Add the central directory, in the old one's order, and the end record."""
        for _, _, entry in sorted(self._loose):
            self._directory.add(entry)
        pieces, offset = self._members, self._members.size
        for piece in self._directory.list:
            if isinstance(piece, Run):
                pieces.add_run(*piece)
            else:
                pieces.add(piece)
        comment = self._wheel.structure.end.comment
        pieces.add(render_end(self._count, offset, self._directory.size, comment))
        return pieces.list


def _attributes(member: Member) -> tuple[int, int]:
    """Return external attributes and "made by", without setuid, and readable for DOS entries.

    Extractors take the upper half as Unix permissions; DOS writers leave it 0, with which some
    extractors create files that nobody may read.
    """
    mode = member.attributes.external >> 16
    if mode & 0o777 and not mode & _SPECIAL_BITS:
        return member.attributes.external, member.attributes.made_by
    if member.is_dir:
        kind, default = stat.S_IFDIR, 0o755
    else:
        kind, default = stat.S_IFREG, 0o644
    mode = kind | (mode & 0o777 or default)
    return (
        mode << 16 | member.attributes.external & 0xFFFF,
        _UNIX << 8 | member.attributes.made_by & 0xFF,
    )


def _new_member(name: str, stamp: int) -> Member:
    flags = 0 if name.isascii() else FLAG_UTF8
    external = (stat.S_IFREG | 0o644) << 16
    attributes = Attributes(
        DEFLATED, flags, external, _UNIX << 8 | 20, 0, b"", b"", b"", copyable=False, is_plain=False
    )
    return Member(name, 0, 0, 0, 0, 0, stamp, attributes)


def _deflate(data: bytes, *, quickly: bool) -> tuple[bytes, ...]:
    engine = zlib.compressobj(*(_FAST if quickly else _WELL))
    return engine.compress(data), engine.flush()
