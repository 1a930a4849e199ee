"""Check contents against their hashes, in parallel and in bounded memory."""

from __future__ import annotations

import _thread
import hashlib
import os
import shlex
import zlib
from collections.abc import Iterator, Sequence

from variantbuild.wheel.archive.zipformat import Member
from variantbuild.wheel.distinfo.record import SIGNATURES, Record, Row, render_hash, rows_of
from variantbuild.wheel.exemption import matching_pattern
from variantbuild.wheel.machinecode import find_machine_code
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.unsound import UnsoundWheelError

#: Below this many bytes a second thread costs more than it saves.
_PARALLEL_FLOOR = 1 << 20
_MAX_WORKERS = 8
#: The constructors, since hashlib.new would look up its algorithm for every member.
_HASHES = {"sha256": hashlib.sha256, "sha384": hashlib.sha384, "sha512": hashlib.sha512}


def check_contents(wheel: Wheel, record: Record, *, large: int) -> None:
    """Inflate and hash every member of `wheel`; compare CRC-32, size and the hash in `record`.

    Threads share the work; each uses about 200 KiB. Members of at least `large` bytes come first,
    the largest of them at the front. Raises UnsoundWheelError for the first mismatch found.
    """
    sizes = wheel.members.sizes
    crew = _Crew(wheel, _batches(wheel, record, large))
    crew.run(1 if sum(sizes) < _PARALLEL_FLOOR else min(_MAX_WORKERS, _cpus()))


def _batches(wheel: Wheel, record: Record, floor: int) -> Iterator[list[Row]]:
    """Yield every member with its row of `record`: large ones alone, the others in batches.

    After the large ones RECORD is read chunk by chunk: thousands of hashes as text would take more
    memory than everything else.
    """
    sizes, numbers = wheel.members.sizes, wheel.by_name.numbers
    large = {name for name, number in numbers.items() if sizes[number] >= floor}
    rows = [row for lines in record.chunks() for row in rows_of(lines) if row[0] in large]
    yield from ([row] for row in sorted(rows, key=lambda row: -sizes[numbers[row[0]]]))
    # Directories and signatures have no row, or one without a hash.
    yield [(name, "", "") for name in numbers if name.endswith(("/", *SIGNATURES))]
    for lines in record.chunks():
        yield [row for row in rows_of(lines) if row[0] not in large]


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Crew:
    """Threads that take batches of rows until none is left or a thread fails."""

    def __init__(self, wheel: Wheel, batches: Iterator[list[Row]]) -> None:
        self._wheel = wheel
        self._batches = batches
        self._turn = _thread.allocate_lock()
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
            # Also on Ctrl-C: the others end within a chunk instead of reading a closed file.
            self._stopped = True if self._failures else self._stopped
            for thread in others:
                thread.join()
        if self._failures:
            raise self._failures[0]

    def _guarded(self) -> None:
        try:
            self._work()
        except BaseException as failure:  # noqa: BLE001 - raised again in the waiting thread
            self._failures.append(failure)
            self._stopped = True

    def _work(self) -> None:
        try:
            while not self._stopped:
                with self._turn:
                    batch = next(self._batches, None)
                if batch is None:
                    return
                for name, digest, _ in batch:
                    self._check(self._wheel.member(name), digest)
        except BaseException:
            self._stopped = True
            raise

    def _check(self, member: Member, wanted: str) -> None:
        if self._stopped:
            return
        algorithm = wanted.partition("=")[0]
        state = _HASHES[algorithm](usedforsecurity=False) if algorithm else None
        crc = 0
        for chunk in self._wheel.stream(member):
            crc = zlib.crc32(chunk, crc)
            if state is not None:
                state.update(chunk)
            if self._stopped:
                return
        if crc != member.crc:
            raise UnsoundWheelError("CRC-32 mismatch", member=member.name)
        if state is not None and render_hash(algorithm, state.digest()) != wanted:
            raise UnsoundWheelError("its hash differs from the one in RECORD", member=member.name)


def check_no_native(wheel: Wheel, exempt: Sequence[str] = ()) -> None:
    """Refuse compiled code for a host in `wheel`, which is tagged for any platform.

    Files that match one of the patterns `exempt` are data on purpose.
    """
    for member, found in find_machine_code(wheel):
        if found.role == "host" and matching_pattern(member.name, exempt) is None:
            raise UnsoundWheelError(
                f"it is {_article(found.words)} {found.words}, but the wheel is tagged for any "
                "platform",
                member=member.name,
                hint="if it is code for another machine on purpose, exempt it: "
                f"--exclude {shlex.quote(member.name.rpartition('/')[2])}, or the setting "
                "audit-exclude of its build",
            )


def _article(words: str) -> str:
    return "an" if words.startswith(("ELF", "extension")) else "a"
