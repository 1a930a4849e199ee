"""The ways in which the corpus bends a draft: each function returns a bend for one."""

from __future__ import annotations

from collections.abc import Callable

from wheels.forge import Draft

Bend = Callable[[Draft], object]
#: The member that most bends are about.
A = "demo/__init__.py"


def in_local(**fields: int | bytes) -> Bend:
    """Override fields of the local header of the first member."""
    return lambda w: w.part(A).local.update(fields)


def in_central(**fields: int | bytes) -> Bend:
    """Override fields of the first member's entry in the central directory."""
    return lambda w: w.part(A).central.update(fields)


def in_both(**fields: int) -> Bend:
    """Override fields of both headers of the first member."""
    return both(in_local(**fields), in_central(**fields))


def of_draft(**fields: object) -> Bend:
    """Set attributes of the draft."""

    def bend(w: Draft) -> None:
        for name, value in fields.items():
            setattr(w, name, value)

    return bend


def of_part(name: str = A, **fields: object) -> Bend:
    """Set attributes of one member."""

    def bend(w: Draft) -> None:
        for field, value in fields.items():
            setattr(w.part(name), field, value)

    return bend


def of_parts(**fields: object) -> Bend:
    """Set attributes of every member."""

    def bend(w: Draft) -> None:
        for name in w.parts:
            of_part(name, **fields)(w)

    return bend


def both(*bends: Bend) -> Bend:
    """Apply several bends in order."""
    return lambda w: [bend(w) for bend in bends]


def added(*names: str | bytes, flags: int | None = None) -> Bend:
    """Add a member for each name, flags as its name needs them unless given."""

    def bend(w: Draft) -> None:
        for name in names:
            part = w.add(name, b"x = 1\n")
            if flags is not None:
                part.flags = flags

    return bend


def info(name: str, data: str | bytes) -> Bend:
    """Add a member of the dist-info directory."""
    return lambda w: w.add_info(name, data.encode() if isinstance(data, str) else data)


def swapped(old: str, new: str | bytes, name: str = "METADATA", count: int = 1) -> Bend:
    """Replace the first occurrence (-1: all) of text in a member, METADATA by default."""

    def bend(w: Draft) -> None:
        part = w.part(name)
        assert old.encode() in part.data
        fresh = new.encode() if isinstance(new, str) else new
        part.data = part.data.replace(old.encode(), fresh, count)

    return bend


def row(name: str, change: Callable[[list[str]], object]) -> Bend:
    """Change the row that RECORD has of a member; a bare name is one of dist-info."""

    def bend(w: Draft) -> None:
        full = name if "/" in name else f"{w.dist_info}/{name}"
        w.rows(lambda rows: [change(row) for row in rows if row[0] == full])

    return bend


def record(change: Callable[[bytes], bytes]) -> Bend:
    """Change the bytes of RECORD."""

    def bend(w: Draft) -> None:
        w.record_bytes = change(w.record())

    return bend
