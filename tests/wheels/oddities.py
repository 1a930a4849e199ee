"""Sound wheels at the limits of the rules, which only look like attacks."""

from __future__ import annotations

import stat
import struct
import zlib
from functools import partial

from wheels.bends import (
    A,
    Bend,
    added,
    both,
    in_both,
    in_central,
    in_local,
    info,
    of_draft,
    of_part,
    of_parts,
    record,
    row,
    swapped,
)
from wheels.forge import FULL32, Draft, hash_row, managed_dll, metadata, zip64_extra

_TAG = "py3-none-linux_x86_64"
#: The stored size of the first member.
_STORED = len(Draft().part(A).stored)


def _directory(name: str, packed: bytes | None) -> Bend:
    def bend(w: Draft) -> None:
        part = w.add(name, b"")
        part.mode(stat.S_IFDIR | 0o755)
        part.packed = packed

    return bend


def _listed_backwards(w: Draft) -> None:
    """The central directory lists the members in another order than the file."""
    w.listed = list(reversed(w.parts))


def _record_first(w: Draft) -> None:
    own = w.parts.pop(f"{w.dist_info}/RECORD")
    w.parts = {f"{w.dist_info}/RECORD": own, **w.parts}


def _blocks(w: Draft) -> None:
    """Streams of many blocks, stored ones and empty ones among them."""
    for part in w.parts.values():
        if part.data:
            engine = zlib.compressobj(0, zlib.DEFLATED, -15)
            half = len(part.data) // 2
            part.packed = engine.compress(part.data[:half]) + engine.flush(zlib.Z_FULL_FLUSH)
            part.packed += engine.compress(part.data[half:]) + engine.flush()


def _empty_blocks(w: Draft) -> None:
    w.part(A).packed = b"\0\0\0\xff\xff" * 9 + w.part(A).stored


def _replace(cells: list[str], fresh: list[str]) -> None:
    cells[:] = fresh


def _mixed_hashes(w: Draft) -> None:
    for name, algorithm in ((A, "sha512"), ("demo/core.so", "sha384")):
        fresh = hash_row(name, w.parts[name].data, algorithm)
        row(name, partial(_replace, fresh=fresh))(w)


def _local_zip64_of_one(w: Draft) -> None:
    part = w.part(A)
    part.local["size"] = FULL32
    part.local_extra = zip64_extra(len(part.data))


ARCHIVES: dict[str, Bend] = {
    "directory in another order": _listed_backwards,
    "RECORD first": _record_first,
    "directory called deflated": _directory("demo/sub/", b""),
    "directory deflated": _directory("demo/sub/", None),
    "empty directory": _directory("empty/", b""),
    "streams of many blocks": _blocks,
    "streams after empty blocks": _empty_blocks,
    "zip64 fields of no bytes": of_part(extra=zip64_extra(), local_extra=zip64_extra()),
    "local zip64 of one size": _local_zip64_of_one,
    "descriptor called wide": of_part(descriptor=8, local_extra=zip64_extra(0, 0)),
    "zip64 left after, of the size": of_part(extra=zip64_extra(12)),
    "zip64 left after, of all": of_part(
        extra=struct.pack("<2H3QL", 1, 28, 12, _STORED, 0, 0),
        local_extra=zip64_extra(12, _STORED),
    ),
    "zip64 end record that needs 6.3": of_draft(zip64=True, end64={"need": 63}),
    "unknown extra field": of_part(extra=struct.pack("<2H2s", 0x9999, 2, b"PK")),
    "Unicode comment": of_part(
        comment=b"a", extra=struct.pack("<2HBL", 0x6375, 6, 1, zlib.crc32(b"a")) + b"b"
    ),
    "NTFS times": of_part(
        extra=struct.pack("<2HL2H3Q", 0x000A, 32, 0, 1, 24, *(133_000_000_000_000_000,) * 3)
    ),
    "member comment not UTF-8": of_part(comment=b"\xff\xfe", flags=0x800),
    "archive comment not UTF-8": of_draft(comment=b"\xff\xfe PK"),
    "longest archive comment": of_draft(comment=b"x" * 65_535),
    "a day that is none": of_parts(stamp=0xFFFFFFFF),
    "local header of another day": in_local(date=0x5821 + 1),
    "text by its attributes": in_central(internal=1),
    "needs zip 6.3": both(in_both(need=63)),
    "made by a unknown zip version": of_parts(made_by=3 << 8 | 63),
    "read only and archive bits": of_part(external=(stat.S_IFREG | 0o444) << 16 | 0x21),
}

