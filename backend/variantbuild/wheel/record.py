"""RECORD: which members a wheel has, with the hash and size of each.

Source: the recording-installed-projects and binary distribution specifications (PEP 376, 427).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.zipformat import Member

#: Names of the signatures of RECORD, which have no row of their own with a hash (PEP 427).
SIGNATURES = ("RECORD.jws", "RECORD.p7s")
#: The algorithms a row may use ("sha256 or better"), and the length of their digests in base64.
ALGORITHMS = {"sha256": 43, "sha384": 64, "sha512": 86}

_SHA256 = re.compile(r"sha256=[A-Za-z0-9_-]{43}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_DIGEST = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """RECORD as it lies in `data`, one row a line; `newline` ends its lines.

    `dist_info` has the hashes, `algorithm=digest`, of the members beside RECORD. The other rows
    are read anew when they are asked for: held as text they take more memory than the members.
    """

    data: bytes
    dist_info: Mapping[str, str]
    newline: str

    @property
    def hashes(self) -> dict[str, str]:
        """The hash of each member that has a row, by name; empty for RECORD itself."""
        return {name: digest for name, digest, _ in self.rows()}

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """Yield name, `algorithm=digest` and size in bytes of each row, as written."""
        for row in csv.reader(text_lines(self.data), strict=True):
            yield row[0], row[1], row[2]


def text_lines(data: bytes) -> Iterator[str]:
    """Yield the lines of UTF-8 text `data` with their ends, one at a time."""
    return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")


def parse_record(data: bytes, record_name: str, members: Mapping[str, Member]) -> Record:
    """Read RECORD and compare it with the archive's members, contents left out.

    Raises UnsoundWheelError for a row that is missing, surplus, doubled or malformed, and for a
    size that is not the member's.
    """
    _check_text(data, record_name)
    seen: set[str] = set()
    dist_info: dict[str, str] = {}
    folder = record_name.removesuffix("RECORD")
    unhashed = {record_name, *(folder + name for name in SIGNATURES)}
    try:
        for row in csv.reader(text_lines(data), strict=True):
            if len(row) != 3:
                raise UnsoundWheelError(f"a row has {len(row)} columns, not 3", member=record_name)
            name, digest, size = row
            member = members.get(name)
            if member is None or name[-1:] == "/":
                raise UnsoundWheelError("it is listed in RECORD, yet not in the wheel", member=name)
            if name in seen:
                raise UnsoundWheelError("it is listed in RECORD twice", member=name)
            if name in unhashed:
                if digest or size:
                    raise UnsoundWheelError("RECORD holds a hash or size of it", member=name)
            elif size != str(member.size) or _SHA256.fullmatch(digest) is None:
                _check_row(member, digest, size)
            seen.add(member.name)
            if name.startswith(folder):
                dist_info[name] = digest
    except csv.Error as error:
        raise UnsoundWheelError(f"it is no CSV: {error}", member=record_name) from None
    for name in members:
        if name in seen or name.endswith("/") or (name in unhashed and name != record_name):
            continue
        raise UnsoundWheelError("it is not listed in RECORD", member=name)
    return Record(data=data, dist_info=dist_info, newline=_newline(data))


def _newline(data: bytes) -> str:
    if b"\r\n" in data:
        return "\r\n"
    return "\r" if b"\r" in data and b"\n" not in data else "\n"


def _check_text(data: bytes, record_name: str) -> None:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsoundWheelError("it is not UTF-8", member=record_name) from None
    if data.startswith(b"\xef\xbb\xbf"):
        raise UnsoundWheelError("it begins with a byte-order mark", member=record_name)
    if b"\0" in data:
        raise UnsoundWheelError("it holds a NUL", member=record_name)


def _check_row(member: Member, digest: str, size: str) -> None:
    algorithm, separator, value = digest.partition("=")
    if not separator:
        raise UnsoundWheelError("RECORD holds no hash of it", member=member.name)
    if algorithm not in ALGORITHMS:
        raise UnsoundWheelError(
            f"RECORD holds a hash of algorithm {algorithm[:40]!r}, not sha256 or better",
            member=member.name,
        )
    if len(value) != ALGORITHMS[algorithm] or _DIGEST.fullmatch(value) is None:
        raise UnsoundWheelError(f"RECORD holds a malformed {algorithm} of it", member=member.name)
    if _SIZE.fullmatch(size) is None:
        raise UnsoundWheelError(f"RECORD holds the size {size[:40]!r} of it", member=member.name)
    if int(size) != member.size:
        raise UnsoundWheelError(
            f"RECORD says that it has {size} bytes, it has {member.size}", member=member.name
        )


def render_record(rows: Iterable[tuple[str, str, int | str]], newline: str) -> bytes:
    """Return RECORD's bytes from rows of name, hash and size in bytes (both empty for RECORD)."""
    data = io.BytesIO()
    text = io.TextIOWrapper(data, encoding="utf-8", newline="")
    csv.writer(text, lineterminator=newline).writerows(rows)
    text.flush()
    return data.getvalue()


def hash_of(data: bytes) -> str:
    """Return `data`'s hash as RECORD writes it: sha256, base64 for URLs without padding."""
    return render_hash("sha256", hashlib.sha256(data).digest())


def render_hash(algorithm: str, digest: bytes) -> str:
    """Return a digest as RECORD writes it."""
    return f"{algorithm}={base64.urlsafe_b64encode(digest).decode('ascii').rstrip('=')}"
