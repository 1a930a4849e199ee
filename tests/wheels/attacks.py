"""Wheels that two readers interpret differently, and that must be refused.

From the advisories on ZIP confusion of 2025 (PyPI, uv), differences between pip, uv, installer,
importlib.metadata and ConfigParser, and names that file systems change.
"""

from __future__ import annotations

import copy
import stat
import struct
import zlib

from wheels.bends import (
    A,
    Bend,
    added,
    both,
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
    managed_dll,
    metadata,
    render_local,
    wheel,
    zip64_extra,
)

Cases = dict[str, tuple[str, Bend]]


def _field(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<2H", kind, len(data)) + data


def _raw(data: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(data) + engine.flush()


_TIME = _field(0x5455, struct.pack("<BL", 1, 1_700_000_000))
_ASI_LINK = _field(0x756E, struct.pack("<LHLHH", 0, stat.S_IFLNK | 0o777, 8, 0, 0) + b"/etc/pwd")
_SIGNATURES = {
    "local header": b"PK\3\4",
    "directory entry": b"PK\1\2",
    "zip64 end record": b"PK\6\6",
    "zip64 locator": b"PK\6\7",
    "data descriptor": b"PK\7\x08",
}


def _wide_offset(offset: int) -> Bend:
    return both(in_central(offset=FULL32), of_part(extra=zip64_extra(offset)))


def _hidden_twin(w: Draft) -> None:
    """A second member of the same name that only a reader of local headers finds."""
    w.add("demo/twin.py", b"evil = 1\n", hidden=True).name = A.encode()
    w.rows(lambda rows: rows.pop(next(i for i, r in enumerate(rows) if r[0] == "demo/twin.py")))


def _stored_inside(w: Draft) -> None:
    """A whole archive as the data of a stored member, its end record the last in a short file."""
    w.add("demo/inner.zip", Draft().build(), method=0)
    w.cut = -22


def _odd_inside(w: Draft) -> None:
    """An entry with a comment whose header and data are in the data of a plain stored member."""
    part = Part(b"demo/evil.py", b"evil = 1\n", ghost=True, comment=b"odd")
    inner = render_local(part) + part.stored
    w.add("demo/outer.bin", inner, method=0)
    part.central["offset"] = copy.deepcopy(w).build().index(inner)
    w.add(part.name, part.data)
    w.parts["demo/evil.py"] = part


def _end64_in_a_comment(w: Draft) -> None:
    """The zip64 records are in the last entry's comment: the directory ends in two places."""
    part = w.part("RECORD")
    part.comment = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 5, 5, 300, 0)
    part.comment += struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)


def _directory_twice(w: Draft) -> None:
    """An older central directory in front of the real one, as after an append."""
    data = Draft().build()
    at = data.index(b"PK\1\2")
    w.between = data[at : data.index(b"PK\5\6")]


def _directory_stream(w: Draft) -> None:
    part = w.add("demo/sub/", b"")
    part.mode(stat.S_IFDIR | 0o755)
    part.packed = _raw(b"hidden in a directory")


def _descriptor(**described: int) -> Bend:
    return of_part(descriptor=8, described=described)


