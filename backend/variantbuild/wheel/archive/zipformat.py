"""Central and local headers of a zip file and their extra fields, as bytes.

Pure functions between bytes and values. Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12, 4.5.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from variantbuild.wheel.unsound import UnsoundWheelError

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
#: Position of the local header's offset within an entry.
CENTRAL_OFFSET_AT = 42

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
DESCRIPTOR_SIGNATURE = b"PK\x07\x08"

#: uv refuses comments that contain one of the signatures: they could hide a second archive.
RECORD_IN_COMMENT = rb"PK(?:\x01\x02|\x03\x04|\x05\x06|\x06[\x06\x07]|\x07\x08)"

FULL16 = 0xFFFF
FULL32 = 0xFFFFFFFF

STORED = 0
DEFLATED = 8

FLAG_ENCRYPTED = 0x0001
FLAG_DESCRIPTOR = 0x0008
FLAG_UTF8 = 0x0800
#: Compression level hints (bits 1 and 2), descriptor, UTF-8: a wheel needs no other flag.
FLAGS_KNOWN = 0x0006 | FLAG_DESCRIPTOR | FLAG_UTF8

VERSION_PLAIN = 20
VERSION_ZIP64 = 45
#: The highest "version needed" of APPNOTE 6.3; what stored and deflated members need is 4.5.
VERSION_HIGHEST = 63

_EXTRA_ZIP64 = 0x0001
#: Extra fields that change what a member is called or how it is read.
_EXTRAS_REFUSED = {
    0x7075: "the Unicode Path extra field gives it a second name",
    0x9901: "it is encrypted (AES extra field)",
    0x0017: "it is encrypted (strong encryption extra field)",
    0x756E: "the ASi extra field gives it a second file type",
}
#: Room for a zip64 field before the others.
_MAX_EXTRA = FULL16 - 32


class Attributes(NamedTuple):
    """What the headers of a member contain besides its name, offset, sizes and timestamp.

    Many members share an instance. `extra` (of the central directory) and `local_extra` are without
    their zip64 field. `copyable` says that the local header may be copied unchanged: no descriptor
    after the data, no needless zip64 field. `is_plain` says that the directory's entry may be, too:
    a file with an ASCII name, readable permissions, no extra fields and no comment, below 4 GiB.
    """

    method: int
    flags: int
    external: int
    made_by: int
    internal: int
    extra: bytes
    local_extra: bytes
    comment: bytes
    copyable: bool
    is_plain: bool


class Member(NamedTuple):
    """One member of the archive: offsets and sizes in bytes, `stamp` as DOS time and date.

    The local header is at `offset` and has `header_size` bytes. A tuple rather than a dataclass,
    because a wheel may have tens of thousands of members: creating a tuple takes a third of the
    time.
    """

    name: str
    size: int
    stored_size: int
    crc: int
    offset: int
    header_size: int
    stamp: int
    attributes: Attributes

    @property
    def method(self) -> int:
        """How the member is compressed: `STORED` or `DEFLATED`."""
        return self.attributes.method

    @property
    def data_offset(self) -> int:
        """Where the member's stored bytes begin."""
        return self.offset + self.header_size

    @property
    def is_dir(self) -> bool:
        """Return whether the member is a directory entry: its name ends with a slash."""
        return self.name.endswith("/")


