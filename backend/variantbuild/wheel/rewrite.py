"""Carries a plan out: unchanged members are copied compressed as they lie, the rest is written.

The new archive is a list of pieces, each a run of the old file or fresh bytes. Where the first
piece is a long run from the old file's begin, that part needs no copying in a private file.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter, is_
from pathlib import Path
from typing import NamedTuple, Union

from variantbuild.wheel.copying import clone_file, copy_range
from variantbuild.wheel.edit import Plan
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.target import Target, write_error
from variantbuild.wheel.zipformat import (
    CENTRAL,
    CENTRAL_OFFSET_AT,
    DEFLATED,
    FLAG_UTF8,
    FULL32,
    Member,
    render_central,
    render_end,
    render_local,
)


class Run(NamedTuple):
    """Bytes `[offset, offset + size)` of the old file."""

    offset: int
    size: int


#: A piece of the new archive: a run of the old one, or new bytes.
Piece = Union[Run, bytearray]  # noqa: UP007 - an alias needs Union on 3.10

#: How much of unchanged members behind the first change a rewrite in place keeps in memory.
MAX_TAIL = 8 << 20
#: From this size on new bytes are compressed fast (level 1) rather than well.
_FAST_SIZE = 1 << 18

#: Runs shorter than this are read and written with their neighbours: fewer calls of the system.
_SHORT_RUN = 1 << 16
_GATHERED = 1 << 20

_UNIX = 3
_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


def apply_edit(
    wheel: Wheel, plan: Plan, folder: Path | str, *, consume: bool = False, keep_mode: bool = False
) -> Path:
    """Write the wheel that `plan` describes to `folder` and return its path.

    The new file appears under its name at once and complete; a file of that name is replaced.
    `consume` says that the opened wheel is private and may be cut up: where the changes lie near
    its end it is then rewritten in place and moved, and gone either way. `keep_mode` gives the
    new file the old one's permission bits. Raises WheelError where the folder cannot be written
    to; nothing but the old state is then found under the new name.
    """
    path = Path(folder) / str(plan.file_name)
    pieces = render_pieces(wheel, plan)
    mode = wheel.source.mode if keep_mode else None
    if consume and _fits_in_place(wheel, pieces, path):
        _rewrite_tail(wheel, pieces, path, mode)
        return path
    with Target(path) as target:
        try:
            _write_pieces(wheel, pieces, target)
            wheel.source.check_unchanged()
            target.commit(mode)
        except OSError as error:
            raise write_error(path, error) from error
    if consume and wheel.path != path:
        wheel.path.unlink(missing_ok=True)
    return path


def render_pieces(wheel: Wheel, plan: Plan) -> list[Piece]:
    """Return the new archive as pieces, from its first byte to its last."""
    ordered = sorted(wheel.members, key=attrgetter("offset"))
    in_order = all(map(is_, ordered, wheel.members))
    touched = plan.touched
    layout = _Layout(wheel, plan, in_order=in_order)
    for stays, group in groupby(
        ordered, lambda member: in_order and member.is_plain and member.name not in touched
    ):
        if stays:
            layout.add_plain(list(group))
        else:
            layout.add_each(group)
    return layout.finish()


class _Pieces:
    """Grows a list of pieces; neighbouring runs and neighbouring new bytes become one."""

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
    """Collects the new archive: its members as they lie, and their entries in the directory.

    `in_order` says that the old directory names the members as they lie. Where it does not, the
    entries are kept with their places in the old directory and sorted at the end.
    """

    def __init__(self, wheel: Wheel, plan: Plan, *, in_order: bool) -> None:
        self._wheel = wheel
        self._plan = plan
        self._members = _Pieces()
        self._directory = _Pieces()
        self._count = 0
        self._loose: list[tuple[int, int, bytes]] | None = None if in_order else []

    def add_plain(self, members: list[Member]) -> None:
        """Add neighbours that stay as they are, in one run, and their old entries in another."""
        first, last = members[0], members[-1]
        size = last.data_offset + last.stored_size - first.offset
        shift = self._members.size - first.offset
        if self._members.size + size >= FULL32:
            self.add_each(members)
            return
        start = self._wheel.end.offset + first.entry
        length = last.entry + CENTRAL.size + len(last.name) - first.entry
        if shift:
            entries = bytearray(self._wheel.source.read(start, length))
            for member in members:
                at = member.entry - first.entry + CENTRAL_OFFSET_AT
                entries[at : at + 4] = (member.offset + shift).to_bytes(4, "little")
            self._directory.add(entries)
        else:
            self._directory.add_run(start, length)
        self._members.add_run(first.offset, size)
        self._count += len(members)

    def add_each(self, members: Iterable[Member]) -> None:
        """Add members one by one, changed as the plan says; new ones in front of RECORD."""
        plan = self._plan
        for member in members:
            if member.name == plan.record_name:
                for name, data in plan.added.items():
                    self._add_new(_new_member(name, plan.stamp, member.entry), name, data)
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
        if name is member.name and member.as_it_lies:
            end = member.data_offset + member.stored_size
            self._members.add_run(member.offset, end - member.offset)
        else:
            self._members.add(render_local(member, name.encode()))
            self._members.add_run(member.data_offset, member.stored_size)

    def _add_new(self, member: Member, name: str, data: bytes) -> None:
        """Add new contents `data` with the times and permissions of `member`."""
        packed = _deflate(data) if member.method == DEFLATED else data
        changed = member._replace(size=len(data), stored_size=len(packed), crc=zlib.crc32(data))
        self._enter(changed, name)
        self._members.add(render_local(changed, name.encode()) + packed)

    def _enter(self, member: Member, name: str) -> None:
        external, made_by = _attributes(member)
        entry = render_central(member, name.encode(), self._members.size, external, made_by)
        self._count += 1
        if self._loose is None:
            self._directory.add(entry)
        else:
            self._loose.append((member.entry, self._count, entry))

    def finish(self) -> list[Piece]:
        """Add the central directory, in the old one's order, and the end record."""
        for _, _, entry in sorted(self._loose or ()):
            self._directory.add(entry)
        pieces, offset = self._members, self._members.size
        for piece in self._directory.list:
            if isinstance(piece, Run):
                pieces.add_run(*piece)
            else:
                pieces.add(piece)
        comment = self._wheel.end.comment
        pieces.add(render_end(self._count, offset, self._directory.size, comment))
        return pieces.list


