"""An archive's structure, read from its bytes and checked: nothing hidden, shared or contradicted.

Every byte of the file belongs to exactly one member, to the central directory or to the end
records, and local headers say what the central directory says. Source: APPNOTE 4.3.
"""

from __future__ import annotations

import stat
from itertools import pairwise
from operator import attrgetter

from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.names import check_ascii_names, parse_member_name
from variantbuild.wheel.source import Source
from variantbuild.wheel.zipformat import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    DESCRIPTOR_SIGNATURE,
    END,
    END64,
    FLAG_DESCRIPTOR,
    FLAG_ENCRYPTED,
    FLAG_UTF8,
    FLAGS_KNOWN,
    FULL16,
    FULL32,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR,
    STORED,
    VERSION_HIGHEST,
    EndRecord,
    Member,
    parse_end,
    parse_end64,
    split_extra,
    widen,
)

#: More members than any wheel has (the largest known have 30,000); bounds what parsing may cost.
MAX_MEMBERS = 1_000_000
#: A member, or all together, may unpack to this many bytes whatever the ratio (8 MiB) …
BOMB_FLOOR = 8 << 20
#: … and beyond that to this many times what is stored. Deflate reaches 1032, machine code 10.
BOMB_RATIO = 200

_DOS_FOLDER = 0x10

#: What an entry of the central directory repeats of the local header behind its signature: from
#: the version needed to the length of the extra fields.
_REPEATED = slice(6, 32)
#: Flags that a copied header may keep.
_FLAGS_PLAIN = 0x0006 | FLAG_UTF8
#: The file type and setuid, setgid, sticky of a Unix mode.
_KIND_AND_SPECIAL = 0o177000


def read_members(source: Source) -> tuple[tuple[Member, ...], EndRecord]:
    """Read and check the structure of the archive in `source`.

    Returns the members in the order of the central directory, and where that lies. Raises
    UnsoundWheelError with the member's name and the rule that it breaks.
    """
    end = _read_end(source)
    members = _read_directory(source, end)
    _check_extents(source, members, end)
    _check_bombs(members)
    return members, end


def _read_end(source: Source) -> EndRecord:
    tail_size = min(source.size, END.size + FULL16 + LOCATOR.size)
    end, offset64 = parse_end(source.read(source.size - tail_size, tail_size), source.size)
    if offset64 >= 0:
        end = parse_end64(source.read(offset64, END64.size), end, offset64)
    if end.entries > MAX_MEMBERS or end.entries * CENTRAL.size > end.size:
        raise UnsoundWheelError(f"its end record counts {end.entries} members, which cannot be")
    return end


def _read_directory(source: Source, end: EndRecord) -> tuple[Member, ...]:
    directory = source.read(end.offset, end.size)
    members: list[Member] = []
    # Attributes and times repeat: one number for all that agree saves 1 MB in 15,000 members.
    shared: dict[int, int] = {}
    at = 0
    while at < len(directory):
        if directory[at : at + 4] != CENTRAL_SIGNATURE or at + CENTRAL.size > len(directory):
            raise UnsoundWheelError("its central directory is broken or holds foreign bytes")
        if len(members) == end.entries:
            raise UnsoundWheelError("its central directory names more members than the end record")
        member = _read_plain(source, directory, at, shared)
        if member is None:
            member, at = _read_member(source, directory, at, shared)
        else:
            at += CENTRAL.size + len(member.name)
        members.append(member)
    if len(members) != end.entries:
        raise UnsoundWheelError("its central directory names fewer members than the end record")
    check_ascii_names([member.name for member in members if member.is_plain])
    return tuple(members)


def _read_plain(source: Source, directory: bytes, at: int, shared: dict[int, int]) -> Member | None:
    """Read a member without peculiarities, nearly all are; None for `_read_member` to look at it.

    Its name is not checked yet. In such a member the local header repeats the central entry's
    bytes, so that one comparison stands for all.
    """
    (
        _, made_by, needed, flags, method, time, date, crc, stored, size,
        name_length, extra_length, comment_length, disk, internal, external, offset,
    ) = CENTRAL.unpack_from(directory, at)  # fmt: skip
    mode = external >> 16
    if (
        extra_length or comment_length or disk or flags & ~_FLAGS_PLAIN
        or needed & 0xFF > VERSION_HIGHEST
        or (method != DEFLATED and (method != STORED or stored != size))
        or mode & _KIND_AND_SPECIAL not in (0, stat.S_IFREG) or not mode & 0o777
        or external & _DOS_FOLDER
        or FULL32 in (size, stored, offset)
    ):  # fmt: skip
        return None
    start = at + CENTRAL.size
    raw_name = directory[start : start + name_length]
    expected = LOCAL_SIGNATURE + directory[at:start][_REPEATED] + raw_name
    if not raw_name.isascii() or raw_name[-1:] in (b"/", b""):
        return None
    if len(raw_name) != name_length or source.read(offset, len(expected)) != expected:
        return None
    stamp = time | date << 16
    return Member(
        raw_name.decode("ascii"), size, stored, crc, method, flags, offset,
        LOCAL.size + name_length, at, True, True, shared.setdefault(external, external),
        shared.setdefault(made_by, made_by), shared.setdefault(stamp, stamp), internal,
        b"", b"", b"",
    )  # fmt: skip