ARCHIVES: Cases = {
    **{
        f"{what} in the comment": (
            "comment contains a record",
            of_draft(comment=b"x" + sign + b"yy"),
        )
        for what, sign in _SIGNATURES.items()
    },
    **{
        f"{what} in a member's comment": ("comment contains", of_part(comment=b"x" + sign + b"yy"))
        for what, sign in {**_SIGNATURES, "end record": b"PK\5\6"}.items()
    },
    "duplicate in the local headers": ("do not belong to any member", _hidden_twin),
    "archive in a member, end record truncated": ("truncated", _stored_inside),
    "zip64 records in a comment": ("locator", _end64_in_a_comment),
    "two central directories": ("do not belong to any member", _directory_twice),
    "archive extra data record": (
        "do not belong to any member",
        of_draft(between=b"PK\6\x08" + bytes(4)),
    ),
    "signature of a later entry": (
        "malformed or contains foreign",
        of_part("demo/core.so", central={"signature": b"PK\1\3"}),
    ),
    "member inside the data of another": ("overlaps", _odd_inside),
    "digital signature": ("do not belong to any member", of_draft(between=b"PK\5\5\0\0")),
    "spanning marker": ("precede", of_draft(prefix=b"PK\7\x08")),
    "temporary spanning marker": ("precede", of_draft(prefix=b"PK00")),
    "offset of 2^64": ("local header", _wide_offset(2**64 - 1)),
    "offset of 2^63": ("local header", _wide_offset(2**63)),
    "offset near 2^63": ("local header", _wide_offset(2**63 - 10)),
    "offset after the end": ("local header", _wide_offset(1 << 33)),
    "sizes of 2^64": (
        "size",
        both(in_central(size=FULL32, stored=FULL32), of_part(extra=zip64_extra(2**64 - 1, 5))),
    ),
    "directory of 2^40 bytes": (
        "does not follow the central directory",
        of_draft(zip64=True, end={"size": FULL32}, end64={"size": 1 << 40}),
    ),
    "zip64 end record of version 2": ("malformed", of_draft(zip64=True, end64={"rest": 44 + 12})),
    "zip64 locator of disk 1": ("multi-disk", of_draft(zip64=True, locator={"disk": 1})),
    "zip64 entries by disk differ": ("multi-disk", of_draft(zip64=True, end64={"here": 1})),
    "zip64 disk of a member": (
        "another disk",
        both(in_central(disk=0xFFFF), of_part(extra=_field(1, struct.pack("<L", 1)))),
    ),
    "local zip64 differs": (
        "size",
        both(in_local(size=FULL32, stored=FULL32), of_part(local_extra=zip64_extra(12, 99))),
    ),
    "local header needs zip 9": ("unknown zip version", in_local(need=90)),
    "local UTF-8 flag alone": ("flags", in_local(flags=0x800)),
    "encrypted in the local header": ("flags", in_local(flags=1)),
    "descriptor with the size of another": ("descriptor", _descriptor(size=13)),
    "descriptor cut by its signature": (
        "descriptor",
        lambda w: (of_part(descriptor=4)(w), of_part("demo/core.so", before=bytes(4))(w)),
    ),
    "incomplete field after an extra field": (
        "extra field is malformed",
        of_part(extra=_TIME + b"\1\2\3"),
    ),
    "duplicate extra field": ("two extra fields", of_part(extra=_TIME * 2)),
    "duplicate local extra field": ("two extra fields", of_part(local_extra=_TIME * 2)),
    "duplicate unknown extra field": ("two extra fields", of_part(extra=_field(0x9999) * 2)),
    "duplicate local zip64 field": ("two zip64", of_part(local_extra=zip64_extra(12, 14) * 2)),
    "local Unicode Path": (
        "Unicode Path",
        of_part(local_extra=_field(0x7075, struct.pack("<BL", 1, zlib.crc32(A.encode())) + b"x")),
    ),
    "Unicode Path of no bytes": ("Unicode Path", of_part(extra=_field(0x7075))),
    "link by the ASi field": ("ASi", of_part(extra=_ASI_LINK)),
    "link by the local ASi field": ("ASi", of_part(local_extra=_ASI_LINK)),
    "encrypted by PKWARE's field": ("encrypted", of_part(local_extra=_field(0x0017, bytes(8)))),
    "extra fields without room": (
        "extra fields have more than",
        of_part(extra=_field(0x9999, bytes(65531))),
    ),
    "volume label": ("label", of_part(external=(stat.S_IFREG | 0o644) << 16 | 0x08)),
    "link of NTFS": ("link", of_part(external=0x400, made_by=10 << 8 | 20)),
    "directory with a stream": ("unpacks to more", _directory_stream),
    "block device": ("neither", of_part(external=(stat.S_IFBLK | 0o644) << 16)),
    "empty stream of no bytes": (
        "data is missing",
        lambda w: setattr(w.add("demo/py.typed", b""), "packed", b""),
    ),
}

