"""Wheels that must be refused: each breaks one rule, and names a part of the expected reason."""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from wheels import attacks
from wheels.bends import (
    A,
    Bend,
    added,
    in_both,
    in_central,
    in_local,
    info,
    of_draft,
    of_part,
    record,
    row,
    swapped,
)
from wheels.forge import (
    FULL32,
    Draft,
    Part,
    elf,
    hash_row,
    metadata,
    render_local,
    wheel,
    zip64_extra,
)


@dataclass(frozen=True)
class BadCase:
    """A broken wheel; `reason` must occur in the refusal."""

    name: str
    reason: str
    draft: Draft


PURE = "py3-none-any"


def bad_cases() -> list[BadCase]:
    """Return every broken wheel of the corpus."""
    cases = []
    for group in (ZIP, DESCRIPTORS, ZIP64, NAMES, RECORDS, METADATA, LAYOUT, *attacks.GROUPS):
        for name, (reason, bend) in group.items():
            draft = Draft()
            bend(draft)
            cases.append(BadCase(name, reason, draft))
    for name, (reason, text) in (*FILE_NAMES.items(), *attacks.FILE_NAMES.items()):
        draft = Draft()
        draft.file_name = text
        cases.append(BadCase(name, reason, draft))
    pure = Draft(tag=PURE)
    cases.append(BadCase("pure with an extension by name", "extension module", pure))
    pure.part("demo/core.so").data = b"no code at all"
    for name, (reason, data) in NATIVE_IN_PURE.items():
        draft = Draft(tag=PURE)
        draft.drop("demo/core.so")
        draft.add("demo/blob", data)
        cases.append(BadCase(f"pure with {name}", reason, draft))
    return cases


def _twice(w: Draft) -> None:
    w.parts["again"] = w.part(A)
    w.rows(lambda rows: rows.pop(next(i for i, row in enumerate(rows) if row[0] == "again")))


def _shared(w: Draft) -> None:
    part = w.add("demo/shared.py", w.part(A).data)
    part.ghost = True
    part.central["offset"] = 0


def _overlap(w: Draft) -> None:
    # The stored data of the first member contains a complete second member.
    inner = Part(b"demo/inner.py", b"x = 1\n", method=0)
    outer = w.add("demo/outer.py", render_local(inner) + inner.data)
    outer.method = 0
    ghost = w.add("demo/inner.py", inner.data, method=0)
    ghost.ghost = True
    order = list(w.parts)
    offset = 0
    for name in order:
        if name == "demo/outer.py":
            break
        part = w.parts[name]
        offset += len(render_local(part)) + len(part.stored)
    ghost.central["offset"] = offset + 30 + len(b"demo/outer.py")


