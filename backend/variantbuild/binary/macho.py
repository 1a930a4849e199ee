"""The headers of Mach-O files: one architecture, or several in a fat file.

Sources: Apple's <mach-o/loader.h> and <mach-o/fat.h>.
"""

from __future__ import annotations

from typing import Literal

from variantbuild.binary.machines import macho_machine

_Order = Literal["big", "little"]
_THIN_ORDERS: dict[bytes, _Order] = {
    bytes.fromhex("feedface"): "big",
    bytes.fromhex("feedfacf"): "big",
    bytes.fromhex("cefaedfe"): "little",
    bytes.fromhex("cffaedfe"): "little",
}
#: Magic numbers of fat files, with the size of the entry for each architecture in bytes.
_FAT_ENTRIES = {bytes.fromhex("cafebabe"): 20, bytes.fromhex("cafebabf"): 32}
_FAT_HEADER = 8
#: A Java class has the same magic number; its major version, at least 45, is where the number of
#: architectures would be.
_JAVA_VERSION = 45
#: Size in bytes of a fat file's entries with the highest allowed number of architectures.
HEAD_FAT = _FAT_HEADER + 32 * _JAVA_VERSION


def macho_machines(head: bytes) -> tuple[str, ...] | None:
    """Return the architectures of a Mach-O file that begins with `head`, None for other files.

    They are archspec's family names, each once, in the order of the file. A truncated header gives
    those that it contains.
    """
    order = _THIN_ORDERS.get(head[:4])
    if order is not None:
        return _names([head[4:8]], order)
    size = _FAT_ENTRIES.get(head[:4])
    count = int.from_bytes(head[4:_FAT_HEADER], "big")
    if size is None or not 0 < count < _JAVA_VERSION:
        return None
    starts = range(_FAT_HEADER, _FAT_HEADER + count * size, size)
    return _names([head[at : at + 4] for at in starts], "big")


def _names(numbers: list[bytes], order: _Order) -> tuple[str, ...]:
    whole = [int.from_bytes(raw, order) for raw in numbers if len(raw) == 4]
    return tuple(dict.fromkeys(map(macho_machine, whole)))
