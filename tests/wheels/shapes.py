"""Wheels of about `n` bytes for which a careless reader needs many times their size."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from io import BytesIO

Shape = Callable[[int], bytes]
_INFO = "demo-1.0.dist-info"
NAME = "demo-1.0-py3-none-any.whl"


def _wheel(members: Mapping[str, str | bytes]) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def _with(name: str, content: str | bytes) -> bytes:
    files: dict[str, str | bytes] = {
        "METADATA": "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    files[name] = content
    rows = "".join(f"{_INFO}/{each},sha256={'A' * 43},{len(files[each])}\n" for each in files)
    if name != "RECORD":
        rows = rows.replace(f"{_INFO}/RECORD,sha256={'A' * 43},0", f"{_INFO}/RECORD,,")
        files["RECORD"] = rows
    return _wheel({f"{_INFO}/{each}": text for each, text in files.items()})


def _deep_names(n: int) -> bytes:
    """Paths of 2000 directories, none of which two members share."""
    return _wheel({f"{i:06}" + "/d" * 2000: "" for i in range(n // 8400)})


def _many_members(n: int) -> bytes:
    return _wheel({f"{i:06x}": "" for i in range(n // 110)})


def _many_headers(n: int) -> bytes:
    return _with("METADATA", "A:\n" * (n // 3))


def _folded_header(n: int) -> bytes:
    return _with("METADATA", "Name: demo\n" + " x\n" * (n // 3))


def _wide_text(n: int) -> bytes:
    """One character for which Python stores the whole text with four bytes for each."""
    return _with("METADATA", "Name: demo\n\n" + "x" * n + "\U0001f600")


def _borders(n: int) -> bytes:
    return _with("METADATA", "Name: demo\n?\n" + "Versio \n" * (n // 8))


def _many_tags(n: int) -> bytes:
    parts = ".".join(f"p{i}" for i in range(n // 3 // 6))
    return _with("WHEEL", f"Wheel-Version: 1.0\nTag: {parts}-{parts}-{parts}\n")


def _record_of_one_line(n: int) -> bytes:
    return _with("RECORD", "a,b," * (n // 4))


def _record_of_quotes(n: int) -> bytes:
    return _with("RECORD", '"' + "a\n" * (n // 2))


def _record_of_returns(n: int) -> bytes:
    return _with("RECORD", "a,b,c\r" * (n // 6))


def _entry_points(n: int) -> bytes:
    return _with("entry_points.txt", "[console_scripts]\n" + "a=b.c:d\n" * (n // 8))


def _entry_point_spaces(n: int) -> bytes:
    return _with("entry_points.txt", "[console_scripts]\na=b" + " " * n + ":\n")


SHAPES: dict[str, Shape] = {
    shape.__name__.lstrip("_").replace("_", "-"): shape
    for shape in (
        _deep_names,
        _many_members,
        _many_headers,
        _folded_header,
        _wide_text,
        _borders,
        _many_tags,
        _record_of_one_line,
        _record_of_quotes,
        _record_of_returns,
        _entry_points,
        _entry_point_spaces,
    )
}