NAMES: Cases = {
    "directory named like a drive": ("drive letter", added("demo/C:/evil.py")),
    "drive in the data directory": ("drive letter", added("demo-1.0.data/data/C:evil")),
    "drive as a scheme's directory": ("drive letter", added("demo-1.0.data/data/d:/evil")),
    "line separator": ("control", added("demo/a\u2028b.py")),
    "paragraph separator": ("control", added("demo/a\u2029b.py")),
    "next line": ("control", added("demo/a\x85b.py")),
    "right to left": ("invisible", added("demo/\u202egpj.py")),
    "byte-order mark in a name": ("invisible", added("demo/\ufeff__init__.py")),
    "zero width": ("invisible", added("demo/__init__\u200b.py")),
    "private use": ("invisible", added("demo/\ue000.py")),
    "noncharacter": ("invisible", added("demo/\ufffe.py", "demo/\U0010ffff.py")),
    "tab": ("control", added("demo/a\tb.py")),
    "longer than a path": ("4095", added("demo/" + "/".join(["x" * 200] * 21))),
    "longer than a path, not ASCII": ("4095", added("demo/" + "/".join(["é" * 100] * 21))),
    "dist-info with a trailing dot": (
        "dist-info d|its name",
        added("demo-1.0.dist-info./METADATA"),
    ),
    "dist-info with a trailing space": (
        "dist-info d|its name",
        added("demo-1.0.dist-info /METADATA"),
    ),
    "dist-info with a long s": (
        "dist-info d|its name",
        added("demo-1.0.di\u017ft-info/METADATA"),
    ),
    "dist-info of another case and name": (
        "dist-info directories",
        added("evil-1.Dist-Info/RECORD"),
    ),
    "data directory by case": (
        "two .data|directory",
        added("demo-1.0.DATA/scripts/x", "demo-1.0.data/data/y"),
    ),
    "METADATA with a trailing dot": ("take its name", info("METADATA.", "x")),
    "WHEEL with a trailing space": ("take its name", info("WHEEL ", "x")),
    "RECORD in lower case": ("take its name", info("record", "x")),
    "direct_url.json with a trailing dot": ("installer", info("direct_url.json.", "{}")),
    "names that differ by case": ("take its name", added("demo/Core.py", "demo/core.py")),
    "names in two normal forms": ("take its name", added("demo/é.txt", "demo/e\u0301.txt")),
    "names by case and normal form": ("take its name", added("demo/É.txt", "demo/e\u0301.txt")),
    "sharp s": ("take its name", added("demo/straße.py", "demo/STRASSE.py")),
    "ohm sign": ("take its name", added("demo/\u2126.py", "demo/\u03c9.py")),
    "trailing dots": ("take its name", added("demo/x.py", "demo/x.py..")),
    "trailing spaces": ("take its name", added("demo/x.py", "demo/x.py ")),
    "dots and spaces within a path": ("take its name", added("demo/sub/x.py", "demo/sub. ./x.py")),
    "case within a path": ("take its name", added("demo/Sub/x.py", "demo/sub/x.py")),
    "case in the data folder": (
        "over another member",
        added("demo-1.0.data/purelib/demo/__INIT__.py"),
    ),
    "file where a directory is, by case": ("need a directory", added("demo/Sub", "demo/sub/x.py")),
    "file where a directory is, by trailing dots": (
        "need a directory",
        added("demo/sub..", "demo/sub/x.py"),
    ),
    "backslash in dist-info": ("backslash", info("..\\evil", "x")),
    "directory twice": (
        "twice",
        lambda w: [
            w.parts.update({key: w.add("demo/sub/", b"", method=0).mode(stat.S_IFDIR | 0o755)})
            for key in ("demo/again/", "demo/sub/")
        ],
    ),
    "file deep below a file": ("need a directory", added("demo/__init__.py/x/y/z.py")),
    "sibling of the data directory": (
        "too similar",
        added("demo-1.0.data/data/x", "demo-1.0.dataX/evil"),
    ),
}


def _lists_itself(w: Draft) -> None:
    """A row of RECORD itself like any other's, with the size that it has."""

    def fill(rows: list[list[str]]) -> None:
        rows[-1][1:] = [hash_row(A, b"")[1], "000"]

    w.rows(fill)
    size = str(len(w.record()))
    assert len(size) == 3
    w.rows(lambda rows: rows[-1].__setitem__(2, size))


def _signed_row(w: Draft) -> None:
    part = w.add_info("RECORD.jws", b"{}")
    w.rows(lambda rows: rows.insert(0, hash_row(part.name.decode(), part.data)))


