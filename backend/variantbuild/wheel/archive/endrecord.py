"""The end of a zip file as bytes: the end record, and the zip64 end record with its locator.

Pure functions between bytes and values. Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.14 to
4.3.16.
"""

from __future__ import annotations

import re
import struct
from typing import NamedTuple

from variantbuild.wheel.archive.zipformat import (
    FULL16,
    FULL32,
    RECORD_IN_COMMENT,
    VERSION_HIGHEST,
    VERSION_ZIP64,
)
from variantbuild.wheel.unsound import UnsoundWheelError

END = struct.Struct("<4s4H2LH")
LOCATOR = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")

END_SIGNATURE = b"PK\x05\x06"
LOCATOR_SIGNATURE = b"PK\x06\x07"
END64_SIGNATURE = b"PK\x06\x06"


class EndRecord(NamedTuple):
    """Where the central directory is: bytes `[offset, offset + size)`, with `entries` entries."""

    entries: int
    offset: int
    size: int
    comment: bytes


def parse_end(tail: bytes, size: int) -> tuple[EndRecord, int]:
    """Find the end record in `tail`, the last bytes of a file of `size` bytes.

    Returns the record, and the offset of the zip64 end record according to its locator (-1 if there
    is no locator).
    """
    at = tail.rfind(END_SIGNATURE)
    while at >= 0:
        if at + END.size <= len(tail):
            comment_length = int.from_bytes(tail[at + 20 : at + 22], "little")
            if at + END.size + comment_length == len(tail):
                break
        at = tail.rfind(END_SIGNATURE, 0, at)
    else:
        if END_SIGNATURE in tail:
            raise UnsoundWheelError("bytes follow the end record, or the file is truncated")
        raise UnsoundWheelError("it has no zip end record: it is truncated or not a zip file")
    _, disk, first_disk, here, count, length, offset, _ = END.unpack_from(tail, at)
    comment = tail[at + END.size :]
    if END_SIGNATURE in comment:
        raise UnsoundWheelError("the archive's comment contains a second end record")
    if comment and re.search(RECORD_IN_COMMENT, comment):
        raise UnsoundWheelError("the archive's comment contains a record of another archive")
    end = EndRecord(count, offset, length, comment)
    locator = tail[at - LOCATOR.size : at] if at >= LOCATOR.size else b""
    if locator[:4] == LOCATOR_SIGNATURE:
        _, disk64, offset64, disks = LOCATOR.unpack(locator)
        if disk64 or disks > 1:
            raise UnsoundWheelError("the zip64 locator is for a multi-disk archive")
        if offset64 + END64.size != size - len(tail) + at - LOCATOR.size:
            raise UnsoundWheelError("the zip64 end record is not where its locator says")
        return end, offset64
    if disk or first_disk or here != count:
        raise UnsoundWheelError("the end record is for a multi-disk archive")
    if offset + length != size - len(tail) + at:
        raise UnsoundWheelError("the end record is wrong: it does not follow the central directory")
    return end, -1


def parse_end64(data: bytes, end: EndRecord, offset64: int) -> EndRecord:
    """Replace the values of `end` with those of the zip64 end record `data` at `offset64`."""
    if len(data) != END64.size or data[:4] != END64_SIGNATURE:
        raise UnsoundWheelError("the zip64 end record is missing")
    _, rest, _, needed, disk, first_disk, here, count, length, offset = END64.unpack(data)
    if rest != END64.size - 12 or needed > VERSION_HIGHEST:
        raise UnsoundWheelError("the zip64 end record is malformed")
    if disk or first_disk or here != count:
        raise UnsoundWheelError("the zip64 end record is for a multi-disk archive")
    pairs = ((end.entries, count, FULL16), (end.size, length, FULL32), (end.offset, offset, FULL32))
    if any(narrow not in (full, wide) for narrow, wide, full in pairs):
        raise UnsoundWheelError("the end record and the zip64 end record disagree")
    if offset + length != offset64:
        raise UnsoundWheelError(
            "the zip64 end record is wrong: it does not follow the central directory"
        )
    return EndRecord(count, offset, length, end.comment)


def render_end(count: int, offset: int, size: int, comment: bytes) -> bytes:
    """Return the end of an archive whose directory with `entries` entries is at `offset`."""
    wide = count >= FULL16 or offset >= FULL32 or size >= FULL32
    head = b""
    if wide:
        at64 = offset + size
        head = END64.pack(
            END64_SIGNATURE, END64.size - 12, VERSION_ZIP64, VERSION_ZIP64, 0, 0,
            count, count, size, offset,
        ) + LOCATOR.pack(LOCATOR_SIGNATURE, 0, at64, 1)  # fmt: skip
    narrow = min(count, FULL16)
    return head + END.pack(
        END_SIGNATURE, 0, 0, narrow, narrow, min(size, FULL32), min(offset, FULL32), len(comment)
    ) + comment  # fmt: skip