def _read_member(
    source: Source, directory: bytes, at: int, shared: dict[int, int]
) -> tuple[Member, int]:
    (
        _, made_by, needed, flags, method, time, date, crc, stored, size,
        name_length, extra_length, comment_length, disk, internal, external, offset,
    ) = CENTRAL.unpack_from(directory, at)  # fmt: skip
    start = at + CENTRAL.size
    after_name = start + name_length
    after_extra = after_name + extra_length
    after = after_extra + comment_length
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
    if flags & ~FLAGS_KNOWN or method not in (STORED, DEFLATED) or disk or needed & 0xFF > (
        VERSION_HIGHEST
    ):  # fmt: skip
        _refuse_form(name, flags, method, disk)
    if method == STORED and stored != size:
        raise UnsoundWheelError(f"it is stored, yet has sizes {stored} and {size}", member=name)
    _check_kind(name, external, size)
    stamp = time | date << 16
    header = source.read(offset, LOCAL.size + name_length)
    header_size, local_extra, as_it_lies = _check_local(
        source, header, (name, raw_name), (flags, method, crc, stored, size), offset
    )
    member = Member(
        name, size, stored, crc, method, flags, offset, header_size, at, as_it_lies, False,
        shared.setdefault(external, external), shared.setdefault(made_by, made_by),
        shared.setdefault(stamp, stamp), internal, extra, local_extra, directory[after_extra:after],
    )  # fmt: skip
    return member, after


def _refuse_form(name: str, flags: int, method: int, disk: int) -> None:
    if flags & FLAG_ENCRYPTED:
        raise UnsoundWheelError("it is encrypted", member=name)
    if flags & ~FLAGS_KNOWN:
        raise UnsoundWheelError(f"its flags 0x{flags:04x} have no place in a wheel", member=name)
    if method not in (STORED, DEFLATED):
        raise UnsoundWheelError(f"it uses compression method {method}", member=name)
    if disk:
        raise UnsoundWheelError("it is said to lie on another disk", member=name)
    raise UnsoundWheelError("it needs a newer zip version than there is", member=name)


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
    _, _, flags, method, _, _, crc, stored, size, name_length, extra_length = LOCAL.unpack_from(
        header
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


def _check_extents(source: Source, members: tuple[Member, ...], end: EndRecord) -> None:
    """Refuse bytes before, between and behind the members, and members that share bytes."""
    ordered = sorted(members, key=attrgetter("offset"))
    if not ordered:
        if end.offset:
            raise UnsoundWheelError("bytes lie before its central directory")
        return
    if ordered[0].offset:
        raise UnsoundWheelError(f"{ordered[0].offset} bytes lie before its first member")
    for member, following in pairwise(ordered):
        data_end = member.data_offset + member.stored_size
        if data_end != following.offset or member.flags & FLAG_DESCRIPTOR:
            _check_gap(source, member, following.offset)
    _check_gap(source, ordered[-1], end.offset)


def _check_gap(source: Source, member: Member, following: int) -> None:
    """Refuse anything but a data descriptor, where one is due, between a member and the next."""
    data_end = member.data_offset + member.stored_size
    gap = following - data_end
    if gap < 0:
        raise UnsoundWheelError("it overlaps what follows it", member=member.name)
    if not member.flags & FLAG_DESCRIPTOR:
        if gap:
            raise UnsoundWheelError(f"{gap} bytes of no member lie behind it", member=member.name)
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


def _check_bombs(members: tuple[Member, ...]) -> None:
    for member in members:
        if member.size > BOMB_FLOOR and member.size > BOMB_RATIO * member.stored_size:
            ratio = member.size // max(member.stored_size, 1)
            raise UnsoundWheelError(
                f"it claims to unpack to {ratio} times its stored size", member=member.name
            )
    total = sum(map(attrgetter("size"), members))
    stored = sum(map(attrgetter("stored_size"), members))
    if total > BOMB_FLOOR and total > BOMB_RATIO * stored:
        raise UnsoundWheelError("its members claim to unpack to over 200 times what is stored")
