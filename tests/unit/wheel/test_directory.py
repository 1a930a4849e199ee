"""Reading many members: together if they are plain, otherwise one by one."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import tracemalloc
import zlib

import pytest

from variantbuild.wheel import UnsoundWheelError, open_wheel, verify_wheel
from variantbuild.wheel.archive.source import Source
from variantbuild.wheel.archive.structure import read_structure
from variantbuild.wheel.reader import CHUNK
from wheels.forge import Draft, Write

COUNT = 3000


def drafted(*kinds: str) -> Draft:
    """Return a wheel of 3000 members and more, of the `kinds` in turn."""
    draft = Draft()
    for number, kind in zip(range(COUNT), itertools.cycle(kinds), strict=False):
        name = f"demo/part{number % 7}/ü{number}" if kind == "utf-8" else f"demo/{number}.py"
        part = draft.add(f"{name}/" if kind == "directory" else name, b"")
        if kind == "directory":
            part.mode(stat.S_IFDIR | 0o755)
        if kind == "program":
            part.mode(stat.S_IFREG | 0o755)
        if kind == "stored":
            part.method = 0
    return draft


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The offsets at which files were read, in order."""
    real, offsets = os.pread, []

    def watched(descriptor: int, size: int, offset: int) -> bytes:
        offsets.append(offset)
        return real(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", watched)
    return offsets


@pytest.mark.parametrize(
    ("kinds", "most"),
    [
        (("plain",), 1.1),
        (("plain", "program", "stored"), 1.1),
        (("utf-8",), 2.1),
        (("plain", "plain", "directory"), 1.5),
        (("plain", "utf-8"), 2.1),
    ],
    ids=lambda value: " and ".join(value) if isinstance(value, tuple) else "",
)
def test_a_header_is_read_once_or_twice(
    kinds: tuple[str, ...], most: float, write: Write, reads: list[int]
) -> None:
    draft = drafted(*kinds)
    with open_wheel(write(draft)) as wheel:
        assert len(reads) < most * COUNT
        assert [member.name for member in wheel.members] == list(draft.parts)
        assert len(verify_wheel(wheel).members) == COUNT + 5
        assert wheel.structure.is_simple == ({"utf-8", "directory"}.isdisjoint(kinds))


def test_claims_of_4_gib_are_not_looked_at_again_and_again(write: Write, reads: list[int]) -> None:
    draft = drafted("plain")
    for part in draft.parts.values():
        part.local["size"] = part.central["size"] = 0xFFFFFFFF
    with pytest.raises(UnsoundWheelError, match="times its compressed size"):
        open_wheel(write(draft))
    assert len(reads) < 2.1 * COUNT


@pytest.mark.parametrize("together", [1, 2, 1000])
def test_reading_together_reads_the_same(together: int, write: Write) -> None:
    path = write(drafted("plain", "program", "utf-8", "stored", "plain", "directory"))
    with open_wheel(path) as wheel:
        expected = [*wheel.members], wheel.members.places
    with contextlib.closing(Source(path)) as source:
        members = read_structure(source, together=together).members
        assert ([*members], members.places) == expected


def test_a_small_bomb_is_stopped_at_its_size(write: Write) -> None:
    draft = Draft()
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = draft.add("demo/bomb.bin", bytes(1000))
    bomb.packed = engine.compress(bytes(50_000_000)) + engine.flush()
    assert len(bomb.packed) < CHUNK
    with open_wheel(write(draft)) as wheel:
        tracemalloc.start()
        with pytest.raises(UnsoundWheelError, match="unpacks to more than the declared 1000 bytes"):
            verify_wheel(wheel)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 4_000_000
