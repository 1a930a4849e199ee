"""The members of a wheel that contain machine code, and their contents.

The wheel engine, the audit, `stamp` and `repair` all find them here.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from variantbuild.binary.formats import HEAD, MachineCode, head_size, recognize
from variantbuild.wheel.archive.zipformat import Member
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.unsound import UnsoundWheelError

#: Size limit, in bytes, of a member that is read into memory; the largest in tensorflow's wheels
#: has 1.1 GB.
LARGEST = 4 << 30


def find_machine_code(wheel: Wheel) -> Iterator[tuple[Member, MachineCode]]:
    """Yield each member of `wheel` with machine code, and its kind, in archive order.

    Raises UnsoundWheelError for a member that cannot be inflated.
    """
    for member in wheel.members:
        if not member.size:
            continue
        head = wheel.head(member, HEAD)
        if (wanted := head_size(head)) > HEAD:
            head = wheel.head(member, wanted)
        found = recognize(member.name, head)
        if found is not None:
            yield member, found


def read_machine_code(wheel: Wheel, member: Member) -> memoryview:
    """Return the contents of `member`, with the CRC-32 checked; only one copy is in memory.

    Raises UnsoundWheelError if it has more than `LARGEST` bytes or is damaged.
    """
    if member.size > LARGEST:
        raise UnsoundWheelError(
            f"it has {member.size} bytes, and the limit is {LARGEST}", member=member.name
        )
    data = bytearray(member.size)
    at = crc = 0
    for chunk in wheel.stream(member):
        data[at : at + len(chunk)] = chunk
        at += len(chunk)
        crc = zlib.crc32(chunk, crc)
    if crc != member.crc:
        raise UnsoundWheelError("CRC-32 mismatch", member=member.name)
    return memoryview(data).toreadonly()
