"""Generated parts of Markdown files: from `<!-- NAME: generated -->` to `<!-- NAME: end -->`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def replace_part(text: str, name: str, part: str) -> str:
    """Return `text` with the lines between the marks of `name` replaced by `part`.

    Raises SystemExit if a mark is missing.
    """
    begin, end = f"<!-- {name}: generated -->", f"<!-- {name}: end -->"
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"the marks {begin} and {end} are missing")
    return f"{head}{begin}\n{part}\n{end}{tail}"


def update_parts(path: Path, parts: Mapping[str, str], *, command: str, check: bool) -> int:
    """Write `parts` by name into the file at `path`; with `check` only compare them.

    Returns 1 if the file differs in a check, after a message that names `command`; else 0.
    """
    before = after = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        after = replace_part(after, name, part)
    if before == after:
        return 0
    if check:
        print(f"{path.name} is out of date: run `{command}`", file=sys.stderr)
        return 1
    path.write_text(after, encoding="utf-8")
    return 0


def render_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    first, *others = (f"| {' | '.join(line)} |" for line in (head, *rows))
    return "\n".join([first, "|---" * len(head) + "|", *others])
