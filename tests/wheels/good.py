"""Odd wheels that must be kept: valid, though unusual."""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass

from wheels import oddities
from wheels.bends import A, Bend, both, info, of_draft, of_parts, swapped
from wheels.forge import FULL32, Draft, elf, hash_row, metadata, wheel, zip64_extra


@dataclass(frozen=True)
class GoodCase:
    """A sound wheel. `note` must occur in the notes of an edit."""

    name: str
    draft: Draft
    note: str = ""


def good_cases() -> list[GoodCase]:
    """Return every odd but sound wheel of the corpus."""
    cases = []
    for group in (ARCHIVES, CONTENTS, METADATA, *oddities.GROUPS):
        for name, bend in group.items():
            draft = Draft()
            bend(draft)
            cases.append(GoodCase(name, draft))
    for name, (arguments, bend) in (*NAMED.items(), *oddities.NAMED.items()):
        draft = Draft(**arguments)
        bend(draft)
        cases.append(GoodCase(name, draft))
    for name, bend in SIGNED.items():
        draft = Draft()
        bend(draft)
        cases.append(GoodCase(name, draft, note="signature"))
    return cases


def _modes(mode: int) -> Bend:
    return lambda w: w.part(A).mode(stat.S_IFREG | mode)


def _directories(w: Draft) -> None:
    parts = dict(w.parts)
    w.parts.clear()
    for directory in ("demo/", f"{w.dist_info}/"):
        w.add(directory, b"", method=0).mode(stat.S_IFDIR | 0o755)
        w.parts.update({k: v for k, v in parts.items() if k.startswith(directory)})


def _info_first(w: Draft) -> None:
    own = {name: part for name, part in w.parts.items() if name.startswith(w.dist_info)}
    w.parts = {**own, **w.parts}


def _forced_zip64(w: Draft) -> None:
    """What zipfile's force_zip64 writes: wide local headers, narrow central ones."""
    for part in w.parts.values():
        size, stored = len(part.data or w.record()), len(part.stored)
        if part.data:
            part.local.update(size=FULL32, stored=FULL32)
            part.local_extra = zip64_extra(size, stored)


def _wide_central(w: Draft) -> None:
    part = w.part(A)
    part.central.update(size=FULL32, stored=FULL32)
    part.extra = zip64_extra(len(part.data), len(part.stored))


def _wide_streamed(w: Draft) -> None:
    for part in w.parts.values():
        part.descriptor = 8
        part.local.update(size=FULL32, stored=FULL32)
        part.local_extra = zip64_extra(0, 0)


def _wide_offset(w: Draft) -> None:
    part = w.part(A)
    part.central["offset"] = FULL32
    part.extra = zip64_extra(0)


def _stale(w: Draft) -> None:
    part = w.part(A)
    part.extra = zip64_extra(len(part.data), len(part.stored))


TIMES = struct.pack("<2HBL", 0x5455, 5, 1, 1700000000)
OWNER = struct.pack("<2H2B4sB4s", 0x7875, 11, 1, 4, b"\xe8\3\0\0", 4, b"\xe8\3\0\0")

ARCHIVES: dict[str, Bend] = {
    "plain": lambda w: None,
    "all stored": of_parts(method=0),
    "descriptors": of_parts(descriptor=4),
    "descriptors without signature": of_parts(descriptor=4, signed=False),
    "wide descriptors": of_parts(descriptor=8),
    "wide descriptors without signature": of_parts(descriptor=8, signed=False),
    "stored with descriptors": of_parts(descriptor=4, method=0),
    "descriptors and true local sizes": lambda w: [
        (of_parts(descriptor=4)(w), w.part(A).local.update(size=12))
    ],
    "zip64 forced": _forced_zip64,
    "zip64 streamed": _wide_streamed,
    "zip64 in the directory": _wide_central,
    "zip64 offset": _wide_offset,
    "zip64 left after": _stale,
    "zip64 end record": of_draft(zip64=True),
    "zip64 end record, saturated": of_draft(
        zip64=True,
        end={"here": 0xFFFF, "count": 0xFFFF, "size": FULL32, "offset": FULL32},
    ),
    "DOS attributes": of_parts(external=0x20, made_by=20),
    "no attributes": of_parts(external=0, made_by=20),
    "permissions without a file type": of_parts(external=0o644 << 16),
    "made by NTFS": of_parts(made_by=10 << 8 | 20),
    "made by macOS": of_parts(made_by=19 << 8 | 20),
    "setuid": _modes(0o4755),
    "setgid and sticky": _modes(0o3755),
    "executable": _modes(0o755),
    "private": _modes(0o600),
    "unreadable": _modes(0o000),
    "directory entries": _directories,
    "dist-info first": _info_first,
    "timestamps": of_parts(extra=TIMES, local_extra=TIMES),
    "owners": of_parts(extra=OWNER, local_extra=OWNER + TIMES),
    "ASCII with the UTF-8 flag": of_parts(flags=0x800),
    "level hints": of_parts(flags=0x4),
    "no time": of_parts(stamp=0),
    "archive comment": of_draft(comment=b"made with care"),
    "member comment": lambda w: setattr(w.part(A), "comment", b"first"),
}


