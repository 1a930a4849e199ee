"""An opened wheel: its members, and their bytes in bounded chunks."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from variantbuild.wheel.archive.members import MembersByName
from variantbuild.wheel.archive.source import Source
from variantbuild.wheel.archive.structure import Structure, read_structure
from variantbuild.wheel.archive.zipformat import DEFLATED, Member
from variantbuild.wheel.unsound import UnsoundWheelError, naming_wheel

#: How many bytes are read, and at most inflated, at a time, which bounds the memory used for any
#: member. Hashing is slower if this exceeds the CPU's cache.
CHUNK = 1 << 16


class Wheel:
    """An open archive whose structure was checked; contents have not been read.

    `members` are in the order of the central directory. Close it, or use it in a `with` block.
    Several threads may read at once.
    """

    def __init__(self, source: Source, structure: Structure) -> None:
        self.source = source
        self.structure = structure
        self.members = structure.members
        self.by_name = MembersByName(self.members)

    @property
    def path(self) -> Path:
        """Where the wheel was opened."""
        return self.source.path

    def member(self, name: str) -> Member:
        """Return the member called `name`; raises UnsoundWheelError if there is none."""
        found = self.by_name.get(name)
        if found is None:
            raise UnsoundWheelError("it is missing", member=name)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    def stream(self, member: Member) -> Iterator[bytes]:
        """Yield the contents of `member` in chunks of at most 64 KiB.

        Raises UnsoundWheelError if the stream is malformed, or longer (a zip bomb) or shorter than
        the member's size. The CRC-32 is left to `verify_wheel`.
        """
        # A directory entry may be marked as deflated and have no stream.
        deflated = member.method == DEFLATED and not (member.is_dir and not member.stored_size)
        chunks = self._inflated(member) if deflated else self._stored(member)
        produced = 0
        for chunk in chunks:
            produced += len(chunk)
            if produced > member.size:
                raise UnsoundWheelError(
                    f"it unpacks to more than the declared {member.size} bytes", member=member.name
                )
            yield chunk
        if produced != member.size:
            raise UnsoundWheelError(
                f"it unpacks to {produced} bytes instead of {member.size}", member=member.name
            )

    def read(self, member: Member, *, limit: int) -> bytes:
        """Return the contents of `member`, with the CRC-32 checked.

        Raises UnsoundWheelError if it has more than `limit` bytes.
        """
        if member.size > limit:
            raise UnsoundWheelError(
                f"it has {member.size} bytes, and the limit is {limit}", member=member.name
            )
        data = b"".join(self.stream(member))
        if zlib.crc32(data) != member.crc:
            raise UnsoundWheelError("CRC-32 mismatch", member=member.name)
        return data

    def head(self, member: Member, size: int) -> bytes:
        """Return the first bytes of `member`, at most `size` of them, unchecked."""
        data = self.source.read(member.data_offset, min(member.stored_size, size))
        if member.method != DEFLATED:
            return data
        try:
            head = zlib.decompressobj(-15).decompress(data, size)
        except zlib.error as error:
            raise UnsoundWheelError(f"it cannot be unpacked: {error}", member=member.name) from None
        if len(head) < min(size, member.size):
            # Any number of empty blocks may precede the contents.
            head = b""
            for chunk in self._inflated(member):
                head += chunk
                if len(head) >= size:
                    break
        return head[:size]

    def _stored(self, member: Member) -> Iterator[bytes]:
        at, end = member.data_offset, member.data_offset + member.stored_size
        while at < end:
            chunk = self.source.read(at, min(CHUNK, end - at))
            if not chunk:
                return
            at += len(chunk)
            yield chunk

    def _inflated(self, member: Member) -> Iterator[bytes]:
        engine = zlib.decompressobj(-15)
        at, end = member.data_offset, member.data_offset + member.stored_size
        pending = b""
        while not engine.eof:
            if not pending and at < end:
                pending = self.source.read(at, min(CHUNK, end - at))
                at += len(pending)
            try:
                chunk = engine.decompress(pending, CHUNK)
            except zlib.error as error:
                raise UnsoundWheelError(
                    f"it cannot be unpacked: {error}", member=member.name
                ) from None
            if not chunk and not engine.eof and at >= end and not engine.unconsumed_tail:
                raise UnsoundWheelError("its compressed data is truncated", member=member.name)
            pending = engine.unconsumed_tail
            if chunk:
                yield chunk
        if at < end or engine.unused_data:
            raise UnsoundWheelError("bytes follow its compressed data", member=member.name)

    def close(self) -> None:
        """Close the file."""
        self.source.close()

    def __enter__(self) -> Wheel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_wheel(path: Path | str) -> Wheel:
    """Open the wheel at `path` and check its structure as a zip archive.

    Raises UnsoundWheelError for a malformed archive, naming the member and the rule, and WheelError
    for a file that is missing or cannot be read.
    """
    source = Source(Path(path))
    try:
        with naming_wheel(source.path.name):
            return Wheel(source, read_structure(source))
    except BaseException:
        source.close()
        raise