def _attributes(member: Member) -> tuple[int, int]:
    """Return external attributes and "made by": setuid dropped, DOS ones made readable.

    Extractors take the upper half as Unix permissions; a DOS writer leaves it 0, which some of
    them make into files that nobody may read.
    """
    mode = member.external >> 16
    if mode & 0o777 and not mode & _SPECIAL_BITS:
        return member.external, member.made_by
    if member.is_dir:
        kind, default = stat.S_IFDIR, 0o755
    else:
        kind, default = stat.S_IFREG, 0o644
    mode = kind | (mode & 0o777 or default)
    return mode << 16 | member.external & 0xFFFF, _UNIX << 8 | member.made_by & 0xFF


def _new_member(name: str, stamp: int, entry: int) -> Member:
    return Member(
        name, 0, 0, 0, DEFLATED, 0 if name.isascii() else FLAG_UTF8, 0, 0, entry, False, False,
        (stat.S_IFREG | 0o644) << 16, _UNIX << 8 | 20, stamp, 0, b"", b"", b"",
    )  # fmt: skip


def _deflate(data: bytes) -> bytes:
    engine = zlib.compressobj(1 if len(data) >= _FAST_SIZE else 6, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def _fits_in_place(wheel: Wheel, pieces: list[Piece], path: Path) -> bool:
    """Tell whether all before the first change may stay where it is, in the same file."""
    head, *tail = pieces
    if isinstance(head, bytearray) or head.offset or wheel.source.links != 1 or os.name == "nt":
        return False
    if sum(piece.size for piece in tail if isinstance(piece, Run)) > MAX_TAIL:
        return False
    try:
        return wheel.path.stat().st_dev == path.parent.stat().st_dev
    except OSError:
        return False


def _rewrite_tail(wheel: Wheel, pieces: list[Piece], path: Path, mode: int | None) -> None:
    tail = [wheel.source.read(*piece) if isinstance(piece, Run) else piece for piece in pieces[1:]]
    wheel.source.check_unchanged()
    with Target(path, adopt=wheel.path) as target:
        try:
            _continue_at(target, len_of(pieces[0]))
            for piece in tail:
                target.write(piece)
            target.commit(mode)
        except OSError as error:
            raise write_error(path, error) from error


def len_of(piece: Piece) -> int:
    """Return the number of bytes that a piece adds to the archive."""
    return piece.size if isinstance(piece, Run) else len(piece)


def _continue_at(target: Target, offset: int) -> None:
    os.ftruncate(target.descriptor, offset)
    os.lseek(target.descriptor, offset, os.SEEK_SET)


def _write_pieces(wheel: Wheel, pieces: list[Piece], target: Target) -> None:
    """Write the pieces: long runs are copied by the system, short ones gathered with new bytes."""
    source = wheel.source.descriptor
    head = pieces[0]
    rest = pieces
    if isinstance(head, Run) and head.offset == 0 and clone_file(source, target.descriptor):
        _continue_at(target, head.size)
        rest = pieces[1:]
    gathered = bytearray()
    for piece in rest:
        if isinstance(piece, bytearray):
            gathered += piece
        elif piece.size < _SHORT_RUN:
            gathered += wheel.source.read(*piece)
        else:
            target.write(gathered)
            gathered.clear()
            copy_range(source, target.descriptor, *piece)
        if len(gathered) >= _GATHERED:
            target.write(gathered)
            gathered.clear()
    target.write(gathered)