def _rehash(algorithm: str) -> Bend:
    def bend(w: Draft) -> None:
        own = f"{w.dist_info}/RECORD"
        w.rows(
            lambda rows: [
                row.__setitem__(slice(None), hash_row(row[0], w.parts[row[0]].data, algorithm))
                for row in rows
                if row[0] != own
            ]
        )

    return bend


def _add(*names: str) -> Bend:
    return lambda w: [w.add(name, b"contents of " + name.encode()) for name in names]


CONTENTS: dict[str, Bend] = {
    "sha384": _rehash("sha384"),
    "sha512": _rehash("sha512"),
    "comma in a name": _add("demo/a,b.txt"),
    "quotes in a name": _add('demo/a "b".txt'),
    "spaces in a name": _add("demo/a b/c d.txt"),
    "names beyond ASCII": _add("demo/é.txt", "demo/日本語/文.txt"),
    "dots in names": _add("demo/..a", "demo/...", "demo/.hidden/b", "demo/a..b"),
    "255 bytes in a part": _add("demo/" + "x" * 255, "demo/" + "é" * 127),
    "deep": _add("demo/" + "d/" * 60 + "x.txt"),
    "empty member": lambda w: w.add("demo/py.typed", b""),
    "empty stored member": lambda w: w.add("demo/py.typed", b"", method=0),
    "zeros": lambda w: w.add("demo/zeros", bytes(4 << 20)),
    "RECORD with CRLF": of_draft(record_newline="\r\n"),
    "RECORD quoted": lambda w: setattr(
        w,
        "record_bytes",
        b"\n".join(b'"' + line.replace(b",", b'","') + b'"' for line in w.record().splitlines())
        + b"\n",
    ),
    "RECORD without a last line end": lambda w: setattr(w, "record_bytes", w.record().rstrip()),
    "RECORD with backslashes": lambda w: w.rows(
        lambda rows: [each.__setitem__(0, each[0].replace("/", "\\")) for each in rows] and None
    ),
    "RECORD in another order": lambda w: w.rows(lambda rows: rows.reverse()),
    "data directory": _add(
        "demo-1.0.data/scripts/run",
        "demo-1.0.data/data/share/x",
        "demo-1.0.data/headers/x.h",
        "demo-1.0.data/purelib/p.py",
    ),
    "licences": lambda w: w.add_info("licenses/LICENSE", b"Do as you like."),
    "nested licences": lambda w: w.add_info("licenses/vendor/a/LICENSE.txt", b"Do."),
    "another's SBOM": lambda w: w.add_info("sboms/auditwheel.cdx.json", b"{}"),
    "entry points": info(
        "entry_points.txt",
        "[console_scripts]\nrun = demo:main\nrun-2 = demo.a:b.c [extra]\n#\n[demo.x]\n../y = 1\n",
    ),
    "entry points, indented": info("entry_points.txt", "\n  [demo.x]\n  a = b\n  c = d\n"),
    "vendored dist-info": _add("demo/_vendor/other-2.0.dist-info/METADATA"),
    "top level of many": _add("other.py", "third/x.py", "demo-1.0.dist", "demo.data.py"),
    "GPU code": lambda w: w.add("demo/kernel.cubin", elf(190)),
}


def _text(text: str) -> Bend:
    return lambda w: setattr(w.part("METADATA"), "data", text.encode())


_HEAD = (
    "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: made up\n"
    "Description-Content-Type: text/plain\n"
)

