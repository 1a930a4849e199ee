"""Check one entry of the central directory against its local header."""

from __future__ import annotations

import re
import stat

from variantbuild.wheel.archive.names import parse_member_name
from variantbuild.wheel.archive.source import Source
from variantbuild.wheel.archive.zipformat import (
    CENTRAL,
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
from variantbuild.wheel.unsound import UnsoundWheelError

#: Flags that are allowed in a copied header.
_FLAGS_PLAIN = 0x0006 | FLAG_UTF8
#: The file type and setuid, setgid, sticky of a Unix mode.
_KIND_AND_SPECIAL = 0o177000
_DOS_DIRECTORY = 0x10
#: Attributes of volume labels and of Windows links, which a wheel cannot contain.
_DOS_VOLUME_LABEL = 0x08
_DOS_REPARSE_POINT = 0x400
_DOS_ODD = _DOS_DIRECTORY | _DOS_VOLUME_LABEL | _DOS_REPARSE_POINT


def read_entry(source: Source, directory: bytes, at: int) -> tuple[Member, int]:
    """Read the entry at `at` with every check; return its member and the offset after it.

    Raises UnsoundWheelError.
    """
    (
        _, made_by, needed, flags, method, time, date, crc, stored, size,
        name_length, extra_length, comment_length, disk, internal, external, offset,
    ) = CENTRAL.unpack_from(directory, at)  # fmt: skip
    start = at + CENTRAL.size
    after_name = start + name_length
    after_extra = after_name + extra_length
    after = after_extra + comment_length
    if after > len(directory):
        raise UnsoundWheelError("its central directory is truncated")
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
    header = source.read(offset, LOCAL.size + name_length)
    header_size, local_extra, copyable = _check_local(
        source, header, (name, raw_name), (flags, method, crc, stored, size), offset
    )
    comment = directory[after_extra:after]
    if comment and re.search(RECORD_IN_COMMENT, comment):
        raise UnsoundWheelError("its comment contains a record of another archive", member=name)
    attributes = Attributes(
        method, flags, external, made_by, internal, extra, local_extra,
        comment, copyable, is_plain=False,
    )  # fmt: skip
    stamp = time | date << 16
    return Member(name, size, stored, crc, offset, header_size, stamp, attributes), after


def plain_attributes(directory: bytes, at: int) -> Attributes | None:
    """Return the attributes of the entry at `at`, or None if it needs further checks."""
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
    return Attributes(
        method, flags, external, made_by, internal, b"", b"", b"", copyable=True, is_plain=True
    )


def _check_form(name: str, form: tuple[int, int, int, int], sizes: tuple[int, int]) -> None:
    """Refuse encryption, other compression methods, multiple disks and unknown zip versions."""
    flags, method, disk, needed = form
    if flags & FLAG_ENCRYPTED:
        raise UnsoundWheelError("it is encrypted", member=name)
    if flags & ~FLAGS_KNOWN:
        raise UnsoundWheelError(f"its flags 0x{flags:04x} are not allowed in a wheel", member=name)
    if method not in (STORED, DEFLATED):
        raise UnsoundWheelError(f"it uses compression method {method}", member=name)
    if disk:
        raise UnsoundWheelError("its header refers to another disk", member=name)
    if needed & 0xFF > VERSION_HIGHEST:
        raise UnsoundWheelError("it requires an unknown zip version", member=name)
    stored, size = sizes
    if method == STORED and stored != size:
        raise UnsoundWheelError(
            f"it is not compressed, but its sizes differ: {stored} and {size}", member=name
        )


def _check_kind(name: str, external: int, size: int) -> None:
    """Refuse links, FIFOs and devices, and directories without a trailing slash."""
    kind = stat.S_IFMT(external >> 16)
    is_dir = name[-1] == "/"
    if kind and kind != (stat.S_IFDIR if is_dir else stat.S_IFREG):
        if stat.S_ISLNK(kind):
            raise UnsoundWheelError("it is a symbolic link", member=name)
        if kind in (stat.S_IFDIR, stat.S_IFREG):
            raise UnsoundWheelError("its name and its file type do not match", member=name)
        raise UnsoundWheelError("it is neither a file nor a directory", member=name)
    if external & (_DOS_VOLUME_LABEL | _DOS_REPARSE_POINT):
        raise UnsoundWheelError("it is a Windows link or a volume label", member=name)
    if external & _DOS_DIRECTORY and not is_dir:
        raise UnsoundWheelError("its name and its file type do not match", member=name)
    if is_dir and size:
        raise UnsoundWheelError("it is a directory, but has contents", member=name)


def _check_local(
    source: Source,
    header: bytes,
    names: tuple[str, bytes],
    expected: tuple[int, int, int, int, int],
    offset: int,
) -> tuple[int, bytes, bool]:
    """Compare a local header with its central header.

    Returns the header's size, the extra fields without zip64, and whether header and data may be
    copied unchanged.
    """
    name, raw_name = names
    if len(header) < LOCAL.size or header[:4] != LOCAL_SIGNATURE:
        raise UnsoundWheelError("its local header is missing", member=name)
    _, needed, flags, method, _, _, crc, stored, size, name_length, extra_length = (
        LOCAL.unpack_from(header)
    )
    if name_length != len(raw_name) or header[LOCAL.size :] != raw_name:
        raise UnsoundWheelError("its local header has another name", member=name)
    header_size = LOCAL.size + name_length + extra_length
    local_extra, zip64 = b"", None
    if extra_length:
        extra = source.read(offset + header_size - extra_length, extra_length)
        if len(extra) < extra_length:
            raise UnsoundWheelError("its local header is truncated", member=name)
        zip64, local_extra = split_extra(extra, name)
        size, stored = widen(zip64, (size, stored), name, limits=(FULL32, FULL32))
    if needed & 0xFF > VERSION_HIGHEST:
        raise UnsoundWheelError("it requires an unknown zip version", member=name)
    found = (flags, method, crc, stored, size)
    if found != expected:
        _check_deferred(name, found, expected)
    wide = expected[3] >= FULL32 or expected[4] >= FULL32
    return header_size, local_extra, not flags & FLAG_DESCRIPTOR and wide == (zip64 is not None)


def _check_deferred(
    name: str, found: tuple[int, int, int, int, int], expected: tuple[int, int, int, int, int]
) -> None:
    """Allow zeros in a local header that is followed by a data descriptor."""
    labels = ("flags", "compression method", "CRC-32", "stored size", "size")
    deferred = bool(found[0] & FLAG_DESCRIPTOR)
    for i, label in enumerate(labels):
        if found[i] != expected[i] and not (deferred and i >= 2 and found[i] == 0):
            raise UnsoundWheelError(
                f"its local header has {label} {found[i]}, the central directory {expected[i]}",
                member=name,
            )