RECORDS: Cases = {
    "RECORD with a hash of itself": ("hash or size", _lists_itself),
    "signature with a wrong crc": (
        "CRC-32 mismatch",
        lambda w: (
            w.add_info("RECORD.jws", b"{}").central.update(crc=1)
            or w.part("RECORD.jws").local.update(crc=1)
        ),
    ),
    "signature as any other": ("hash or size", _signed_row),
    "row with a quoted line break": ("not CSV", record(lambda data: data + b'"demo/a\nb",,\n')),
    "row of an absolute path": ("but not in", row(A, lambda r: r.__setitem__(0, "/" + r[0]))),
    "row with parent directories": (
        "but not in",
        row(A, lambda r: r.__setitem__(0, "demo/../" + r[0])),
    ),
    "row of another case": ("but not in", row(A, lambda r: r.__setitem__(0, r[0].upper()))),
    "row doubled in front": (
        "twice",
        lambda w: w.rows(lambda rows: rows.insert(0, list(rows[0]))),
    ),
    "row of a directory without its slash": (
        "but not in",
        lambda w: w.rows(lambda rows: rows.append(["demo", "", ""])),
    ),
    "row in another normal form": (
        "but not in",
        both(
            added("demo/é.py"),
            row("demo/é.py", lambda r: r.__setitem__(0, "demo/e\u0301.py")),
        ),
    ),
    "row with a leading space": ("but not in", row(A, lambda r: r.__setitem__(0, " " + r[0]))),
    "duplicate row for RECORD": (
        "twice",
        record(lambda data: data + data.splitlines()[-1] + b"\n"),
    ),
    "hash with a space": ("malformed", row(A, lambda r: r.__setitem__(1, r[1] + " "))),
    "hash with two equals signs": (
        "malformed",
        row(A, lambda r: r.__setitem__(1, "sha256=" + r[1])),
    ),
    "sha3": ("sha3_256", row(A, lambda r: r.__setitem__(1, hash_row(A, b"", "sha3_256")[1]))),
    "blake2": ("blake2b", row(A, lambda r: r.__setitem__(1, hash_row(A, b"", "blake2b")[1]))),
    "size in hexadecimal": ("size", row(A, lambda r: r.__setitem__(2, "0xc"))),
    "size with underscore": ("size", row(A, lambda r: r.__setitem__(2, "1_2"))),
    "size with a fraction": ("size", row(A, lambda r: r.__setitem__(2, "12.0"))),
    "size of a thousand digits": ("size", row(A, lambda r: r.__setitem__(2, "1" * 1000))),
    "RECORD of megabytes": (
        "and the limit is",
        record(lambda data: data + b"x,,\n" * 1_000_000),
    ),
    "hash of a signature": (
        "hash or size",
        both(
            info("RECORD.jws", "{}"),
            lambda w: w.rows(
                lambda rows: rows.append(hash_row(f"{w.dist_info}/RECORD.jws", b"{}"))
            ),
        ),
    ),
    "comment line": ("columns", record(lambda data: b"# made by hand\n" + data)),
    "header line": ("but not in", record(lambda data: b"path,hash,size\n" + data)),
    "semicolons": ("columns", record(lambda data: data.replace(b",", b";"))),
}


def _entry_points(text: str) -> Bend:
    return info("entry_points.txt", text)


