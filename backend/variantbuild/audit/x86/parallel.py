"""Decode the parts of one large file in several processes, which share its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from variantbuild.binary.elf import Data

if TYPE_CHECKING:
    from variantbuild.audit.x86.scan import Part, Scan
    from variantbuild.binary.elf.symbols import Bounds

# Inherited by forked processes: the file that their parent works on.
_shared: list[tuple[Data, Bounds]] = []


class ParallelScan:
    """A scanner for `audit_x86` that uses `jobs` processes for a file with several parts."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs

    def __call__(self, data: Data, bounds: Bounds, parts: Sequence[Part]) -> Scan:
        """Decode `parts`, as `scan_parts` does."""
        from variantbuild.audit.x86.scan import Scan, scan_parts
        from variantbuild.host.pool import forked_pool

        if self._jobs < 2 or len(parts) < 2:
            return scan_parts(data, bounds, parts)
        found = Scan()
        _shared.append((data, bounds))
        try:
            with forked_pool(self._jobs) as pool:
                for each in pool.map(_scan_part, parts):
                    found.add(each)
        finally:
            _shared.pop()
        return found


def _scan_part(part: Part) -> Scan:
    from variantbuild.audit.x86.scan import scan_parts

    data, bounds = _shared[-1]
    return scan_parts(data, bounds, [part])
