"""RECORD: which members a wheel has, with the hash and size of each.

Source: the recording-installed-projects and binary distribution specifications (PEP 376, 427).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import NamedTuple

from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.zipformat import Member

#: Names of the signatures of RECORD, which have no row of their own with a hash (PEP 427).
SIGNATURES = ("RECORD.jws", "RECORD.p7s")
#: The algorithms a row may use ("sha256 or better"), and the length of their digests in base64.
ALGORITHMS = {"sha256": 43, "sha384": 64, "sha512": 86}

_SHA256 = re.compile(r"sha256=[A-Za-z0-9_-]{43}")
_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")
_DIGEST = re.compile(r"[A-Za-z0-9_-]+")
#: A row of a file with the usual hash, in which CSV would find nothing quoted; or any other line.
_PLAIN_ROW = re.compile(
    rf'([^",\r\n]*[^",\r\n/]),({_SHA256.pattern}),({_SIZE.pattern})\r?\n|([^\n]*\n|[^\n]+)'
)
#: How many bytes of RECORD are taken apart at once: as rows they take five times the memory.
_PORTION = 1 << 16

Row = tuple[str, str, str]


class Record(NamedTuple):
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
        return {name: digest for lines in self.portions() for name, digest, _ in rows_of(lines)}

    def portions(self) -> Iterator[bytes]:
        """Yield RECORD in portions of whole lines."""
        at = 0
        while at < len(self.data):
            end = self.data.find(b"\n", at + _PORTION) + 1 or len(self.data)
            yield self.data[at:end]
            at = end


def rows_of(lines: bytes) -> list[Row]:
    """Return the rows of some `lines` of RECORD: name, `algorithm=digest`, size, as written.

    Raises UnsoundWheelError, without the member's name, for what is no CSV of three columns.
    """
    return _split(_PLAIN_ROW.findall(lines.decode()))


def _split(found: list[tuple[str, str, str, str]]) -> list[Row]:
    """Return the rows that `_PLAIN_ROW` found, those of lines that are not plain read as CSV."""
    rows: list[Row] = []
    for name, digest, size, line in found:
        if line:
            rows += _read_csv(line)
        else:
            rows.append((name, digest, size))
    return rows


def _read_csv(text: str) -> Iterator[Row]:
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if len(row) != 3:
                raise UnsoundWheelError(f"a row has {len(row)} columns, not 3")
            yield row[0], row[1], row[2]
    except csv.Error as error:
        raise UnsoundWheelError(f"it is no CSV: {error}") from None


def parse_record(data: bytes, record_name: str, members: Mapping[str, Member]) -> Record:
    """Read RECORD and compare it with the archive's members, contents left out.

    Raises UnsoundWheelError for a row that is missing, surplus, doubled or malformed, and for a
    size that is not the member's.
    """
    _check_text(data, record_name)
    folder = record_name.removesuffix("RECORD")
    unhashed = {record_name, *(folder + name for name in SIGNATURES)}
    record = Record(data=data, dist_info={}, newline=_newline(data))
    dist_info: dict[str, str] = {}
    seen: set[str] = set()
    for lines in record.portions():
        found = _PLAIN_ROW.findall(lines.decode())
        if _agree(found, members, seen, unhashed):
            seen.update(row[0] for row in found)
        else:
            try:
                rows = _split(found)
            except UnsoundWheelError as unsound:
                raise UnsoundWheelError(unsound.reason, member=record_name) from None
            for row in rows:
                _check_row(row, members, seen, unhashed)
                seen.add(row[0])
        if folder.encode() in lines:
            dist_info.update(row[:2] for row in _split(found) if row[0].startswith(folder))
    _check_complete(members, seen, unhashed - {record_name})
    return record._replace(dist_info=dist_info)


def _agree(
    found: list[tuple[str, str, str, str]],
    members: Mapping[str, Member],
    seen: Set[str],
    unhashed: Set[str],
) -> bool:
    """Tell whether plain rows alone were found, each of another member, with that one's size.

    Asked of many at once this takes a third of the time. Where it is not so, `_check_row` says why.
    """
    names, _, sizes, others = zip(*found, strict=True)
    concerned = list(map(members.get, names))
    if any(others) or None in concerned:
        return False
    return (
        [member.size for member in concerned if member] == list(map(int, sizes))
        and len(set(names)) == len(names)
        and seen.isdisjoint(names)
        and unhashed.isdisjoint(names)
    )


def _check_row(row: Row, members: Mapping[str, Member], seen: Set[str], unhashed: Set[str]) -> None:
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
        _check_unusual(member, digest, size)


def _check_complete(members: Mapping[str, Member], seen: Set[str], signatures: Set[str]) -> None:
    """Refuse the first member that has no row, though it is no folder and no signature."""
    if len(seen) < len(members):
        for name in members:
            if name not in seen and name[-1] != "/" and name not in signatures:
                raise UnsoundWheelError("it is not listed in RECORD", member=name)


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


def _check_unusual(member: Member, digest: str, size: str) -> None:
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
