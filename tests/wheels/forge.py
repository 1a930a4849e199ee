"""A generator of sound and broken wheels that exposes every byte of the zip structure.

Standard library only. A `Draft` is a sound wheel; its `Part`s, its RECORD rows and its end records
can be bent one by one before `build` writes the bytes.
"""

from __future__ import annotations

import base64
import hashlib
import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF

Row = list[str]
Value = int | bytes


def zip64_extra(*values: int) -> bytes:
    """Return a zip64 extra field of 8-byte values."""
    return struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)


def elf(machine: int = 62) -> bytes:
    """Return the beginning of a 64-bit little endian ELF shared object, padded."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHL", 3, machine, 1)
    return head.ljust(64, b"\0") + b"code" * 64


def managed_dll(*, wide: bool, managed: bool = True) -> bytes:
    """Return the headers of a DLL of 64 or 32 bits, with .NET's data directory filled or empty.

    The position that the other width uses has a value that must not be read.
    """
    places = {True: 112 + 8 * 14, False: 96 + 8 * 14}
    optional = bytearray(256)
    optional[:2] = b"\x0b\x02" if wide else b"\x0b\x01"
    struct.pack_into("<2L", optional, places[wide], *((0x2008, 72) if managed else (0, 0)))
    struct.pack_into("<2L", optional, places[not wide], *((0, 0) if managed else (1, 1)))
    head = b"MZ" + bytes(58) + struct.pack("<L", 128) + bytes(64) + b"PE\0\0"
    return head + bytes(18) + b"\2\x21" + bytes(optional)


def hash_row(name: str, data: bytes, algorithm: str = "sha256") -> Row:
    """Return the RECORD row of a member."""
    digest = hashlib.new(algorithm, data).digest()
    return [
        name,
        f"{algorithm}={base64.urlsafe_b64encode(digest).decode().rstrip('=')}",
        str(len(data)),
    ]


@dataclass
class Part:
    """One member. `local` and `central` override fields of the two headers by name.

    `descriptor` is None, or the width of its sizes (4, 8), with a signature if `signed`; `packed`
    replaces the compressed stream; `before` are stray bytes in front of it; `hidden` leaves it out
    of the central directory, `ghost` leaves out all but that entry.
    """

    name: bytes
    data: bytes
    method: int = 8
    flags: int = 0
    stamp: int = 0x58210000 | 12 << 11
    external: int = (stat.S_IFREG | 0o644) << 16
    made_by: int = 3 << 8 | 20
    extra: bytes = b""
    local_extra: bytes = b""
    comment: bytes = b""
    descriptor: int | None = None
    signed: bool = True
    packed: bytes | None = None
    before: bytes = b""
    hidden: bool = False
    ghost: bool = False
    local: dict[str, Value] = field(default_factory=dict)
    central: dict[str, Value] = field(default_factory=dict)
    described: dict[str, int] = field(default_factory=dict)

    def mode(self, mode: int) -> Part:
        """Set the Unix file type and permissions."""
        self.external = mode << 16
        return self

    @property
    def stored(self) -> bytes:
        """The bytes between the headers."""
        if self.packed is not None:
            return self.packed
        return _deflated(self.data) if self.method == 8 else self.data


@lru_cache(maxsize=32)
def _deflated(data: bytes) -> bytes:
    """Compress `data`, once for both headers and for members that most wheels have."""
    engine = zlib.compressobj(6, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


def _quoted(cell: str) -> str:
    # By hand: the csv module of Python 3.10 refuses to write a NUL.
    quoted = cell.replace('"', '""')
    return f'"{quoted}"' if any(mark in cell for mark in ',"\r\n') else cell


class Draft:
    """A sound wheel, whose parts can be modified."""

    def __init__(
        self, name: str = "demo", version: str = "1.0", tag: str = "py3-none-linux_x86_64"
    ) -> None:
        self.stem = f"{name}-{version}"
        self.file_name = f"{self.stem}-{tag}.whl"
        self.dist_info = f"{self.stem}.dist-info"
        self.parts: dict[str, Part] = {}
        self.row_edits: list[Callable[[list[Row]], object]] = []
        self.record_bytes: bytes | None = None
        self.record_newline = "\n"
        self.prefix = b""
        self.between = b""
        self.suffix = b""
        self.comment = b""
        self.zip64 = False
        self.end: dict[str, int] = {}
        self.end64: dict[str, int] = {}
        self.locator: dict[str, int] = {}
        self.cut: int | None = None
        #: The names in the order of the central directory, where it is not that of the members.
        self.listed: list[str] | None = None
        self.add("demo/__init__.py", b"answer = 42\n")
        self.add("demo/core.so", elf())
        self.add_info("METADATA", metadata(name, version))
        self.add_info("WHEEL", wheel(tag))
        self.add_info("RECORD", b"")

    def add(self, name: str | bytes, data: bytes, **fields: Value) -> Part:
        """Add a member in front of the dist-info directory's RECORD, with a row in RECORD."""
        raw = name if isinstance(name, bytes) else name.encode()
        key = raw.decode("utf-8", "surrogateescape")
        part = Part(raw, data)
        if not raw.isascii():
            part.flags = 0x800
        for field_name, value in fields.items():
            setattr(part, field_name, value)
        record = self.parts.pop(f"{self.dist_info}/RECORD", None)
        self.parts[key] = part
        if record is not None:
            self.parts[f"{self.dist_info}/RECORD"] = record
        return part

    def add_info(self, name: str, data: bytes) -> Part:
        """Add a member of the dist-info directory."""
        return self.add(f"{self.dist_info}/{name}", data)

    def part(self, name: str) -> Part:
        """Return a member by its name, dist-info's by their bare names."""
        return self.parts.get(name) or self.parts[f"{self.dist_info}/{name}"]

    def drop(self, name: str) -> None:
        """Remove a member."""
        self.parts.pop(name, None) or self.parts.pop(f"{self.dist_info}/{name}")

    def rows(self, edit: Callable[[list[Row]], object]) -> None:
        """Bend the rows of RECORD before it is written."""
        self.row_edits.append(edit)

    def record(self) -> bytes:
        """Return RECORD for the members and edits."""
        own = f"{self.dist_info}/RECORD"
        rows: list[Row] = []
        for name, part in self.parts.items():
            if name == own:
                rows.append([name, "", ""])
            elif not name.endswith("/") and not part.name.decode(errors="replace").startswith(own):
                rows.append(hash_row(name, part.data))
        for edit in self.row_edits:
            edit(rows)
        lines = (",".join(map(_quoted, row)) + self.record_newline for row in rows)
        return "".join(lines).encode("utf-8", "surrogateescape")

    def build(self) -> bytes:
        """Return the wheel's bytes."""
        own = self.parts.get(f"{self.dist_info}/RECORD")
        if own is not None and not own.data:
            own.data = self.record() if self.record_bytes is None else self.record_bytes
        body = bytearray(self.prefix)
        entries: dict[str, bytes] = {}
        for name, part in self.parts.items():
            body += part.before
            offset = len(body)
            if not part.ghost:
                body += render_local(part) + part.stored + _descriptor(part)
            if not part.hidden:
                entries[name] = _central(part, offset)
        body += self.between
        directory = b"".join(entries[name] for name in self.listed or entries)
        data = bytes(body) + directory + self._end(len(entries), len(directory), len(body))
        data += self.suffix
        return data if self.cut is None else data[: self.cut]

    def _end(self, count: int, size: int, offset: int) -> bytes:
        head = b""
        if self.zip64:
            full = {"rest": 44, "made": 45, "need": 45, "disk": 0, "first": 0, "here": count,
                    "count": count, "size": size, "offset": offset, **self.end64}  # fmt: skip
            head = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", *full.values())
            where = {"disk": 0, "offset": offset + size, "multi-disk": 1, **self.locator}
            head += struct.pack("<4sLQL", b"PK\x06\x07", *where.values())
        end = {"disk": 0, "first": 0, "here": count, "count": count, "size": size,
               "offset": offset, "comment": len(self.comment), **self.end}  # fmt: skip
        return head + struct.pack("<4s4H2LH", b"PK\x05\x06", *end.values()) + self.comment