METADATA: Cases = {
    "From between headers": (
        "not a header",
        swapped("Summary: made up", "From here\nRequires-Dist: evil\nSummary: made up"),
    ),
    "From in front": ("not a header", swapped("Metadata-", "From here\nMetadata-")),
    **{
        f"two headers {name}": (
            f"more than one {name}",
            swapped("Summary: made up", f"Summary: x\n{name}: a\n{name.upper()}: b"),
        )
        for name in (
            "Author-email",
            "Description-Content-Type",
            "Home-page",
            "Keywords",
            "License",
            "License-Expression",
            "Requires-Python",
        )
    },
    "two summaries": ("more than one", swapped("Summary: made up", "Summary: a\nsummary: b")),
    "multipart message": (
        "multipart message",
        swapped("Summary: made up", "Content-Type: Multipart/mixed; boundary=x"),
    ),
    "header without a name": (
        "not a header",
        swapped("Summary: made up", ": x\nRequires-Dist: evil"),
    ),
    "requirement after junk": (
        "follow a line",
        swapped("Summary: made up", "junk\nRequires-Dist: evil"),
    ),
    "version after junk": ("follow a line", swapped("Summary: made up", "junk\nversion : 2.0")),
    "name after a carriage return": (
        "follow a line|carriage",
        swapped("Summary: made up", "junk\rName: evil"),
    ),
    "version of 240 digits": ("version", swapped("Version: 1.0", "Version: v1" + "0" * 240)),
    "version of 5000 digits": (
        "longer than 255",
        swapped("Version: 1.0", "Version: v1" + "0" * 5000),
    ),
    "version of megabytes": (
        "longer than 255",
        swapped("Version: 1.0", "Version: 1" + ".0" * 3_000_000),
    ),
    "headers by the million": (
        "more than 20000",
        swapped("Summary", "a:\n" * 2_000_000 + "Summary"),
    ),
    "tags by the thousand million": (
        "over 10000 tags",
        swapped("Generator: forge", "Tag: " + "-".join([".".join(["a"] * 1000)] * 3), "WHEEL"),
    ),
    "tags on very many lines": (
        "over 10000 tags",
        swapped("Generator: forge", "Tag: a.b.c.d-e.f.g.h-i.j.k.l\n" * 200 + "X: y", "WHEEL"),
    ),
    "version with a form feed": ("PEP 440", swapped("Version: 1.0", "Version: 1.0\f")),
    "version in full-width digits": ("PEP 440", swapped("Version: 1.0", "Version: １.０")),
    "version with two local versions": ("PEP 440", swapped("Version: 1.0", "Version: 1.0+a+b")),
    "name with a soft hyphen": ("names", swapped("Name: demo", "Name: de\u00admo")),
    "name in Cyrillic": ("names", swapped("Name: demo", "Name: dem\u043e")),
    "NUL in a header": ("NUL", swapped("made up", "made\0up")),
    "name with a space in front of its colon": (
        "follow a line",
        swapped("Name: demo", "Name : demo"),
    ),
    "tag after junk": ("follow a line", swapped("Generator: forge", "junk\nTag: a-b-c", "WHEEL")),
    "tag after a blank line": ("lacks the file name's tag", swapped("Tag:", "\nTag:", "WHEEL")),
    "no Root-Is-Purelib": ("Purelib", swapped("Root-Is-Purelib: false\n", "", "WHEEL")),
    "Root-Is-Purelib maybe": ("Purelib", swapped("Purelib: false", "Purelib: maybe", "WHEEL")),
    "WHEEL with mark": ("mark", swapped("Wheel-", b"\xef\xbb\xbfWheel-", "WHEEL")),
    "Wheel-Version of three parts": (
        "Wheel-Version",
        swapped("Wheel-Version: 1.0", "Wheel-Version: 1.0.1", "WHEEL"),
    ),
    "tag of four parts": ("invalid", swapped("py3-none", "py3-none-x", "WHEEL")),
    "tag with a comma": ("invalid", swapped("py3-none", "py3,cp3-none", "WHEEL")),
    "two Builds": (
        "build tag",
        both(
            swapped("Generator: forge", "Build: 1\nBuild: 1", "WHEEL"),
            of_draft(file_name="demo-1.0-1-py3-none-linux_x86_64.whl"),
        ),
    ),
    "script in a section of two brackets": (
        "section",
        _entry_points("[[console_scripts]]\n../x = a:b\n"),
    ),
    "script for every section": (
        "outside the scripts directory",
        _entry_points("[DEFAULT]\n../x = a:b\n[console_scripts]\ny = a:b\n"),
    ),
    "script after a semicolon": (
        "outside the scripts directory",
        _entry_points("[console_scripts]\n;../x = a:b\n"),
    ),
    "section with a trailing comment": (
        "section",
        _entry_points("[console_scripts] # x\ny = a:b\n"),
    ),
    "script after a form feed": (
        "control",
        _entry_points("[x]\na = b\f[gui_scripts]\n../x=a:b\n"),
    ),
    "script after a carriage return": (
        "control",
        _entry_points("[x]\ry = 1\n[console_scripts]\r../x = a:b\n"),
    ),
    "script that continues a line": (
        "continues the one before",
        _entry_points("[console_scripts]\ny = a:b\n  ../x = a:b\n"),
    ),
    "entry point that continues a line": (
        "continues the one before",
        _entry_points("[demo.x]\na = b\n\tc = d\n"),
    ),
    "folded entry point": ("continues", _entry_points("[demo.x]\na = b:\n c\n")),
    "entry point without a section": ("in a section", _entry_points("a = b\n")),
    "entry points in JSON": ("name = value", _entry_points('{"console_scripts": ["a"]}\n')),
    "entry point without a value": ("name = value", _entry_points("[demo.x]\na\n")),
    "entry points with a byte-order mark": (
        "mark",
        _entry_points("\ufeff[console_scripts]\ny = a:b\n"),
    ),
}

