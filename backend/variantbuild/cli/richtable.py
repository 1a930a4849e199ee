"""Tables rendered by rich, for the extra `terminal`; the content is that of the plain ones."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from variantbuild.cli.guard import mark
from variantbuild.cli.textlayout import lay_out, shorten


def render_table(
    rows: Sequence[Sequence[str]], width: int, *, indent: int = 0, names: Collection[int] = ()
) -> str:
    """Return `rows` in aligned columns that fit into `width`; cells may hold colours."""
    if not rows:
        return ""
    widths = lay_out(rows, width - indent, names=names)
    rendered = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for each in widths[:-1]:
        rendered.add_column(width=each, overflow="ignore")
    rendered.add_column(overflow="ignore", min_width=widths[-1])
    for row in rows:
        cells = (shorten(cell, widths[i]) if i in names else cell for i, cell in enumerate(row))
        rendered.add_row(*(_wrapped(cell, widths[i]) for i, cell in enumerate(cells)))
    colored = any("\x1b[" in cell for row in rows for cell in row)
    out = io.StringIO()
    longest = width + max(len(cell) for row in rows for cell in row)
    Console(
        file=out,
        width=longest,
        force_terminal=colored,
        no_color=not colored,
        color_system="standard" if colored else None,
        highlight=False,
    ).print(rendered)
    lines = mark(out.getvalue()).splitlines()
    return "\n".join((" " * indent + line).rstrip() for line in lines)


def _wrapped(cell: str, width: int) -> Text:
    from variantbuild.cli.textlayout import wrap_words

    return Text.from_ansi("\n".join(wrap_words(cell, width)))