def metadata(name: str, version: str, more: str = "") -> bytes:
    """Return a METADATA with a description."""
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: made up\n"
    return f"{head}Description-Content-Type: text/plain\n{more}\nA description.\n".encode()


def wheel(tag: str, more: str = "") -> bytes:
    """Return a WHEEL with the tags of the compressed `tag`."""
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    pure = "true" if platforms == ["any"] else "false"
    head = f"Wheel-Version: 1.0\nGenerator: forge\nRoot-Is-Purelib: {pure}\n{more}"
    tags = [f"Tag: {p}-{a}-{f}\n" for p in pythons for a in abis for f in platforms]
    return (head + "".join(tags)).encode()


def render_local(part: Part) -> bytes:
    """Return the local header of a member."""
    deferred = part.descriptor is not None
    fields: dict[str, Value] = {
        "signature": b"PK\x03\x04",
        "need": 20,
        "flags": part.flags | (8 if deferred else 0),
        "method": part.method,
        "time": part.stamp & FULL16,
        "date": part.stamp >> 16,
        "crc": 0 if deferred else zlib.crc32(part.data),
        "stored": 0 if deferred else len(part.stored),
        "size": 0 if deferred else len(part.data),
        "name_length": len(part.name),
        "extra_length": len(part.local_extra),
    }
    bent = dict(part.local)
    name = bent.pop("name", part.name)
    assert isinstance(name, bytes)
    fields["name_length"] = len(name)
    return LOCAL.pack(*{**fields, **bent}.values()) + name + part.local_extra


def _descriptor(part: Part) -> bytes:
    if part.descriptor is None:
        return b""
    values = {
        "crc": zlib.crc32(part.data),
        "stored": len(part.stored),
        "size": len(part.data),
        **part.described,
    }
    code = {4: "<3L", 8: "<L2Q"}[part.descriptor]
    signature = b"PK\x07\x08" if part.signed else b""
    return signature + struct.pack(code, *values.values())


def _central(part: Part, offset: int) -> bytes:
    fields: dict[str, Value] = {
        "signature": b"PK\x01\x02",
        "made_by": part.made_by,
        "need": 20,
        "flags": part.flags | (0 if part.descriptor is None else 8),
        "method": part.method,
        "time": part.stamp & FULL16,
        "date": part.stamp >> 16,
        "crc": zlib.crc32(part.data),
        "stored": len(part.stored),
        "size": len(part.data),
        "name_length": len(part.name),
        "extra_length": len(part.extra),
        "comment_length": len(part.comment),
        "disk": 0,
        "internal": 0,
        "external": part.external,
        "offset": offset,
    }
    return (
        CENTRAL.pack(*{**fields, **part.central}.values()) + part.name + part.extra + part.comment
    )


#: The fixture `write`: writes a draft to a directory of its own and returns its path.
Write = Callable[[Draft], Path]