CONTENTS: dict[str, Bend] = {
    "names of devices": added("demo/aux.py", "demo/con/nul.txt", "demo/COM1"),
    "dots and spaces after names": added("demo/a.", "demo/b ", "demo/c. ./d"),
    "colons in names": added("demo/a:b.txt", "demo/xy:"),
    "name in the decomposed form": added("demo/e\u0301.txt"),
    "folders that differ by case": added("demo/sub/a.py", "demo/Sub/b.py"),
    "names that differ after a dot": added("demo/x.", "demo/x.y", "demo/x y"),
    "scripts and signs": added("demo/עברית.txt", "demo/\u3000.txt", "demo/👍🏽.txt"),
    "path of 3000 bytes": added("demo/" + "/".join(["x" * 200] * 14)),
    "names that only look like dist-info": added("dist-info/METADATA", "demo/x.dist-info"),
    "names that only look like data": added("data/x", "demo.data.d/y", "x.database/z"),
    "percent and tilde": added("demo/%2e%2e/x", "~/x", "demo/$HOME"),
    "RECORD with bare carriage returns": of_draft(record_newline="\r"),
    "RECORD with mixed line ends": record(lambda data: data.replace(b"\n", b"\r\n", 1)),
    "hashes of three kinds": _mixed_hashes,
    "INSTALLER shipped": info("INSTALLER", "forge\n"),
    "REQUESTED shipped": info("REQUESTED", ""),
    "dist-info with directories": info("licenses/a/b/METADATA", "not ours\n"),
    "data beside other members": added(
        "demo-1.0.data/purelib/demo/more.py", "demo-1.0.data/purelib/demo2/x.py"
    ),
    "data and headers alike": added("demo-1.0.data/headers/x.h", "demo-1.0.data/data/x.h"),
    "nested script": added("demo-1.0.data/scripts/sub/run"),
    "entry points with spaces": info(
        "entry_points.txt", "\n# a comment\n[ console_scripts ]\n\n[gui_scripts]\r\n  w=demo.x:y\n"
    ),
    "entry points of plugins": info(
        "entry_points.txt", "[demo.plugins]\na.b/c = demo\n:x: = demo:y.z\n"
    ),
    "entry points of no bytes": info("entry_points.txt", ""),
    "script beyond ASCII": info("entry_points.txt", "[console_scripts]\nstraße = demo:größe\n"),
}

_HEAD = "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nSummary: made up\n"


def _text(text: str) -> Bend:
    return lambda w: setattr(w.part("METADATA"), "data", text.encode())


METADATA: dict[str, Bend] = {
    "headers in the description": _text(_HEAD + "\nVersion: 2.0\nFrom here\n: x\nName: other\n"),
    "text after the headers": _text(_HEAD + "Just text, no blank line.\n\nName: no header.\n"),
    "carriage return in the description": _text(_HEAD + "\nA\rVersion: 3.0\n"),
    "NUL in the description": _text(_HEAD + "\nA\0B\n"),
    "form feed in a header": _text(_HEAD + "Author: A\fVersion: 2.0\n"),
    "tabulator after the colon": swapped("Version: 1.0", "Version:\t1.0\t"),
    "folded requirement": _text(_HEAD + "Requires-Dist: other\n  >=1\n\t; os_name == 'x'\n\n"),
    "version with a v": swapped("Version: 1.0", "Version: v1.0"),
    "version with zeros": swapped("Version: 1.0", "Version: 01.00"),
    "licence expression and files": both(
        _text(_HEAD + "License-Expression: MIT\nLicense-File: LICENSE\n\n"),
        info("licenses/LICENSE", "Do.\n"),
    ),
    "dynamic and imports": _text(_HEAD + "Dynamic: Summary\nProvides-Extra: a\n\n"),
    "Metadata-Version 1.0": _text("Metadata-Version: 1.0\nName: demo\nVersion: 1.0\n\n"),
    "Root-Is-Purelib in capitals": swapped("Purelib: false", "Purelib: FALSE", "WHEEL"),
    "no Generator": swapped("Generator: forge\n", "", "WHEEL"),
    "tag twice": swapped(f"Tag: {_TAG}\n", f"Tag: {_TAG}\n" * 2, "WHEEL"),
    "tag in capitals": swapped("Tag: py3", "tag: PY3", "WHEEL"),
    "text after WHEEL": swapped(f"{_TAG}\n", f"{_TAG}\n\nTag: x-y-z\n", "WHEEL"),
    "folded Generator": swapped("Generator: forge", "Generator: forge\n (of forges)", "WHEEL"),
}


def _local_underscore(w: Draft) -> None:
    w.file_name = f"demo-1.0+cu_118-{_TAG}.whl"


def _managed(w: Draft) -> None:
    w.drop("demo/core.so")
    w.add("demo/wide.dll", managed_dll(wide=True))
    w.add("demo/narrow.dll", managed_dll(wide=False))


def _build_letters(w: Draft) -> None:
    w.file_name = f"demo-1.0-2_b.x-{_TAG}.whl"


NAMED: dict[str, tuple[dict[str, str], Bend]] = {
    "local version with a line": ({"version": "1.0+cu.118"}, _local_underscore),
    "pure with .NET": ({"tag": "py3-none-any"}, _managed),
    "build tag with letters": ({}, _build_letters),
    "capitals in the version": (
        {"version": "1.0RC1"},
        lambda w: setattr(w.part("METADATA"), "data", metadata("demo", "1.0rc1")),
    ),
    "name of one letter": ({"name": "d"}, lambda w: None),
    "name of digits": ({"name": "2048"}, lambda w: None),
    "epoch and local version": ({"version": "1!2.0.dev1+g1.2"}, lambda w: None),
    "longest file name": ({"name": "d" * (255 - len(f"-1.0-{_TAG}.whl") - 19)}, lambda w: None),
}

#: Every group of cases that bends the plain draft.
GROUPS: tuple[dict[str, Bend], ...] = (ARCHIVES, CONTENTS, METADATA)
