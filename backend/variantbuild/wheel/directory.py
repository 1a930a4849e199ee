"""The entries of the central directory, each compared with the local header that it names."""

from __future__ import annotations

import re
import stat
import struct

from variantbuild.wheel.endrecord import EndRecord
from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.members import Members
from variantbuild.wheel.names import parse_member_name
from variantbuild.wheel.source import Source
from variantbuild.wheel.zipformat import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_UTF8,
    FLAGS_KNOWN,
    FULL16,
    FULL32,
    LOCAL,
    LOCAL_SIGNATURE,
    RECORD_IN_COMMENT,
    STORED,
    VERSION_HIGHEST,
    Attributes,
    Member,
    split_extra,
    widen,
)

#: What an entry repeats of the local header behind its signature: from the version needed to the
#: length of the extra fields.
_REPEATED_START, _REPEATED_END = 6, 32
#: An entry as `CENTRAL` has it, with what members have in common in two lumps, "made by" to method
#: and length of the extra fields to external attributes, around stamp, crc, sizes, name's length.
_LUMPED = struct.Struct("<4s8s4LH12sL")
#: Signature, made by to method, stamp, crc, stored size, size, name's length, the rest, offset.
_Entry = tuple[bytes, bytes, int, int, int, int, int, bytes, int]
#: How many entries are read together: what bounds the memory that this takes.
_TOGETHER = 1024
#: Flags that a copied header may keep.
_FLAGS_PLAIN = 0x0006 | FLAG_UTF8
#: The file type and setuid, setgid, sticky of a Unix mode.
_KIND_AND_SPECIAL = 0o177000
_DOS_FOLDER = 0x10
#: Attributes of no file and no folder: a volume's label, and what Windows makes of links.
_DOS_VOLUME_LABEL = 0x08
_DOS_REPARSE_POINT = 0x400
_DOS_ODD = _DOS_FOLDER | _DOS_VOLUME_LABEL | _DOS_REPARSE_POINT


def read_directory(source: Source, end: EndRecord) -> tuple[Members, bool]:
    """Read the central directory that `end` describes, and each member's local header.

    Returns the members and whether the archive is simple: all are plain (see `Attributes`) and lie
    one behind the other in the directory's order, from the file's first byte to the directory's.
    Names of plain members are not checked yet. Raises UnsoundWheelError.
    """
    directory = source.read(end.offset, end.size)
    reader = _Reader(source, directory)
    at = 0
    while at < len(directory):
        if directory[at : at + 4] != CENTRAL_SIGNATURE or at + CENTRAL.size > len(directory):
            raise UnsoundWheelError("its central directory is broken or holds foreign bytes")
        left = end.entries - len(reader.members)
        if not left:
            raise UnsoundWheelError("its central directory names more members than the end record")
        after = reader.read_plain(at, min(left, _TOGETHER))
        at = reader.read_any(at) if after == at else after
    if len(reader.members) != end.entries:
        raise UnsoundWheelError("its central directory names fewer members than the end record")
    return reader.members, reader.following == end.offset


class _Reader:
    """Reads the entries of one directory into `members`.

    The attributes that members have in common are looked at and kept once. `following` is where
    the next member must begin for the archive to be simple, -1 where it is not.
    """

    def __init__(self, source: Source, directory: bytes) -> None:
        self._source = source
        self._directory = directory
        self._plain: dict[tuple[bytes, bytes], Attributes | None] = {}
        self.members = Members()
        self.following = 0

    def read_plain(self, at: int, limit: int) -> int:
        """Read up to `limit` entries from `at` on that have no peculiarities; return where it ends.

        A wheel may have 15,000 members, nearly all of them plain: what each takes alone is in
        `_find_plain`, the rest is done for all together.
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
            not text.isascii()
            or text.count(b"\n") != len(names) - 1
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
        """Return entries, as `_LUMPED` reads them, names, attributes and places of plain members.

        The local header of a plain member repeats its entry's bytes, so that one comparison stands
        for all. Raises OSError.
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
            self._plain[common] = _plain_attributes(self._directory, at)
        return self._plain[common]

    def read_any(self, at: int) -> int:
        """Read the entry at `at` with every check; return where it ends."""
        directory = self._directory
        (
            _, made_by, needed, flags, method, time, date, crc, stored, size,
            name_length, extra_length, comment_length, disk, internal, external, offset,
        ) = CENTRAL.unpack_from(directory, at)  # fmt: skip
        start = at + CENTRAL.size
        after_name = start + name_length
        after_extra = after_name + extra_length
        after: int = after_extra + comment_length
        if after > len(directory):
            raise UnsoundWheelError("its central directory is cut short")
        raw_name = directory[start:after_name]
        name = parse_member_name(raw_name, flags)
        extra = directory[after_name:after_extra]
        if extra_length:
            zip64, extra = split_extra(extra, name)
            size, stored, offset, disk = widen(
                zip64, (size, stored, offset, disk), name, limits=(FULL32, FULL32, FULL32, FULL16)
            )
        _check_form(name, (flags, method, disk, needed), (stored, size))
        _check_kind(name, external, size)
        header = self._source.read(offset, LOCAL.size + name_length)
        header_size, local_extra, as_it_lies = _check_local(
            self._source, header, (name, raw_name), (flags, method, crc, stored, size), offset
        )
        comment = directory[after_extra:after]
        if comment and re.search(RECORD_IN_COMMENT, comment):
            raise UnsoundWheelError("its comment holds a record of another archive", member=name)
        attributes = Attributes(
            method, flags, external, made_by, internal, extra, local_extra,
            comment, as_it_lies, False,
        )  # fmt: skip
        stamp = time | date << 16
        self.members.append(
            Member(name, size, stored, crc, offset, header_size, stamp, attributes), at
        )
        self.following = -1
        return after


