"""RECORD: which members a wheel has, with the hash and size of each.

Source: the recording-installed-projects and binary distribution specifications (PEP 376, 427).
"""

from __future__ import annotations

import binascii
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from variantbuild.wheel.unsound import UnsoundWheelError

#: Names of the signatures of RECORD, which have no row of their own with a hash (PEP 427).
SIGNATURES = ("RECORD.jws", "RECORD.p7s")

#: A row with the usual hash and without CSV quoting; or any other line.
_PLAIN_ROW = re.compile(
    r'([^",\r\n]*[^",\r\n/]),(sha256=[A-Za-z0-9_-]{43}),(0|[1-9][0-9]{0,19})\r?\n'
    r"|([^\n]*\n|[^\n]+)"
)
#: Translates base64 to its URL-safe alphabet (RFC 4648).
_URL_SAFE = bytes.maketrans(b"+/", b"-_")

#: Name, `algorithm=digest` and size of a member, as written.
Row = tuple[str, str, str]
#: The same, and the line if it is not plain; the other values are empty then.
FoundRow = tuple[str, str, str, str]


class Chunks(NamedTuple):
    """How the check of a wheel is divided; its result does not depend on it.

    `record` bytes of RECORD are parsed at a time: as rows they take five times the memory. Members
    of at least `large` bytes are checked first, so that none is left for one thread at the end.
    """

    record: int = 1 << 16
    large: int = 1 << 20


CHUNKS = Chunks()


class Record(NamedTuple):
    """RECORD in `data`, one row a line; `newline` ends its lines.

    `dist_info` has the hashes, `algorithm=digest`, of the members of dist-info. The other rows are
    parsed on each use, `chunk` bytes at a time: stored as text they would take more memory than the
    members.
    """

    data: bytes
    dist_info: Mapping[str, str]
    newline: str
    chunk: int = CHUNKS.record

    def chunks(self) -> Iterator[bytes]:
        """Yield RECORD in chunks of complete lines."""
        at = 0
        while at < len(self.data):
            end = self.data.find(b"\n", at + self.chunk) + 1 or len(self.data)
            yield self.data[at:end]
            at = end


def find_rows(lines: bytes) -> list[FoundRow]:
    """Return the row of each of some `lines` of RECORD if it is plain, else the line.

    A row is plain if it has a sha256 and no quotes, so that no CSV parser is needed.
    """
    return _PLAIN_ROW.findall(lines.decode())


def rows_of(lines: bytes) -> list[Row]:
    """Return the rows of some `lines` of RECORD: name, `algorithm=digest`, size, as written.

    Raises UnsoundWheelError for anything but CSV with three columns.
    """
    return split_rows(find_rows(lines))


def split_rows(found: list[FoundRow]) -> list[Row]:
    """Complete the result of `find_rows` to that of `rows_of`."""
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
        raise UnsoundWheelError(f"it is not CSV: {error}") from None


def newline_of(data: bytes) -> str:
    """Return the line ending of RECORD's `data`."""
    if b"\r\n" in data:
        return "\r\n"
    return "\r" if b"\r" in data and b"\n" not in data else "\n"


def render_record(rows: Iterable[tuple[str, str, int | str]], newline: str) -> bytes:
    """Return RECORD from rows of name, hash and size (the last two are empty for RECORD)."""
    data = io.BytesIO()
    text = io.TextIOWrapper(data, encoding="utf-8", newline="")
    csv.writer(text, lineterminator=newline).writerows(rows)
    text.flush()
    return data.getvalue()


def hash_of(data: bytes) -> str:
    """Return the hash of `data` as RECORD writes it: sha256, URL-safe base64 without padding."""
    return render_hash("sha256", hashlib.sha256(data).digest())


def render_hash(algorithm: str, digest: bytes) -> str:
    """Return a digest as RECORD writes it."""
    text = binascii.b2a_base64(digest, newline=False).translate(_URL_SAFE)
    return f"{algorithm}={text.decode('ascii').rstrip('=')}"
