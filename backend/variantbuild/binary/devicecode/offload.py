"""Reads the ROCm targets in an offload bundle from its table of entries.

Source: the ClangOffloadBundler page of Clang's documentation; compressed bundles (`CCOB`) begin
with the header of its versions 1 to 3.
"""

from __future__ import annotations

import struct

from variantbuild.binary.devicecode.fatbin import MOST_TARGETS, DeviceCodeError
from variantbuild.binary.devicecode.zstd import decompress_start
from variantbuild.binary.elf import Data
from variantbuild.binary.formats import BUNDLE_MAGIC, COMPRESSED_BUNDLE_MAGIC

_CHUNK = 1 << 16
_ALIGNMENT, _LONGEST_NAME = 4096, 1024
# Version to the layout after magic, version and method: total size, uncompressed size, hash.
_COMPRESSED = {1: "<IQ", 2: "<IIQ", 3: "<QQQ"}


def parse_bundles(data: Data) -> tuple[str, ...]:
    """Return the distinct targets (`gfx90a:xnack-`) in a section of bundles, sorted.

    Entries without code (the host's, and those of size 0) are left out. Raises DeviceCodeError if a
    table is malformed or a compressed bundle cannot be read here.
    """
    found: set[str] = set()
    at = 0
    while at < len(data):
        head = bytes(data[at : at + len(BUNDLE_MAGIC)])
        size = 0
        if head == BUNDLE_MAGIC:
            targets, size = _parse_table(bytes(data[at : at + _CHUNK]))
            found.update(targets)
        elif _compressed_header(head) is not None:
            found.update(_parse_table(_uncompressed_table(data, at))[0])
        if len(found) > MOST_TARGETS:
            raise DeviceCodeError(f"it has code for over {MOST_TARGETS} GPU architectures")
        # clang aligns each bundle to 4096 bytes, and a table does not overlap with the next.
        at += max(-(-size // _ALIGNMENT) * _ALIGNMENT, _ALIGNMENT)
    return tuple(sorted(found))


def _compressed_header(head: bytes) -> tuple[int, int] | None:
    if head[:4] != COMPRESSED_BUNDLE_MAGIC or len(head) < 8:
        return None
    version, method = struct.unpack_from("<HH", head, 4)
    return (version, method) if version in _COMPRESSED and method <= 1 else None


def _uncompressed_table(data: Data, at: int) -> bytes:
    header = _compressed_header(bytes(data[at : at + 8]))
    if header is None:
        raise DeviceCodeError("a compressed offload bundle is truncated")
    version, method = header
    start = at + 8 + struct.calcsize(_COMPRESSED[version])
    if method == 1:
        return decompress_start(data, start, _CHUNK)
    import zlib

    try:
        return zlib.decompressobj().decompress(bytes(data[start : start + _CHUNK]), _CHUNK)
    except zlib.error as error:
        raise DeviceCodeError(f"a compressed offload bundle is damaged: {error}") from error


def _parse_table(table: bytes) -> tuple[list[str], int]:
    """Return the targets in the table of a bundle, and the size of the table in bytes."""
    at = len(BUNDLE_MAGIC) + 8
    if table[: len(BUNDLE_MAGIC)] != BUNDLE_MAGIC or len(table) < at:
        raise DeviceCodeError("an offload bundle is truncated")
    (count,) = struct.unpack_from("<Q", table, len(BUNDLE_MAGIC))
    if count > MOST_TARGETS:
        raise DeviceCodeError(f"an offload bundle claims to have {count} entries")
    found: list[str] = []
    for _ in range(count):
        if at + 24 > len(table):
            raise DeviceCodeError("the table of an offload bundle is truncated")
        _, size, length = struct.unpack_from("<QQQ", table, at)
        if length > _LONGEST_NAME:
            raise DeviceCodeError(f"an offload bundle has a name of {length} bytes")
        name = table[at + 24 : at + 24 + length]
        if len(name) < length:
            raise DeviceCodeError("the table of an offload bundle is truncated")
        at += 24 + length
        kind, _, target = name.decode("utf-8", "replace").partition("-")
        if size and not kind.startswith("host"):
            found.append(
                target.rpartition("-")[2] if "--" not in target else target.partition("--")[2]
            )
    return found, at
