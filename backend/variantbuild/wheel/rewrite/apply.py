"""Applies a plan: copies unchanged members in compressed form and writes the others.

If the new archive begins like the old file, and that file is private, it is rewritten in place.
"""

from __future__ import annotations

import os
from pathlib import Path

from variantbuild.host.durable import write_error
from variantbuild.wheel.reader import Wheel
from variantbuild.wheel.rewrite.copying import (
    DIRECT_WRITING,
    DirectWriting,
    clone_file,
    open_appender,
)
from variantbuild.wheel.rewrite.edit import Plan
from variantbuild.wheel.rewrite.pieces import Piece, Run, len_of, render_pieces
from variantbuild.wheel.rewrite.target import Target

#: Limit of the bytes after the first change that an in-place rewrite keeps in memory.
MAX_TAIL = 8 << 20


def apply_edit(
    wheel: Wheel,
    plan: Plan,
    directory: Path | str,
    *,
    consume: bool = False,
    keep_mode: bool = False,
    direct: DirectWriting = DIRECT_WRITING,
) -> Path:
    """Write the wheel that `plan` describes to `directory` and return its path.

    The new file appears under its name atomically; an existing file of that name is replaced. With
    `consume` the open wheel is private and may be overwritten: it is rewritten in place and moved
    if the changes are near its end, and deleted otherwise. `keep_mode` gives the new file the old
    one's permission bits. `direct` says which files bypass the page cache. Raises WheelError if the
    directory cannot be written to; an existing file is then unchanged.
    """
    path = Path(directory) / str(plan.file_name)
    pieces = render_pieces(wheel, plan)
    mode = wheel.source.mode if keep_mode else None
    if consume and _fits_in_place(wheel, pieces, path):
        _rewrite_tail(wheel, pieces, path, mode)
        return path
    with Target(path) as target:
        try:
            _write_pieces(wheel, pieces, target, direct)
            wheel.source.check_unchanged()
            target.commit(mode)
        except OSError as error:
            raise write_error(path, error) from error
    if consume and wheel.path != path:
        wheel.path.unlink(missing_ok=True)
    return path


def _fits_in_place(wheel: Wheel, pieces: list[Piece], path: Path) -> bool:
    """Return whether the file can be rewritten in place."""
    head, *tail = pieces
    if isinstance(head, bytearray) or head.offset or wheel.source.links != 1 or os.name == "nt":
        return False
    if sum(piece.size for piece in tail if isinstance(piece, Run)) > MAX_TAIL:
        return False
    try:
        return wheel.path.stat().st_dev == path.parent.stat().st_dev
    except OSError:
        return False


def _rewrite_tail(wheel: Wheel, pieces: list[Piece], path: Path, mode: int | None) -> None:
    tail = [wheel.source.read(*piece) if isinstance(piece, Run) else piece for piece in pieces[1:]]
    wheel.source.check_unchanged()
    with Target(path, adopt=wheel.path) as target:
        try:
            _continue_at(target, len_of(pieces[0]))
            for piece in tail:
                target.write(piece)
            target.commit(mode)
        except OSError as error:
            raise write_error(path, error) from error


def _continue_at(target: Target, offset: int) -> None:
    os.ftruncate(target.descriptor, offset)
    os.lseek(target.descriptor, offset, os.SEEK_SET)


def _write_pieces(wheel: Wheel, pieces: list[Piece], target: Target, direct: DirectWriting) -> None:
    source, head, rest = wheel.source, pieces[0], pieces
    keeps_head = isinstance(head, Run) and head.offset == 0
    if keeps_head and clone_file(source.descriptor, target.descriptor):
        _continue_at(target, len_of(head))
        rest = pieces[1:]
    appender = open_appender(source, target, sum(map(len_of, rest)), direct)
    for piece in rest:
        if isinstance(piece, Run):
            appender.add_range(*piece)
        else:
            appender.add(piece)
    appender.finish()
