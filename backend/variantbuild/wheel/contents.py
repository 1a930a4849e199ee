"""Contents against their hashes: in parallel, in memory that no member's size changes."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Mapping, Sequence

from variantbuild.wheel.errors import UnsoundWheelError
from variantbuild.wheel.native import HEAD, HEAD_PE, native_kind
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.record import render_hash
from variantbuild.wheel.zipformat import Member

#: Below this many bytes a second thread costs more than it saves.
_PARALLEL_FLOOR = 1 << 20
_MAX_WORKERS = 8


def check_contents(wheel: Wheel, hashes: Mapping[str, str]) -> None:
    """Inflate and hash every member of `wheel` and compare crc, size and the hash in `hashes`.

    Threads share the work, the largest members first; each holds about 1 MiB. Raises
    UnsoundWheelError for the first member found to differ.
    """
    queue = sorted(wheel.members, key=lambda member: member.size, reverse=True)
    crew = _Crew(wheel, hashes, queue)
    count = min(_MAX_WORKERS, _processors(), len(queue))
    if sum(member.size for member in queue) < _PARALLEL_FLOOR:
        count = 1
    crew.run(count)


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Crew:
    """Threads that take members from one queue until it is empty or one of them fails."""

    def __init__(self, wheel: Wheel, hashes: Mapping[str, str], queue: Sequence[Member]) -> None:
        self._wheel = wheel
        self._hashes = hashes
        self._remaining = iter(queue)
        self._failures: list[BaseException] = []
        self._stopped = False

    def run(self, count: int) -> None:
        """Work through the queue with `count` threads, this one among them."""
        import threading

        others = [threading.Thread(target=self._guarded, daemon=True) for _ in range(count - 1)]
        for thread in others:
            thread.start()
        try:
            self._work()
        finally:
            # Also on Ctrl-C: the others end within a portion instead of reading a closed file.
            self._stopped = True if self._failures else self._stopped
            for thread in others:
                thread.join()
        if self._failures:
            raise self._failures[0]

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as failure:  # noqa: BLE001 - handed to the thread that waits
            self._failures.append(failure)
            self._stopped = True

    def _work(self) -> None:
        # next() on a list's iterator is one step under the interpreter lock, no lock needed.
        try:
            for member in self._remaining:
                if self._stopped:
                    return
                self._check(member)
        except BaseException:
            self._stopped = True
            raise

    def _check(self, member: Member) -> None:
        wanted = self._hashes.get(member.name, "")
        algorithm = wanted.partition("=")[0]
        state = hashlib.new(algorithm, usedforsecurity=False) if algorithm else None
        crc = 0
        for portion in self._wheel.stream(member):
            crc = zlib.crc32(portion, crc)
            if state is not None:
                state.update(portion)
            if self._stopped:
                return
        if crc != member.crc:
            raise UnsoundWheelError("its contents do not have its crc", member=member.name)
        if state is not None and render_hash(algorithm, state.digest()) != wanted:
            raise UnsoundWheelError(
                "its contents do not have the hash that RECORD gives", member=member.name
            )


def check_no_native(wheel: Wheel) -> None:
    """Refuse compiled code for a host in `wheel`, which is tagged for any platform."""
    for member in wheel.members:
        if not member.size:
            continue
        head = wheel.head(member, HEAD)
        if head.startswith(b"MZ"):
            head = wheel.head(member, HEAD_PE)
        kind = native_kind(member.name, head)
        if kind is not None:
            raise UnsoundWheelError(
                f"it is a {kind}, yet the wheel is tagged for any platform", member=member.name
            )