def split_extra(extra: bytes, name: str) -> tuple[bytes | None, bytes]:
    """Return the zip64 field of `extra` (None if there is none) and the other fields.

    Raises UnsoundWheelError for a malformed or duplicate field, and for fields that give the member
    another name or file type, or mark it as encrypted.
    """
    if len(extra) > _MAX_EXTRA:
        raise UnsoundWheelError(f"its extra fields have more than {_MAX_EXTRA} bytes", member=name)
    zip64: bytes | None = None
    others: dict[int, bytes] = {}
    at = 0
    while at < len(extra):
        if len(extra) - at < 4:
            raise UnsoundWheelError("its extra field is malformed", member=name)
        kind, length = struct.unpack_from("<2H", extra, at)
        if at + 4 + length > len(extra):
            raise UnsoundWheelError("its extra field is malformed", member=name)
        if kind in _EXTRAS_REFUSED:
            raise UnsoundWheelError(_EXTRAS_REFUSED[kind], member=name)
        if kind in others or (kind == _EXTRA_ZIP64 and zip64 is not None):
            label = "zip64 extra fields" if kind == _EXTRA_ZIP64 else f"extra fields 0x{kind:04x}"
            raise UnsoundWheelError(f"it has two {label}", member=name)
        if kind == _EXTRA_ZIP64:
            zip64 = extra[at + 4 : at + 4 + length]
        else:
            others[kind] = extra[at : at + 4 + length]
        at += 4 + length
    return zip64, b"".join(others.values())


def widen(
    zip64: bytes | None, values: tuple[int, ...], name: str, *, limits: tuple[int, ...]
) -> tuple[int, ...]:
    """Return `values`, with each one that is at its limit replaced by the zip64 field's.

    APPNOTE 4.5.3: the field contains the saturated values, in the order of `values`. Some writers
    add the others as well (a stale field); readers differ on which they use, so values that
    disagree are refused.
    """
    if zip64 is None:
        return values
    wide, at = list(values), 0
    for i, (value, limit) in enumerate(zip(values, limits, strict=True)):
        if value == limit:
            width = 4 if limit == FULL16 else 8
            if len(zip64) < at + width:
                raise UnsoundWheelError("its zip64 extra field is too short", member=name)
            wide[i] = int.from_bytes(zip64[at : at + width], "little")
            at += width
    if at == len(zip64):
        return tuple(wide)
    _check_stale(zip64, tuple(wide), name)
    return tuple(wide)


def _check_stale(zip64: bytes, wide: tuple[int, ...], name: str) -> None:
    full = b"".join(
        value.to_bytes(width, "little") for value, width in zip(wide, (8, 8, 8, 4), strict=False)
    )
    if len(zip64) not in (8, 16, 24, 28) or zip64 != full[: len(zip64)]:
        raise UnsoundWheelError("its zip64 extra field contradicts its header", member=name)


def render_local(member: Member, name: bytes) -> bytes:
    """Return the local header of `member` under `name`, with its sizes and without a descriptor."""
    extra, needed = member.attributes.local_extra, VERSION_PLAIN
    size, stored = member.size, member.stored_size
    if size >= FULL32 or stored >= FULL32:
        extra = struct.pack("<2H2Q", _EXTRA_ZIP64, 16, size, stored) + extra
        needed, size, stored = VERSION_ZIP64, FULL32, FULL32
    return LOCAL.pack(
        LOCAL_SIGNATURE, needed, member.attributes.flags & ~FLAG_DESCRIPTOR, member.method,
        member.stamp & FULL16, member.stamp >> 16, member.crc, stored, size, len(name), len(extra),
    ) + name + extra  # fmt: skip


def render_central(member: Member, name: bytes, offset: int, external: int, made_by: int) -> bytes:
    """Return the central header of `member` under `name`, its local header at `offset`."""
    attributes = member.attributes
    extra, needed = attributes.extra, VERSION_PLAIN
    size, stored = member.size, member.stored_size
    if size >= FULL32 or stored >= FULL32 or offset >= FULL32:
        wide = [value for value in (size, stored, offset) if value >= FULL32]
        extra = struct.pack(f"<2H{len(wide)}Q", _EXTRA_ZIP64, 8 * len(wide), *wide) + extra
        needed = VERSION_ZIP64
        size, stored, offset = min(size, FULL32), min(stored, FULL32), min(offset, FULL32)
    return CENTRAL.pack(
        CENTRAL_SIGNATURE, made_by, needed, attributes.flags & ~FLAG_DESCRIPTOR, attributes.method,
        member.stamp & FULL16, member.stamp >> 16, member.crc, stored, size, len(name), len(extra),
        len(attributes.comment), 0, attributes.internal, external, offset,
    ) + name + extra + attributes.comment  # fmt: skip
