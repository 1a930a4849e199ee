"""The entries of the central directory, each compared with its local header."""

from __future__ import annotations

import struct

from variantbuild.wheel.archive.endrecord import EndRecord
from variantbuild.wheel.archive.entry import plain_attributes, read_entry
from variantbuild.wheel.archive.members import Members
from variantbuild.wheel.archive.source import Source
from variantbuild.wheel.archive.zipformat import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    FULL32,
    LOCAL,
    LOCAL_SIGNATURE,
    STORED,
    Attributes,
)
from variantbuild.wheel.unsound import UnsoundWheelError

#: The fields that an entry and its local header have in common: from the version needed to the
#: length of the extra fields.
_REPEATED_START, _REPEATED_END = 6, 32
#: An entry as `CENTRAL` has it, with what members have in common in two lumps, "made by" to method
#: and length of the extra fields to external attributes, around timestamp, CRC-32, sizes and name.
_LUMPED = struct.Struct("<4s8s4LH12sL")
#: Signature, made by to method, timestamp, CRC-32, stored size, size, name length, rest, offset.
_Entry = tuple[bytes, bytes, int, int, int, int, int, bytes, int]
#: How many entries are read at a time, which bounds the memory used.
TOGETHER = 1024


def read_directory(
    source: Source, end: EndRecord, *, together: int = TOGETHER
) -> tuple[Members, bool]:
    """Read the central directory that `end` describes, and each member's local header.

    At most `together` entries are read at a time.

    Returns the members and whether the archive is simple: all members are plain (see `Attributes`)
    and contiguous in the directory's order, from the start of the file to the directory. Names of
    plain members are not checked yet. Raises UnsoundWheelError.
    """
    directory = source.read(end.offset, end.size)
    reader = _Reader(source, directory)
    at = 0
    while at < len(directory):
        if directory[at : at + 4] != CENTRAL_SIGNATURE or at + CENTRAL.size > len(directory):
            raise UnsoundWheelError("its central directory is malformed or contains foreign bytes")
        left = end.entries - len(reader.members)
        if not left:
            raise UnsoundWheelError(
                "its central directory has more members than the end record says"
            )
        after = reader.read_plain(at, min(left, together))
        at = reader.read_any(at) if after == at else after
    if len(reader.members) != end.entries:
        raise UnsoundWheelError("its central directory has fewer members than the end record says")
    return reader.members, reader.following == end.offset


class _Reader:
    """Reads the entries of one directory into `members`.

    Attributes that members have in common are checked and stored once. `following` is the offset at
    which the next member must begin for the archive to be simple, -1 if it is not.
    """

    def __init__(self, source: Source, directory: bytes) -> None:
        self._source = source
        self._directory = directory
        self._plain: dict[tuple[bytes, bytes], Attributes | None] = {}
        self.members = Members()
        self.following = 0

    def read_plain(self, at: int, limit: int) -> int:
        """Read up to `limit` plain entries, starting at `at`; return the offset after the last.

        A wheel may have 15,000 members, nearly all of them plain: the work per member is in
        `_find_plain`, the rest is done for all of them at once.
        """
        try:
            entries, names, kinds, places = self._find_plain(at, limit)
        except OSError as error:
            raise self._source.unreadable(error) from error
        if not entries:
            return at
        _, _, stamps, crcs, stored_sizes, sizes, lengths, _, offsets = zip(*entries, strict=True)
        after: int = places[-1] + CENTRAL.size + lengths[-1]
        text = b"\n".join(names)
        if (
            text.count(b"\n") != len(names) - 1
            or b"/\n" in text + b"\n"
            or not all(lengths)
            or FULL32 in (max(sizes), max(stored_sizes), max(offsets))
        ):
            for place in places:
                self.read_any(place)
            return after
        members = self.members
        members.names.extend(text.decode("ascii").split("\n"))
        members.sizes.extend(sizes)
        members.stored_sizes.extend(stored_sizes)
        members.crcs.extend(crcs)
        members.offsets.extend(offsets)
        members.header_sizes.extend(LOCAL.size + length for length in lengths)
        members.stamps.extend(stamps)
        members.attributes.extend(kinds)
        members.places.extend(places)
        parts = zip(offsets, lengths, stored_sizes, strict=True)
        ends = [offset + LOCAL.size + length + size for offset, length, size in parts]
        self.following = ends[-1] if [self.following, *ends[:-1]] == [*offsets] else -1
        return after

    def _find_plain(
        self, at: int, limit: int
    ) -> tuple[list[_Entry], list[bytes], list[Attributes], list[int]]:
        """Return entries (as `_LUMPED` reads them), names, attributes and offsets of plain members.

        The local header of a plain member repeats the bytes of its entry, so one comparison covers
        all fields. Raises OSError.
        """
        directory, unpack, read = self._directory, _LUMPED.unpack_from, self._source.reader()
        last = len(directory) - CENTRAL.size
        entries: list[_Entry] = []
        names: list[bytes] = []
        kinds: list[Attributes] = []
        places: list[int] = []
        common: tuple[bytes, bytes] | None = None
        while at <= last and len(places) < limit:
            entry: _Entry = unpack(directory, at)
            signature, head, _, _, stored, size, length, rest, offset = entry
            if (head, rest) != common:
                common = (head, rest)
                kind = self._attributes(common, at)
            if kind is None or signature != CENTRAL_SIGNATURE:
                break
            if size != stored and kind.method == STORED:
                break
            start = at + CENTRAL.size
            name = directory[start : start + length]
            if not name.isascii():
                break
            repeated = directory[at + _REPEATED_START : at + _REPEATED_END]
            if read(LOCAL.size + length, offset) != LOCAL_SIGNATURE + repeated + name:
                break
            entries.append(entry)
            names.append(name)
            kinds.append(kind)
            places.append(at)
            at = start + length
        return entries, names, kinds, places

    def _attributes(self, common: tuple[bytes, bytes], at: int) -> Attributes | None:
        if common not in self._plain:
            self._plain[common] = plain_attributes(self._directory, at)
        return self._plain[common]

    def read_any(self, at: int) -> int:
        """Read any entry at `at`; return the offset after it."""
        member, after = read_entry(self._source, self._directory, at)
        self.members.append(member, at)
        self.following = -1
        return after