METADATA: dict[str, Bend] = {
    "version with more zeros": swapped("Version: 1.0", "Version: 1.0.0"),
    "version with fewer zeros": swapped("Version: 1.0", "Version: 1"),
    "CRLF": lambda w: [
        swapped("\n", "\r\n", count=-1)(w),
        swapped("\n", "\r\n", "WHEEL", count=-1)(w),
    ],
    "long header": _text(_HEAD + "Keywords: " + "word," * 4000 + "\n\nText\n"),
    "header beyond ASCII": _text(_HEAD + "Author: Zoë Müller 日本\n\nÜber\n"),
    "version line in the description": _text(_HEAD + "\nText\n\nVersion: 9.9\nName: other\n"),
    "From in the description": _text(_HEAD + "\nText\nFrom here on\n>From there\n"),
    "folded description": _text(
        _HEAD + "Description: a\n        |b\n         \n        |Version: 3\n"
    ),
    "no description": _text(_HEAD),
    "no last line end": _text(_HEAD.rstrip()),
    "header names in other case": swapped("Name: demo", "NAME: demo"),
    "no space after the colon": swapped("Version: 1.0", "Version:1.0"),
    "version on a line of its own": swapped("\nVersion: 1.0", "\nVersion:\n 1.0"),
    "space after the version": swapped("Version: 1.0", "Version:  1.0  "),
    "many tags in WHEEL": swapped("Tag: py3", "Tag: cp310-cp310-linux_x86_64\nTag: py3", "WHEEL"),
    "WHEEL with other headers": swapped("Generator: forge", "Generator: forge\nX-More: y", "WHEEL"),
    "Wheel-Version 1.9": swapped("Wheel-Version: 1.0", "Wheel-Version: 1.9", "WHEEL"),
    "WHEEL with a blank last line": swapped("linux_x86_64\n", "linux_x86_64\n\n", "WHEEL"),
    "compressed tag in WHEEL": lambda w: [
        of_draft(file_name="demo-1.0-py3.cp312-none-linux_x86_64.whl")(w),
        swapped("py3-none", "py3.cp312-none", "WHEEL")(w),
    ],
    "hybrid": lambda w: [
        of_draft(file_name="demo-1.0-py3-none-linux_x86_64_v3.whl")(w),
        swapped("linux_x86_64\n", "linux_x86_64\nTag: py3-none-linux_x86_64_v3\n", "WHEEL")(w),
    ],
    "Metadata-Version 2.4": swapped("Version: 2.1", "Version: 2.4"),
    "name in another spelling": swapped("Name: demo", "Name: Demo"),
}


def _pure(w: Draft) -> None:
    w.drop("demo/core.so")


def _launcher(w: Draft) -> None:
    _pure(w)
    pe = b"MZ" + bytes(58) + struct.pack("<L", 128) + bytes(64) + b"PE\0\0" + bytes(18) + b"\2\1"
    w.add("demo/launcher.exe", pe + bytes(100))
    w.add("demo/kernel.cubin", elf(190))
    w.add("demo/Main.class", bytes.fromhex("cafebabe00000034") + bytes(50))


def _build_tag(line: str) -> Bend:
    def bend(w: Draft) -> None:
        w.file_name = "demo-1.0-0.editable-py3-none-linux_x86_64.whl"
        w.part("WHEEL").data = wheel("py3-none-linux_x86_64", line)

    return bend


def _old_spelling(w: Draft) -> None:
    w.part("METADATA").data = metadata("Demo-Pkg", "1.0")


NAMED: dict[str, tuple[dict[str, str], Bend]] = {
    "pure": ({"tag": "py3-none-any"}, _pure),
    "pure with launchers and GPU code": ({"tag": "py3-none-any"}, _launcher),
    "compressed tags": (
        {"tag": "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64"},
        lambda w: None,
    ),
    "local version": ({"version": "1.0+cu118"}, lambda w: None),
    "epoch": ({"version": "1!2.0"}, lambda w: None),
    "pre, post and dev": ({"version": "1.0rc1.post2.dev3"}, lambda w: None),
    "version not in normal form": ({"version": "1.0.0-alpha".replace("-", ".")}, lambda w: None),
    "build tag without Build": ({}, _build_tag("")),
    "build tag with Build": ({}, _build_tag("Build: 0.editable\n")),
    "old spelling of the name": ({"name": "Demo_Pkg"}, _old_spelling),
    "dots in the name": ({"name": "demo.pkg"}, lambda w: None),
}

SIGNED: dict[str, Bend] = {
    "signed with jws": lambda w: w.add_info("RECORD.jws", b"{}"),
    "signed with p7s": lambda w: w.add_info("RECORD.p7s", b"\x30\x80"),
    "signature with a row": both(
        info("RECORD.p7s", b"\x30\x80"),
        lambda w: w.rows(lambda rows: rows.append([f"{w.dist_info}/RECORD.p7s", "", ""])),
    ),
    "signed after RECORD": lambda w: (
        w.add_info("RECORD.jws", b"{}"),
        w.parts.update({w.dist_info: w.parts.pop(f"{w.dist_info}/RECORD.jws")}),
    ),
}
