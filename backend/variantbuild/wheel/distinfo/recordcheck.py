"""Compare RECORD with the archive: a row for every file, with its size and a secure hash."""

from __future__ import annotations

import re
from collections.abc import Sequence

from variantbuild.wheel.archive.members import Members, MembersByName
from variantbuild.wheel.distinfo.record import (
    SIGNATURES,
    FoundRow,
    Record,
    Row,
    find_rows,
    newline_of,
    render_record,
    rows_of,
    split_rows,
)
from variantbuild.wheel.distinfo.text import decode_text
from variantbuild.wheel.unsound import UnsoundWheelError

#: The algorithms that are allowed ("sha256 or better"), and the length of their digests in base64.
_ALGORITHMS = {"sha256": 43, "sha384": 64, "sha512": 86}
_SIZE = r"0|[1-9][0-9]{0,19}"
_DIGEST = r"[A-Za-z0-9_-]+"


def check_record(
    data: bytes, record_name: str, members: Members, by_name: MembersByName, *, chunk: int
) -> Record:
    """Read RECORD, `chunk` bytes at a time, and compare it with the members of the archive.

    Their contents are not compared.

    Raises UnsoundWheelError for a missing, surplus, duplicate or malformed row, and for a wrong
    size.
    """
    decode_text(data, record_name)
    if b"\0" in data:
        raise UnsoundWheelError("it contains a NUL", member=record_name)
    if b"\\" in data:
        data = _with_slashes(data, record_name, by_name)
    record = Record(data=data, dist_info={}, newline=newline_of(data), chunk=chunk)
    comparison = _Comparison(members, by_name, record_name)
    for lines in record.chunks():
        comparison.take(lines)
    comparison.finish()
    return record._replace(dist_info=comparison.dist_info)


def _with_slashes(data: bytes, record_name: str, by_name: MembersByName) -> bytes:
    """Return RECORD with `/` in paths, where a tool on Windows wrote backslashes (PEP 376)."""
    try:
        rows = rows_of(data)
    except UnsoundWheelError as unsound:
        raise UnsoundWheelError(unsound.reason, member=record_name) from None
    fixed = [
        (path if path in by_name else path.replace("\\", "/"), digest, size)
        for path, digest, size in rows
    ]
    return data if fixed == rows else render_record(fixed, newline_of(data))


class _Comparison:
    """Reads RECORD in chunks and remembers which members it lists."""

    def __init__(self, members: Members, by_name: MembersByName, record_name: str) -> None:
        self._names, self._sizes = members.names, members.sizes
        self._numbers = by_name.numbers
        self._listed = bytearray(len(members))
        self._record_name = record_name
        self._directory = record_name.removesuffix("RECORD")
        self._unhashed = {record_name, *(self._directory + name for name in SIGNATURES)}
        self.dist_info: dict[str, str] = {}

    def take(self, lines: bytes) -> None:
        """Compare some lines of RECORD."""
        found = find_rows(lines)
        if not self._take_plain(found):
            try:
                rows = split_rows(found)
            except UnsoundWheelError as unsound:
                raise UnsoundWheelError(unsound.reason, member=self._record_name) from None
            for row in rows:
                self._take_row(row)
        if self._directory.encode() in lines:
            rows = split_rows(found)
            self.dist_info.update(row[:2] for row in rows if row[0].startswith(self._directory))

    def _take_plain(self, found: Sequence[FoundRow]) -> bool:
        """Process the rows together, in half the time, unless one of them is unusual."""
        names, _, sizes, unusual = zip(*found, strict=True)
        if any(unusual) or not self._unhashed.isdisjoint(names):
            return False
        try:
            numbers = [self._numbers[name] for name in names]
        except KeyError:
            return False
        if (
            [*map(self._sizes.__getitem__, numbers)] != [*map(int, sizes)]
            or len(set(numbers)) != len(numbers)
            or any(map(self._listed.__getitem__, numbers))
        ):
            return False
        for number in numbers:
            self._listed[number] = True
        return True

    def _take_row(self, row: Row) -> None:
        name, digest, size = row
        number = self._numbers.get(name)
        if number is None or name[-1:] == "/":
            raise UnsoundWheelError("it is listed in RECORD, but not in the wheel", member=name)
        if self._listed[number]:
            raise UnsoundWheelError("it is listed in RECORD twice", member=name)
        self._listed[number] = True
        if name not in self._unhashed:
            _check_claims(name, digest, size, self._sizes[number])
        elif digest or size:
            raise UnsoundWheelError("RECORD has a hash or size for it", member=name)

    def finish(self) -> None:
        """Refuse the first file without a row, unless it is a signature."""
        if all(self._listed):
            return
        signatures = self._unhashed - {self._record_name}
        for name, listed in zip(self._names, self._listed, strict=True):
            if not listed and name[-1] != "/" and name not in signatures:
                raise UnsoundWheelError("it is not listed in RECORD", member=name)


def _check_claims(name: str, digest: str, size: str, actual: int) -> None:
    algorithm, separator, value = digest.partition("=")
    if not separator:
        raise UnsoundWheelError("RECORD has no hash for it", member=name)
    if algorithm not in _ALGORITHMS:
        raise UnsoundWheelError(
            f"RECORD has a hash of algorithm {algorithm[:40]!r} for it, not sha256 or better",
            member=name,
        )
    if len(value) != _ALGORITHMS[algorithm] or re.fullmatch(_DIGEST, value) is None:
        raise UnsoundWheelError(f"RECORD has a malformed {algorithm} hash for it", member=name)
    if re.fullmatch(_SIZE, size) is None:
        raise UnsoundWheelError(f"RECORD has the invalid size {size[:40]!r} for it", member=name)
    if int(size) != actual:
        raise UnsoundWheelError(f"its size is {actual} bytes, but RECORD says {size}", member=name)