LAYOUT: Cases = {
    "data directory over a member": (
        "over another",
        added("demo-1.0.data/purelib/demo/__init__.py"),
    ),
    "two schemes for one place": (
        "over another",
        added("demo-1.0.data/purelib/x.py", "demo-1.0.data/platlib/x.py"),
    ),
    "data directory's file over a directory": ("over another", added("demo-1.0.data/platlib/demo")),
    "data directory's directory over a file": (
        "over another",
        added("demo-1.0.data/purelib/demo/__init__.py/x.py"),
    ),
    "dist-info by data, in capitals": (
        "second dist-info",
        added("demo-1.0.data/platlib/Evil-1.0.DIST-INFO/METADATA"),
    ),
    "dist-info by data, trailing dot": (
        "second dist-info",
        added("demo-1.0.data/purelib/demo-1.0.dist-info./METADATA"),
    ),
    "scheme in upper case": ("a known scheme", added("demo-1.0.data/Scripts/run")),
    "scheme include": ("a known scheme", added("demo-1.0.data/include/x.h")),
    "egg": ("no dist-info", lambda w: _only_egg(w)),
}


def _only_egg(w: Draft) -> None:
    for name in ("METADATA", "WHEEL", "RECORD"):
        w.drop(name)
    w.add("EGG-INFO/PKG-INFO", metadata("demo", "1.0"))


def _late(data: bytes) -> bytes:
    """Return a stream whose first 2000 bytes unpack to nothing."""
    return b"\0\0\0\xff\xff" * 400 + _raw(data)


_FAR_DLL = b"MZ" + bytes(58) + struct.pack("<L", 4096) + bytes(4032) + b"PE\0\0" + bytes(18)
NATIVE: dict[str, tuple[str, str, bytes]] = {
    "fat Mach-O of 64 bits": ("Mach-O", "demo/blob", bytes.fromhex("cafebabf00000002") + bytes(99)),
    "Mach-O, big endian": ("Mach-O", "demo/blob", bytes.fromhex("feedfacf01000007") + bytes(99)),
    "thin library": ("static library", "demo/blob", b"!<thin>\n" + bytes(99)),
    "DLL of 64 bits": ("DLL", "demo/blob", managed_dll(wide=True, managed=False)),
    "DLL of 32 bits": ("DLL", "demo/blob", managed_dll(wide=False, managed=False)),
    "DLL with a long stub": ("DLL", "demo/blob", _FAR_DLL + b"\2\x21" + bytes(500)),
    "DLL with a stub of megabytes": (
        "DLL",
        "demo/x.DLL",
        b"MZ" + bytes(58) + struct.pack("<L", 1 << 20) + bytes(1 << 21),
    ),
    "extension module in upper case": ("extension module", "demo/x.PYD", b"none"),
    "relocatable ELF": ("ELF", "demo/blob", elf()[:16] + b"\1\0" + elf()[18:]),
}


def _pure(name: str, data: bytes) -> Bend:
    def bend(w: Draft) -> None:
        w.drop("demo/core.so")
        w.file_name = "demo-1.0-py3-none-any.whl"
        w.part("WHEEL").data = wheel("py3-none-any")
        w.add(name, data)

    return bend


PURE: Cases = {
    **{
        f"pure with {what}": (reason, _pure(name, data))
        for what, (reason, name, data) in NATIVE.items()
    },
    "pure with ELF after empty blocks": (
        "ELF",
        both(_pure("demo/blob", elf()), lambda w: of_part("demo/blob", packed=_late(elf()))(w)),
    ),
    "pure by one of its tags": (
        "ELF",
        both(
            of_draft(file_name="demo-1.0-py3-none-linux_x86_64.any.whl"),
            swapped("Generator: forge", "Tag: py3-none-any", "WHEEL"),
        ),
    ),
}

_TAG = "py3-none-linux_x86_64"
FILE_NAMES: dict[str, tuple[str, str]] = {
    "name with a hyphen": ("parts|version", f"de-mo-x-y-1.0-{_TAG}.whl"),
    "name that ends with a dot": ("project name", f"demo.-1.0-{_TAG}.whl"),
    "name that begins with an underscore": ("project name", f"_demo-1.0-{_TAG}.whl"),
    "version with percent": ("version", f"demo-1.0%2Bcu12-{_TAG}.whl"),
    "version with two epochs": ("version", f"demo-1!2!1.0-{_TAG}.whl"),
    "build tag with plus": ("build tag", f"demo-1.0-1+x-{_TAG}.whl"),
    "tag that begins with a dot": ("tag", "demo-1.0-.py3-none-linux_x86_64.whl"),
    "backslash in the file name": ("project name", f"demo\\x-1.0-{_TAG}.whl"),
    "signature next to the wheel": (".whl", f"demo-1.0-{_TAG}.whl.asc"),
}

#: Every group of cases that bends a draft.
GROUPS: tuple[Cases, ...] = (ARCHIVES, NAMES, RECORDS, METADATA, LAYOUT, PURE)