def _raw_bomb(w: Draft) -> None:
    part = w.part(A)
    part.packed = part.stored
    part.data = part.data * 4
    for fields in (part.local, part.central):
        fields["size"] = len(part.data) // 4
        fields["crc"] = zlib.crc32(part.data)
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    part.packed = engine.compress(part.data) + engine.flush()
    w.rows(lambda rows: [row.__setitem__(2, str(len(part.data) // 4)) for row in rows[:1]])


def _many_small_bombs(w: Draft) -> None:
    for i in range(12):
        w.add(f"demo/zeros{i}", bytes(1 << 20))


def _no_end(w: Draft) -> None:
    """A stream with all the contents, but without its last block."""
    part = w.part(A)
    engine = zlib.compressobj(6, zlib.DEFLATED, -15)
    part.packed = engine.compress(part.data) + engine.flush(zlib.Z_SYNC_FLUSH)


def _unpack(w: Draft, change: Callable[[bytes], bytes]) -> None:
    part = w.part(A)
    part.packed = change(part.stored)


ZIP: dict[str, tuple[str, Bend]] = {
    "duplicate member": ("twice", _twice),
    "local name differs": ("another name", in_local(name=b"demo/__init__.pz")),
    "local name is shorter": ("another name", in_local(name=b"demo/a")),
    "local size differs": ("local header has size", in_local(size=5)),
    "local stored size differs": ("stored size", in_local(stored=3)),
    "local crc differs": ("CRC-32", in_local(crc=1)),
    "local method differs": ("compression method", in_local(method=0)),
    "local flags differ": ("flags", in_local(flags=0x800)),
    "central size differs": ("size", in_central(size=5)),
    "central crc differs": ("CRC-32", in_central(crc=1)),
    "crc wrong in both": ("CRC-32", in_both(crc=1)),
    "size too large in both": ("bytes", in_both(size=13)),
    "size too small in both": ("bytes", in_both(size=11)),
    "hidden member": ("do not belong to any member", of_part("demo/core.so", hidden=True)),
    "hidden first member": ("precede its first member", of_part(A, hidden=True)),
    "hidden last member": ("do not belong to any member", lambda w: w.add("z", b"z", hidden=True)),
    "missing member": ("local header", of_part(ghost=True)),
    "member after the central directory": ("missing", in_central(offset=1 << 20)),
    "shared data": ("name", _shared),
    "overlapping members": ("overlaps", _overlap),
    "same member under one offset": ("name", lambda w: w.part("WHEEL").central.update(offset=0)),
    "compression ratio of a bomb": (
        "times its compressed size",
        lambda w: w.add("demo/zeros", bytes(20 << 20)),
    ),
    "bomb made of many members": ("over 200 times", _many_small_bombs),
    "bomb with a wrong size": ("unpacks to more", _raw_bomb),
    "bytes before": ("", of_draft(prefix=b"#!/bin/sh\n")),
    "bytes before, offsets kept": (
        "",
        lambda w: _bytes_before_with_right_end(w),
    ),
    "bytes between members": (
        "do not belong to any member",
        of_part("demo/core.so", before=b"stray"),
    ),
    "bytes before the directory": ("", of_draft(between=b"stray bytes")),
    "bytes after": ("follow the end record", of_draft(suffix=b"\n")),
    "second archive after": ("", lambda w: setattr(w, "suffix", Draft().build())),
    "end record in the comment": (
        "second end record",
        of_draft(comment=b"PK\x05\x06" + b"\0" * 17 + b"x"),
    ),
    "count too low": ("more members", of_draft(end={"here": 4, "count": 4})),
    "count too high": ("fewer members", of_draft(end={"here": 6, "count": 6})),
    "counts disagree": ("multi-disk", of_draft(end={"here": 4})),
    "directory size wrong": ("", of_draft(end={"size": 40})),
    "directory offset wrong": ("", of_draft(end={"offset": 3})),
    "several disks": ("disk", of_draft(end={"disk": 1})),
    "member on another disk": ("disk", in_central(disk=1)),
    "comment length wrong": ("", of_draft(end={"comment": 4})),
    "encrypted": ("encrypted", of_part(flags=1)),
    "strongly encrypted": ("encrypted", of_part(flags=0x41)),
    "patched data": ("flags", of_part(flags=0x20)),
    "masked header": ("flags", of_part(flags=0x2000)),
    "AES": ("encrypted", of_part(extra=struct.pack("<2H7s", 0x9901, 7, b"\2\0AE\3\x08\0"))),
    "bzip2": ("compression method 12", in_both(method=12)),
    "lzma": ("compression method 14", in_both(method=14)),
    "zstd": ("compression method 93", in_both(method=93)),
    "deflate64": ("compression method 9", in_both(method=9)),
    "symbolic link": ("symbolic link", of_part(external=(stat.S_IFLNK | 0o777) << 16)),
    "fifo": ("neither", of_part(external=(stat.S_IFIFO | 0o644) << 16)),
    "device": ("neither", of_part(external=(stat.S_IFCHR | 0o644) << 16)),
    "socket": ("neither", of_part(external=(stat.S_IFSOCK | 0o644) << 16)),
    "link by a DOS writer": (
        "symbolic link",
        of_part(external=(stat.S_IFLNK | 0o777) << 16, made_by=20),
    ),
    "directory mode on a file": ("do not match", of_part(external=(stat.S_IFDIR | 0o755) << 16)),
    "directory attribute on a file": ("do not match", of_part(external=0x10)),
    "file mode on a directory": ("do not match", lambda w: w.add("demo/sub/", b"", method=0)),
    "directory with contents": (
        "contents",
        lambda w: w.add("demo/sub/", b"x", method=0).mode(stat.S_IFDIR | 0o755),
    ),
    "stored with two sizes": ("not compressed, but", in_both(method=0)),
    "deflate stream broken": ("unpacked", lambda w: _unpack(w, lambda d: b"\xff" + d[1:])),
    "deflate stream without an end": ("data is truncated", _no_end),
    "deflate stream cut": ("", lambda w: _unpack(w, lambda d: d[:-3])),
    "bytes after the stream": ("follow its", lambda w: _unpack(w, lambda d: d + b"more")),
    "truncated": ("truncated", of_draft(cut=-30)),
    "truncated in a member": ("truncated", of_draft(cut=60)),
    "empty file": ("truncated", of_draft(cut=0)),
    "not a zip file": ("", lambda w: _only(w, b"hello world, this is no archive at all")),
    "empty archive": ("", lambda w: _only(w, b"PK\x05\x06" + bytes(18))),
    "broken extra": ("extra field is malformed", of_part(extra=b"\1\2\3")),
    "overlong extra": ("extra field is malformed", of_part(extra=struct.pack("<2H", 0x5455, 9))),
    "broken local extra": ("extra field is malformed", of_part(local_extra=b"\1\2\3")),
    "directory signature": ("", in_central(signature=b"PK\x01\x03")),
    "local signature": ("local header", in_local(signature=b"PK\x03\x05")),
    "needs zip 9": ("unknown zip version", in_central(need=90)),
    "directory entry cut": ("", in_central(comment_length=900)),
}


def _only(w: Draft, data: bytes) -> None:
    w.prefix, w.cut = data, len(data)


def _bytes_before_with_right_end(w: Draft) -> None:
    # Offsets count from the stray bytes' end, as self-extracting archives have them.
    w.prefix = b"#!/bin/sh\n"
    for part in w.parts.values():
        part.central["offset"] = -1
    offset = 0
    own = w.part("RECORD")
    own.data = w.record()
    for part in w.parts.values():
        part.central["offset"] = offset
        offset += len(render_local(part)) + len(part.stored)
    w.end["offset"] = offset


DESCRIPTORS: dict[str, tuple[str, Bend]] = {
    "descriptor missing": ("descriptor", in_both(flags=8)),
    "descriptor with wrong crc": ("descriptor", of_part(descriptor=4, described={"crc": 1})),
    "descriptor with wrong size": ("descriptor", of_part(descriptor=4, described={"size": 1})),
    "descriptor with wrong stored size": (
        "descriptor",
        of_part(descriptor=8, described={"stored": 1}),
    ),
    "descriptor, then bytes": (
        "descriptor",
        lambda w: (of_part(descriptor=4)(w), of_part("demo/core.so", before=b"xx")(w)),
    ),
    "descriptor without its flag": (
        "flags",
        lambda w: (of_part(descriptor=4)(w), in_local(flags=0)(w)),
    ),
    "descriptor and a wrong local size": (
        "size",
        lambda w: (of_part(descriptor=4)(w), in_local(size=77)(w)),
    ),
    "descriptor without a flag in both": (
        "local header has",
        lambda w: (of_part(descriptor=4)(w), in_both(flags=0)(w)),
    ),
}

ZIP64: dict[str, tuple[str, Bend]] = {
    "zip64 size missing": ("size", in_central(size=FULL32)),
    "zip64 field too short": (
        "too short",
        lambda w: (in_central(size=FULL32)(w), of_part(extra=struct.pack("<2HL", 1, 4, 0))(w)),
    ),
    "zip64 size lies": (
        "size",
        lambda w: (in_central(size=FULL32)(w), of_part(extra=zip64_extra(5))(w)),
    ),
    "unneeded zip64 field with wrong sizes": ("contradicts", of_part(extra=zip64_extra(99))),
    "unneeded local zip64 field with wrong sizes": (
        "contradicts",
        of_part(local_extra=zip64_extra(99, 99)),
    ),
    "zip64 twice": ("two zip64", of_part(extra=zip64_extra(12) + zip64_extra(12))),
    "zip64 field of an invalid length": (
        "contradicts",
        of_part(extra=struct.pack("<2H3s", 1, 3, b"abc")),
    ),
    "zip64 offset lies": (
        "",
        lambda w: (in_central(offset=FULL32)(w), of_part(extra=zip64_extra(7))(w)),
    ),
    "zip64 end record missing": (
        "zip64 end record",
        of_draft(zip64=True, locator={"offset": 4}),
    ),
    "zip64 locator of two disks": ("multi-disk", of_draft(zip64=True, locator={"multi-disk": 2})),
    "zip64 end record with another count": (
        "disagree",
        of_draft(zip64=True, end64={"count": 9, "here": 9}),
    ),
    "zip64 end record with another size": ("disagree", of_draft(zip64=True, end64={"size": 9})),
    "zip64 end record with another offset": ("disagree", of_draft(zip64=True, end64={"offset": 9})),
    "zip64 end record too long": ("malformed", of_draft(zip64=True, end64={"rest": 50})),
    "zip64 end record of disk 1": ("multi-disk", of_draft(zip64=True, end64={"disk": 1})),
    "zip64 counts a million million": (
        "impossible number",
        of_draft(
            zip64=True,
            end64={"count": 10**12, "here": 10**12},
            end={"count": 0xFFFF, "here": 0xFFFF},
        ),
    ),
}


def _unicode_path(w: Draft) -> None:
    part = w.part(A)
    data = struct.pack("<BL", 1, zlib.crc32(part.name)) + b"demo/other.py"
    part.extra = struct.pack("<2H", 0x7075, len(data)) + data


NAMES: dict[str, tuple[str, Bend]] = {
    "parent directory": ("'..'", added("../evil.py")),
    "parent directory within a path": ("'..'", added("demo/../../evil.py")),
    "parent directory that stays inside": ("'..'", added("demo/../evil.py")),
    "name of two dots at the end": ("'..'", added("demo/..")),
    "absolute": ("absolute", added("/etc/passwd")),
    "drive letter": ("drive letter", added("C:evil.py")),
    "drive and slash": ("drive letter", added("c:/evil.py")),
    "backslash": ("backslash", added("demo\\evil.py")),
    "parent directory with backslashes": ("backslash", added("..\\evil.py")),
    "network share": ("absolute", added("//server/share")),
    "leading dot component": ("'./'", added("./demo/evil.py")),
    "dot component within a path": ("'./'", added("demo/./evil.py")),
    "trailing dot component": ("'./'", added("demo/.")),
    "double slash": ("'//'", added("demo//evil.py")),
    "newline": ("control", added("demo/evil\n.py")),
    "escape": ("control", added("demo/\x1b[31m.py")),
    "delete": ("control", added("demo/\x7f.py")),
    "C1 control": ("control", added("demo/\x85.py")),
    "NUL": ("control", added("demo/evil.py\0.txt")),
    "empty": ("empty", added("")),
    "slash only": ("", added("/")),
    "component too long": ("255", added("demo/" + "x" * 256)),
    "component too long in bytes": ("255", added("demo/" + "é" * 128)),
    "not UTF-8": ("UTF-8", added(b"demo/\xff\xfe.py", flags=0x800)),
    "overlong UTF-8": ("UTF-8", added(b"demo/\xc0\xaf.py", flags=0x800)),
    "surrogate": ("UTF-8", added(b"demo/\xed\xa0\x80.py", flags=0x800)),
    "UTF-8 without its flag": ("UTF-8 flag", added("demo/é.py", flags=0)),
    "cp437": ("UTF-8 flag", added(b"demo/\x82.py", flags=0)),
    "Unicode Path": ("Unicode Path", _unicode_path),
    "second directory named like dist-info": ("too similar", added("demo-1.0.dist-infoX/evil.py")),
    "sibling outside": ("'..'", added("../demo-1.0.dist-infoX")),
    "file next to dist-info": ("too similar", added("demo-1.0.dist-info.txt")),
}


def _rehash(algorithm: str) -> Bend:
    return row(A, lambda row: row.__setitem__(1, hash_row(A, b"answer = 42\n", algorithm)[1]))


RECORDS: dict[str, tuple[str, Bend]] = {
    "RECORD missing": ("missing", lambda w: w.drop("RECORD")),
    "RECORD with a row of nothing": ("but not in", record(lambda data: data + b'"",,\n')),
    "RECORD empty": ("not listed", record(lambda data: b"")),
    "unlisted member": ("not listed", lambda w: w.rows(lambda rows: rows.pop(0))),
    "RECORD not listed": ("not listed", lambda w: w.rows(lambda rows: rows.pop())),
    "row without a member": (
        "but not in",
        lambda w: w.rows(lambda rows: rows.append(["no", "", ""])),
    ),
    "surplus row with hash": (
        "but not in",
        lambda w: w.rows(lambda rows: rows.append(hash_row("demo/no.py", b""))),
    ),
    "duplicate row": ("twice", lambda w: w.rows(lambda rows: rows.append(list(rows[0])))),
    "row with another spelling of the path": (
        "but not in",
        row(A, lambda r: r.__setitem__(0, "./" + r[0])),
    ),
    "row with a stray backslash": (
        "but not in",
        row(A, lambda r: r.__setitem__(0, r[0].replace("/", "\\x\\"))),
    ),
    "row twice, once with backslashes": (
        "twice",
        lambda w: w.rows(lambda rows: rows.append([rows[0][0].replace("/", "\\"), *rows[0][1:]])),
    ),
    "wrong hash": ("hash", row(A, lambda r: r.__setitem__(1, hash_row(A, b"other")[1]))),
    "wrong sha512": ("hash", row(A, lambda r: r.__setitem__(1, hash_row(A, b"", "sha512")[1]))),
    "wrong size": ("bytes", row(A, lambda r: r.__setitem__(2, "13"))),
    "negative size": ("size", row(A, lambda r: r.__setitem__(2, "-12"))),
    "size that is not a number": ("size", row(A, lambda r: r.__setitem__(2, "twelve"))),
    "size with a space": ("size", row(A, lambda r: r.__setitem__(2, " 12"))),
    "size with zeros": ("size", row(A, lambda r: r.__setitem__(2, "012"))),
    "size in Arabic-Indic digits": ("size", row(A, lambda r: r.__setitem__(2, "١٢"))),
    "no size": ("size", row(A, lambda r: r.__setitem__(2, ""))),
    "md5": ("md5", _rehash("md5")),
    "sha1": ("sha1", _rehash("sha1")),
    "sha224": ("sha224", _rehash("sha224")),
    "unknown algorithm": ("algorithm", row(A, lambda r: r.__setitem__(1, "sha999=abc"))),
    "algorithm in upper case": ("algorithm", row(A, lambda r: r.__setitem__(1, r[1].upper()))),
    "no hash": ("no hash", row(A, lambda r: r.__setitem__(1, ""))),
    "no hash, no size": ("no hash", row(A, lambda r: r.__setitem__(slice(1, 3), ["", ""]))),
    "hash without algorithm": (
        "no hash",
        row(A, lambda r: r.__setitem__(1, r[1].partition("=")[2])),
    ),
    "padded hash": ("malformed", row(A, lambda r: r.__setitem__(1, r[1] + "="))),
    "hash in hexadecimal": ("malformed", row(A, lambda r: r.__setitem__(1, "sha256=" + "0a" * 32))),
    "plain base64": (
        "malformed",
        row(A, lambda r: r.__setitem__(1, "sha256=" + "+/" * 21 + "A")),
    ),
    "short hash": ("malformed", row(A, lambda r: r.__setitem__(1, r[1][:-1]))),
    "a hash of itself": (
        "hash or size",
        row("RECORD", lambda r: r.__setitem__(1, hash_row(A, b"")[1])),
    ),
    "size of RECORD itself": ("hash or size", row("RECORD", lambda r: r.__setitem__(2, "400"))),
    "two columns": ("columns", row(A, lambda r: r.pop())),
    "four columns": ("columns", row(A, lambda r: r.append("x"))),
    "blank line": ("columns", record(lambda data: data.replace(b"\n", b"\n\n", 1))),
    "broken quoting": ("CSV", record(lambda data: data.replace(b"demo/core", b'"demo/core"x'))),
    "unclosed quotes": ("CSV", record(lambda data: data + b'"')),
    "Latin-1": ("UTF-8", record(lambda data: data + b"demo/\xe9.py,,\n")),
    "UTF-16": ("UTF-8", record(lambda data: data.decode().encode("utf-16"))),
    "byte-order mark": ("byte-order mark", record(lambda data: b"\xef\xbb\xbf" + data)),
    "NUL in RECORD": ("NUL", record(lambda data: data + b"\0,,\n")),
    "a directory listed": ("but not in", lambda w: _listed_directory(w)),
    "RECORD doubled": ("twice", lambda w: w.parts.update({"again": w.part("RECORD")})),
}


def _listed_directory(w: Draft) -> None:
    w.add("demo/sub/", b"", method=0).mode(stat.S_IFDIR | 0o755)
    w.rows(lambda rows: rows.append(hash_row("demo/sub/", b"")))


def _meta(change: Callable[[bytes], bytes]) -> Bend:
    def bend(w: Draft) -> None:
        w.part("METADATA").data = change(w.part("METADATA").data)

    return bend


def _lower_metadata(w: Draft) -> None:
    w.drop("METADATA")
    w.add_info("metadata", metadata("demo", "1.0"))


METADATA: dict[str, tuple[str, Bend]] = {
    "METADATA missing": ("missing", lambda w: w.drop("METADATA")),
    "METADATA doubled": ("twice", lambda w: w.parts.update({"again": w.part("METADATA")})),
    "METADATA in capitals only": (
        "missing",
        _lower_metadata,
    ),
    "METADATA empty": ("no Metadata-Version", _meta(lambda data: b"")),
    "other name": ("names", swapped("Name: demo", "Name: other")),
    "other version": ("version", swapped("Version: 1.0", "Version: 1.1")),
    "local version only inside": ("version", swapped("Version: 1.0", "Version: 1.0+cu12")),
    "no name": ("no Name", swapped("Name: demo\n", "")),
    "no version": ("no Version", swapped("\nVersion: 1.0", "")),
    "two names": ("more than one", swapped("Name: demo", "Name: demo\nName: demo")),
    "two versions": ("more than one", swapped("Summary: made up", "version: 2.0")),
    "version in the description only": (
        "no Version",
        lambda w: (swapped("\nVersion: 1.0", "")(w), swapped("A desc", "Version: 1.0\nA desc")(w)),
    ),
    "version without sense": ("PEP 440", swapped("Version: 1.0", "Version: one")),
    "folded version": ("version", swapped("Version: 1.0", "Version: 1.0\n +cu12")),
    "no Metadata-Version": ("Metadata-Version", swapped("Metadata-Version: 2.1\n", "")),
    "Metadata-Version 9": (
        "Metadata-Version",
        swapped("Metadata-Version: 2.1", "Metadata-Version: 9.0"),
    ),
    "bare carriage return": ("carriage", swapped("Summary: made up", "Summary: x\rVersion: 2.0")),
    "METADATA in Latin-1": ("UTF-8", _meta(lambda data: data.replace(b"made", b"m\xe9de"))),
    "METADATA with mark": ("mark", _meta(lambda data: b"\xef\xbb\xbf" + data)),
    "METADATA in UTF-16": ("UTF-8", _meta(lambda data: data.decode().encode("utf-16"))),
    "blank first line": ("no Metadata-Version", _meta(lambda data: b"\n" + data)),
    "WHEEL missing": ("missing", lambda w: w.drop("WHEEL")),
    "WHEEL doubled": ("twice", lambda w: w.parts.update({"again": w.part("WHEEL")})),
    "Wheel-Version 2": (
        "Wheel-Version",
        swapped("Wheel-Version: 1.0", "Wheel-Version: 2.0", "WHEEL"),
    ),
    "Wheel-Version 0": (
        "Wheel-Version",
        swapped("Wheel-Version: 1.0", "Wheel-Version: 0.9", "WHEEL"),
    ),
    "no Wheel-Version": ("Wheel-Version", swapped("Wheel-Version: 1.0\n", "", "WHEEL")),
    "two Wheel-Versions": (
        "more than one",
        swapped("Generator: forge", "Wheel-Version: 1.0", "WHEEL"),
    ),
    "Root-Is-Purelib of two minds": (
        "Purelib",
        swapped("Generator: forge", "Root-Is-Purelib: true", "WHEEL"),
    ),
    "no tag": ("lacks the file name's tag", swapped("Tag: py3-none-linux_x86_64\n", "", "WHEEL")),
    "other platform": (
        "lacks the file name's tag",
        swapped("linux_x86_64", "linux_aarch64", "WHEEL"),
    ),
    "other Python": ("lacks the file name's tag", swapped("Tag: py3", "Tag: py2", "WHEEL")),
    "malformed tag": ("invalid", swapped("Tag: py3-none", "Tag: py3", "WHEEL")),
    "file name with more tags": (
        "lacks the file name's tag",
        of_draft(file_name="demo-1.0-py3-none-linux_x86_64.manylinux_2_17_x86_64.whl"),
    ),
    "file name of another project": (
        "directory",
        of_draft(file_name="other-1.0-py3-none-linux_x86_64.whl"),
    ),
    "file name of another version": (
        "directory",
        of_draft(file_name="demo-2.0-py3-none-linux_x86_64.whl"),
    ),
    "Build of another number": (
        "build tag",
        lambda w: (
            swapped("Generator: forge", "Build: 2", "WHEEL")(w),
            of_draft(file_name="demo-1.0-1-py3-none-linux_x86_64.whl")(w),
        ),
    ),
    "Build without one in the name": (
        "build tag",
        swapped("Generator: forge", "Build: 1", "WHEEL"),
    ),
}


LAYOUT: dict[str, tuple[str, Bend]] = {
    "no dist-info": ("no dist-info", lambda w: _move_info(w, "demo-1.0.dist_info")),
    "two dist-info directories": ("dist-info directories", added("other-1.0.dist-info/METADATA")),
    "two dist-info by version": ("dist-info directories", added("demo-1.1.dist-info/METADATA")),
    "two dist-info by case": (
        "dist-info d|its name",
        added("Demo-1.0.dist-info/METADATA"),
    ),
    "two dist-info by the ending's case": (
        "dist-info d|its name",
        added("demo-1.0.DIST-INFO/METADATA"),
    ),
    "dist-info in capitals": ("directory", lambda w: _move_info(w, "demo-1.0.DIST-INFO")),
    "dist-info of another project": ("directory", lambda w: _move_info(w, "other-1.0.dist-info")),
    "dist-info of another version": ("directory", lambda w: _move_info(w, "demo-1.1.dist-info")),
    "foreign data directory": ("directory", added("other-1.0.data/scripts/run")),
    "data directory of another version": ("directory", added("demo-1.1.data/scripts/run")),
    "two data directories": (
        "two .data",
        lambda w: (added("demo-1.0.data/scripts/run")(w), added("Demo-1.0.data/scripts/x")(w)),
    ),
    "unknown scheme": ("a known scheme", added("demo-1.0.data/stdlib/os.py")),
    "file in the data directory": ("a known scheme", added("demo-1.0.data/os.py")),
    "second dist-info by data": (
        "second dist-info",
        added("demo-1.0.data/purelib/evil-1.0.dist-info/METADATA"),
    ),
    "dist-info is a file": ("", added("demo-1.0.dist-info")),
    "data is a file": ("directory", added("demo-1.0.data")),
    "script climbs out": (
        "outside the scripts directory",
        info("entry_points.txt", "[console_scripts]\n../x = a:b\n"),
    ),
    "script is absolute": (
        "outside the scripts directory",
        info("entry_points.txt", "[gui_scripts]\n/bin/sh = a:b\n"),
    ),
    "script with backslash": (
        "outside the scripts directory",
        info("entry_points.txt", "[console_scripts]\n..\\x = a:b\n"),
    ),
    "script named ..": (
        "outside the scripts directory",
        info("entry_points.txt", "[console_scripts]\n.. = a:b\n"),
    ),
    "script with drive": (
        "outside the scripts directory",
        info("entry_points.txt", "[console_scripts]\nc:x = a:b\n"),
    ),
    "script runs code": (
        "not module:object",
        info("entry_points.txt", "[console_scripts]\nx = os:system('true')\n"),
    ),
    "script without object": ("not module", info("entry_points.txt", "[console_scripts]\nx = a\n")),
    "entry points in Latin-1": (
        "UTF-8",
        lambda w: w.add_info("entry_points.txt", b"[x]\ny = \xe9:a\n"),
    ),
    "METADATA beside metadata": ("take its name", info("metadata", "x")),
    "direct_url.json": ("installer", info("direct_url.json", "{}")),
    "Direct_URL.json": ("installer", info("Direct_URL.json", "{}")),
    "file where a directory is": ("needs? a directory", added("demo")),
    "file where a directory entry is": (
        "directory",
        lambda w: (
            w.add("demo/sub/", b"", method=0).mode(stat.S_IFDIR | 0o755),
            w.add("demo/sub", b"x"),
        ),
    ),
    "file under a file": ("directory", added("demo/__init__.py/x")),
}


def _move_info(w: Draft, directory: str) -> None:
    parts = {}
    for name, part in w.parts.items():
        new = name.replace(w.dist_info, directory)
        part.name = new.encode()
        parts[new] = part
    w.parts, w.dist_info = parts, directory


_TAG = "py3-none-linux_x86_64"
FILE_NAMES: dict[str, tuple[str, str]] = {
    "four parts": ("parts", "demo-1.0-py3-linux_x86_64.whl"),
    "seven parts": ("parts", f"demo-1.0-1-2-{_TAG}.whl"),
    "no wheel": (".whl", f"demo-1.0-{_TAG}.zip"),
    "capital ending": (".whl", f"demo-1.0-{_TAG}.WHL"),
    "space": ("", f"demo -1.0-{_TAG}.whl"),
    "space in the version": ("", f"demo-1.0 -{_TAG}.whl"),
    "newline in the name": ("", f"demo-1.0\n-{_TAG}.whl"),
    "newline at the end": (".whl", f"demo-1.0-{_TAG}.whl\n"),
    "not ASCII": ("ASCII", f"démo-1.0-{_TAG}.whl"),
    "version without sense in the name": ("version", f"demo-one-{_TAG}.whl"),
    "empty part": ("", f"demo--{_TAG}.whl"),
    "build tag without digit": ("build tag", f"demo-1.0-x1-{_TAG}.whl"),
    "tag with plus": ("tag", "demo-1.0-py3-none-linux+x86_64.whl"),
    "empty tag": ("tag", "demo-1.0-py3-none-linux_x86_64..any.whl"),
    "name with double underscore": ("project name", f"de__mo-1.0-{_TAG}.whl"),
    "copy by a browser": ("", f"demo-1.0-{_TAG} (1).whl"),
}

NATIVE_IN_PURE: dict[str, tuple[str, bytes]] = {
    "ELF": ("ELF", elf()),
    "ELF, big endian": ("ELF", b"\x7fELF\x02\x02\x01" + bytes(9) + b"\0\3\0\x16" + bytes(100)),
    "Mach-O": ("Mach-O", bytes.fromhex("cffaedfe0c000001") + bytes(100)),
    "fat Mach-O": ("Mach-O", bytes.fromhex("cafebabe00000002") + bytes(100)),
    "short ELF": ("ELF", b"\x7fELF"),
    "static library": ("static library", b"!<arch>\n" + bytes(100)),
    "DLL": (
        "DLL",
        b"MZ" + bytes(58) + struct.pack("<L", 128) + bytes(64) + b"PE\0\0" + bytes(18) + b"\2\x21",
    ),
}

#: METADATA and WHEEL of the plain draft.
PLAIN = (metadata("demo", "1.0"), wheel(_TAG))