def _plain_attributes(directory: bytes, at: int) -> Attributes | None:
    """Return the attributes of the entry at `at`; None where there is more to say or to check."""
    (
        _, made_by, needed, flags, method, _, _, _, _, _,
        _, extra_length, comment_length, disk, internal, external, _,
    ) = CENTRAL.unpack_from(directory, at)  # fmt: skip
    mode = external >> 16
    plain = (
        not (extra_length or comment_length or disk or flags & ~_FLAGS_PLAIN)
        and needed & 0xFF <= VERSION_HIGHEST
        and method in (STORED, DEFLATED)
        and mode & _KIND_AND_SPECIAL in (0, stat.S_IFREG)
        and mode & 0o777
        and not external & _DOS_ODD
    )
    if not plain:
        return None
    return Attributes(method, flags, external, made_by, internal, b"", b"", b"", True, True)


def _check_form(name: str, form: tuple[int, int, int, int], sizes: tuple[int, int]) -> None:
    """Refuse what no wheel needs: encryption, other methods, several disks, newer zip versions."""
    flags, method, disk, needed = form
    if flags & FLAG_ENCRYPTED:
        raise UnsoundWheelError("it is encrypted", member=name)
    if flags & ~FLAGS_KNOWN:
        raise UnsoundWheelError(f"its flags 0x{flags:04x} have no place in a wheel", member=name)
    if method not in (STORED, DEFLATED):
        raise UnsoundWheelError(f"it uses compression method {method}", member=name)
    if disk:
        raise UnsoundWheelError("it is said to lie on another disk", member=name)
    if needed & 0xFF > VERSION_HIGHEST:
        raise UnsoundWheelError("it needs a newer zip version than there is", member=name)
    stored, size = sizes
    if method == STORED and stored != size:
        raise UnsoundWheelError(f"it is stored, yet has sizes {stored} and {size}", member=name)


def _check_kind(name: str, external: int, size: int) -> None:
    """Refuse links, fifos and devices, and folders that do not look like folders."""
    kind = stat.S_IFMT(external >> 16)
    is_dir = name[-1] == "/"
    if kind and kind != (stat.S_IFDIR if is_dir else stat.S_IFREG):
        if stat.S_ISLNK(kind):
            raise UnsoundWheelError("it is a symbolic link", member=name)
        if kind in (stat.S_IFDIR, stat.S_IFREG):
            raise UnsoundWheelError("its name and its file type disagree", member=name)
        raise UnsoundWheelError("it is neither a file nor a folder", member=name)
    if external & (_DOS_VOLUME_LABEL | _DOS_REPARSE_POINT):
        raise UnsoundWheelError("it is a link or a label of Windows", member=name)
    if external & _DOS_FOLDER and not is_dir:
        raise UnsoundWheelError("its name and its file type disagree", member=name)
    if is_dir and size:
        raise UnsoundWheelError("it is a folder, yet has contents", member=name)


def _check_local(
    source: Source,
    header: bytes,
    names: tuple[str, bytes],
    expected: tuple[int, int, int, int, int],
    offset: int,
) -> tuple[int, bytes, bool]:
    """Compare a local header with the central one.

    Returns the header's size, the extra fields but zip64, and whether header and data may be
    copied as they lie.
    """
    name, raw_name = names
    if len(header) < LOCAL.size or header[:4] != LOCAL_SIGNATURE:
        raise UnsoundWheelError("its local header is missing", member=name)
    _, needed, flags, method, _, _, crc, stored, size, name_length, extra_length = (
        LOCAL.unpack_from(header)
    )
    if name_length != len(raw_name) or header[LOCAL.size :] != raw_name:
        raise UnsoundWheelError("its local header gives another name", member=name)
    header_size = LOCAL.size + name_length + extra_length
    local_extra, zip64 = b"", None
    if extra_length:
        extra = source.read(offset + header_size - extra_length, extra_length)
        if len(extra) < extra_length:
            raise UnsoundWheelError("its local header is cut short", member=name)
        zip64, local_extra = split_extra(extra, name)
        size, stored = widen(zip64, (size, stored), name, limits=(FULL32, FULL32))
    if needed & 0xFF > VERSION_HIGHEST:
        raise UnsoundWheelError("it needs a newer zip version than there is", member=name)
    found = (flags, method, crc, stored, size)
    if found != expected:
        _check_deferred(name, found, expected)
    wide = expected[3] >= FULL32 or expected[4] >= FULL32
    return header_size, local_extra, not flags & FLAG_DESCRIPTOR and wide == (zip64 is not None)


def _check_deferred(
    name: str, found: tuple[int, int, int, int, int], expected: tuple[int, int, int, int, int]
) -> None:
    """Allow the zeros that a local header holds where a data descriptor follows."""
    labels = ("flags", "compression method", "crc", "stored size", "size")
    deferred = bool(found[0] & FLAG_DESCRIPTOR)
    for i, label in enumerate(labels):
        if found[i] != expected[i] and not (deferred and i >= 2 and found[i] == 0):
            raise UnsoundWheelError(
                f"its local header has {label} {found[i]}, the central directory {expected[i]}",
                member=name,
            )
